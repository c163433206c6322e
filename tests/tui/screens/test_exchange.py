"""An exchange on the screen: who must act next, other terms, disputes, corrections, thanks, and
hours.
"""

from datetime import date

import pytest

from tests.support.fake_node import (
    ADA,
    MARIA,
    SAM,
    balance,
    ident,
    intent,
    on_screen,
    response,
    shows,
    street,
    until,
    view,
)
from tui.kinds.exchange import exchange_story
from tui.kinds.exchange_steps import steps_for_exchange
from tui.kinds.thread_data import ThreadData
from tui.screens.home import HomeScreen
from tui.screens.person_page import PersonScreen
from tui.widgets.card_list import CardList

TODAY = date(2026, 11, 23)


def parley(**more):
    """Makes a request of Ada's. Sam responds, and Ada names other terms."""
    root = intent(30, "request", ADA, "A lift", minutes=90, **more)
    first = response(31, SAM, root["id"], state="declined")
    root["responses"] = [first, response(32, ADA, first["id"], minutes=45)]
    return ThreadData(root, [], [])


def signed(state, *, receipt="confirmed", repeats=None, corrections=(), **more):
    """Makes an exchange: Ada asked, Sam helped, and Sam wrote the receipt."""
    root = intent(30, "request", ADA, "A lift", minutes=90, state=state, starts="2026-11-09")
    two = {"giver": SAM, "receiver": ADA, "minutes": 90}
    one = view(34, "receipt", SAM, ident(33), receipt, **two, on="2026-11-09", **more)
    told = {name: one[name] for name in ("id", "state", "minutes", "on")}
    agreement = view(33, "agreement", ADA, ident(31), state, **two, intent=root["id"])
    root["responses"] = [response(31, SAM, root["id"], state="accepted")]
    agreement |= {"when": "2026-11-09", "repeats": repeats, "receipts": [told]}
    return ThreadData(root, [agreement], [one], corrections=list(corrections))


def correction(author, **more):
    two = {"giver": SAM, "receiver": ADA}
    return view(36, "correction", author, ident(34), "proposed", **two, minutes=60, **more)


def labels(case, me, *, waiting=None):
    found = steps_for_exchange(case, me["id"], TODAY)
    return [act.label for act in found if waiting is None or act.waits == waiting]


def told(case, me):
    return exchange_story(case, TODAY, me["id"]).plain


def test_other_terms_wait_for_who_responded():
    case = parley()
    assert labels(case, SAM, waiting=True) == ["Agree with Ada: 45 min · Thu 26 Nov 09:30"]
    assert labels(case, ADA, waiting=True) == []
    assert "Take back your proposal" in labels(case, ADA)
    assert "Propose other terms to Ada" in labels(case, SAM)
    assert labels(case, MARIA, waiting=True) == []
    assert "Ada proposed instead: 45 min · Thu 26 Nov 09:30 · your turn" in told(case, SAM)
    assert "answered with other terms" in told(case, MARIA)


def test_other_terms_begin_with_those_that_they_answer():
    (act,) = [
        one for one in steps_for_exchange(parley(), SAM["id"], TODAY) if one.kind == "response"
    ]
    assert (act.about, act.given) == (ident(32), {"minutes": "45", "when": "2026-11-26T09:30"})


def test_what_has_expired_waits_for_nobody_and_can_still_be_agreed():
    case = parley(until="2026-11-01")
    case.root["state"] = "expired"
    assert labels(case, SAM, waiting=True) == []
    assert labels(case, SAM)[0].startswith("Agree with Ada")


def test_who_got_a_receipt_confirms_or_disputes_it():
    case = signed("agreed", receipt="proposed")
    assert labels(case, ADA, waiting=True) == ["Confirm the receipt: 1 h 30 min"]
    assert "This is wrong" in labels(case, ADA)
    assert "Cancel what you agreed with Sam" in labels(case, ADA)
    assert labels(case, SAM) == ["Cancel what you agreed with Ada"]
    assert "your turn" in told(case, ADA)
    assert "waits for Ada" in told(case, SAM)


