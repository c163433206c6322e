"""An exchange on the screen: who must act next, other terms, disputes, corrections, thanks, and
hours.
"""

from tests.support.fake_node import (
    ADA,
    CLOCK,
    MARIA,
    SAM,
    balance,
    ident,
    intent,
    on_screen,
    response,
    shows,
    step_row,
    street,
    until,
    view,
    waiting_row,
)
from tui.kinds.face import face_of, thread_steps, thread_story
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown
from tui.screens.home import HomeScreen
from tui.screens.person_page import PersonScreen
from tui.widgets.card_list import CardList


def thread(root, *others, steps=()):
    views = [root, *root["responses"], *others]
    return ThreadData(
        Shown(root), [Shown(view) for view in views], steps=[Shown(row) for row in steps]
    )


def parley(*steps, **more):
    """Makes a request of Ada's. Sam responds, and Ada names other terms."""
    root = intent(30, "request", ADA, "A lift", minutes=90, **more)
    first = response(31, SAM, root["id"], state="declined")
    root["responses"] = [first, response(32, ADA, first["id"], minutes=45)]
    return thread(root, steps=steps)


def signed(state, *steps, receipt="confirmed", repeats=None, corrections=(), **more):
    """Makes an exchange: Ada asked, Sam helped, and Sam wrote the receipt."""
    root = intent(30, "request", ADA, "A lift", minutes=90, state=state, starts="2026-11-09")
    two = {"giver": SAM, "receiver": ADA, "minutes": 90}
    one = view(34, "receipt", SAM, ident(33), receipt, **two, on="2026-11-09", **more)
    told = {name: one[name] for name in ("id", "state", "minutes", "on")}
    agreement = view(33, "agreement", ADA, ident(31), state, **two, intent=root["id"])
    root["responses"] = [response(31, SAM, root["id"], state="accepted")]
    agreement |= {"when": "2026-11-09", "repeats": repeats, "receipts": [told]}
    return thread(root, agreement, one, *corrections, steps=steps)


def correction(author, **more):
    two = {"giver": SAM, "receiver": ADA}
    return view(36, "correction", author, ident(34), "proposed", **two, minutes=60, **more)


def closing(about, way):
    return step_row("close", about, given={"as_state": way}, ask=("why",))


def steps_of(case, me):
    records = {record.id for record in case.views}
    return [act for act in thread_steps(case, Reader(me["id"], CLOCK))
            if act.about in records and "address" not in act.kind]  # fmt: skip


def labels(case, me):
    return [act.words.label for act in steps_of(case, me)]


def told(case, me):
    return thread_story(case, Reader(me["id"], CLOCK)).plain


def test_other_terms_wait_for_who_responded():
    case = parley(step_row("agreement", 32, awaited=True), step_row("response", 32))
    assert labels(case, SAM) == [
        "Agree with Ada: 45 min · Thu 26 Nov 09:30",
        "Propose other terms to Ada",
    ]
    assert [act.waits for act in steps_of(case, SAM)] == [True, False]
    assert "Ada proposed instead: 45 min · Thu 26 Nov 09:30 · your turn" in told(case, SAM)
    assert "answered with other terms" in told(case, MARIA)
    assert labels(parley(closing(32, "withdrawn")), ADA) == ["Take back your proposal"]


def test_other_terms_begin_with_those_that_they_answer():
    terms = {"minutes": 45, "when": "2026-11-26T09:30"}
    case = parley(step_row("response", 32, ask=("minutes", "when", "text"), suggested=terms))
    (act,) = steps_of(case, SAM)
    assert (act.about, act.given) == (ident(32), {"minutes": "45", "when": "2026-11-26T09:30"})
    assert act.fields == ("minutes", "when", "text")


def test_who_got_a_receipt_confirms_or_disputes_it():
    rows = (
        step_row("confirm", 34, awaited=True),
        closing(34, "disputed"),
        closing(33, "cancelled"),
    )
    case = signed("agreed", *rows, receipt="proposed")
    assert labels(case, ADA) == [
        "Confirm the receipt: 1 h 30 min",
        "This is wrong",
        "Cancel what you agreed with Sam",
    ]
    assert "your turn" in told(case, ADA)
    assert "waits for Ada" in told(case, SAM)


def test_a_disputed_receipt_waits_for_another_one():
    rows = (step_row("receipt", 33, awaited=True), step_row("confirm", 34))
    case = signed("agreed", *rows, receipt="disputed", why="It was half an hour.")
    assert labels(case, SAM)[0] == "Write another receipt with Ada: the last one is disputed"
    assert labels(case, ADA)[1] == "Confirm it after all: 1 h 30 min"
    assert "disputed: “It was half an hour.”" in told(case, SAM)


def test_a_correction_waits_for_the_other_party():
    proposed = correction(SAM, why="We were back by ten.")
    rows = (step_row("confirm", 36, awaited=True), closing(36, "disputed"))
    case = signed("done", *rows, corrections=[proposed])
    assert labels(case, ADA) == ["Confirm the correction: 1 h instead", "This correction is wrong"]
    words = "Sam proposed a correction: 1 h · your turn\n“We were back by ten.”"
    assert words in told(case, ADA)


def test_a_confirmed_receipt_can_be_corrected():
    case = signed("done", step_row("correction", 34, ask=("minutes", "why")), corrected=60)
    assert labels(case, ADA) == ["Correct the receipt: 1 h"]
    assert "Receipt: 1 h 30 min on Mon 9 Nov · corrected to 1 h · confirmed" in told(case, ADA)


def test_what_repeats_is_signed_for_another_day_on_the_day_that_the_node_suggests():
    row = step_row("receipt", 33, ask=("minutes", "on"), suggested={"on": "2026-11-16"})
    (act,) = steps_of(signed("done", row, repeats="FREQ=WEEKLY"), ADA)
    assert act.words.label == "Write a receipt with Sam for another day"
    assert act.given == {"on": "2026-11-16"}


def test_a_thanks_names_both_people():
    thanks = Shown(
        view(60, "thanks", SAM, None, "given", person=ADA, minutes=60, text="For the shelves")
    )
    card = face_of("thanks").mixed_card(thanks, Reader(ADA["id"], CLOCK))
    assert (card.title, card.detail) == ("Sam thanks you · 1 h", "For the shelves")


def grateful():
    node = street()
    thanks = view(60, "thanks", SAM, None, "given", person=ADA, minutes=60, text="For the shelves")
    node.lists["thanks"] = [thanks]
    node.lists["corrections"] = [correction(SAM, why=None, moved=None)]
    node.lists["waiting"] = [waiting_row(node.lists["corrections"][0], "confirm")]
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
    node.advice = {"code": "you_are_beyond", "arguments": {"limit": -600, "balance": -660}}
    words = "The charter suggests no further than −10 h; you are at −11 h"
    await shows(pilot, "Confirm the receipt")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down", "enter")
    await shows(pilot, "What you can do")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "Maria gave 1 h")
    await pilot.press("f2")
    await until(pilot, lambda: any(words in one.message for one in pilot.app._notifications))
    assert node.posted[0]["kind"] == "confirm"