def test_a_disputed_receipt_waits_for_another_one():
    case = signed("agreed", receipt="disputed", why="It was half an hour.")
    again = "Write another receipt with Ada: the last one is disputed"
    assert labels(case, SAM, waiting=True) == [again]
    assert "Confirm it after all: 1 h 30 min" in labels(case, ADA, waiting=False)
    assert "disputed: “It was half an hour.”" in told(case, SAM)


def test_a_correction_waits_for_the_other_party():
    case = signed("done", corrections=[correction(SAM, why="We were back by ten.")])
    assert labels(case, ADA, waiting=True) == ["Confirm the correction: 1 h instead"]
    assert "This correction is wrong" in labels(case, ADA)
    assert labels(case, SAM) == []
    words = "Sam proposed a correction: 1 h · your turn\n“We were back by ten.”"
    assert words in told(case, ADA)


def test_a_confirmed_receipt_can_be_corrected_by_both_and_by_nobody_else():
    case = signed("done", corrected=60)
    for me in (ADA, SAM):
        assert labels(case, me) == ["Correct the receipt: 1 h"]
    assert labels(case, MARIA) == []
    assert "Receipt: 1 h 30 min on Mon 9 Nov · corrected to 1 h · confirmed" in told(case, ADA)


@pytest.mark.parametrize(
    ("repeats", "day"),
    [("FREQ=WEEKLY", "2026-11-23"), ("FREQ=WEEKLY;INTERVAL=3", "2026-11-23"), ("soon", None)],
)
def test_what_repeats_is_signed_for_the_last_day_that_is_open(repeats, day):
    (act,) = [one for one in steps_for_exchange(signed("done", repeats=repeats), ADA["id"], TODAY)
              if one.kind == "receipt"]  # fmt: skip
    assert (act.given["on"], act.waits) == (day or TODAY.isoformat(), False)


def grateful():
    node = street()
    thanks = view(60, "thanks", SAM, person=ADA, minutes=60, text="For the shelves")
    node.lists["thanks"] = [thanks]
    node.lists["corrections"] = [correction(SAM, why=None, moved=None)]
    node.balances[0] = balance(ADA, received=90, gifts_given=60)
    lines = [
        ("receipt", "2026-11-09", -120, -120),
        ("correction", "2026-11-10", 30, -90),
        ("thanks", "2026-11-23", 60, -90),
    ]
    node.hours[ADA["id"]] = [
        {"id": ident(34), "kind": kind, "on": on, "person": SAM, "minutes": n, "balance": sum_}
        for kind, on, n, sum_ in lines
    ]
    return node


@on_screen(node=grateful, size=(100, 40))
async def test_today_tells_of_thanks_and_of_a_correction_that_waits(pilot, node):
    await shows(pilot, "Needs your answer (3)", "Confirm the correction: 1 h instead")
    await shows(pilot, "Sam thanks you · 1 h", "For the shelves")


@on_screen(node=grateful, size=(100, 40))
async def test_the_hours_of_a_person_open_line_by_line(pilot, node):
    await shows(pilot, "Needs your answer (3)")
    await pilot.press("3")
    await shows(pilot, "0 given · 1 h 30 min received", "As gifts: 1 h given · 0 received")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, PersonScreen))
    await shows(pilot, "Mon 23 Nov · +1 h for Sam · a gift · balance −1 h 30 min")
    await shows(pilot, "Tue 10 Nov · +30 min for Sam · corrected · balance −1 h 30 min")
    await shows(pilot, "Mon 9 Nov · −2 h from Sam · balance −2 h")
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


@on_screen(size=(100, 40))
async def test_advice_is_shown_and_hinders_nobody(pilot, node):
    node.advice = "The charter suggests no further than −10 h; you are at −11 h"
    await shows(pilot, "Confirm the receipt")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down", "enter")
    await shows(pilot, "What you can do")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "Maria gave 1 h")
    await pilot.press("f2")
    await until(pilot, lambda: any(node.advice in one.message for one in pilot.app._notifications))
    assert node.posted[0]["kind"] == "confirm"
