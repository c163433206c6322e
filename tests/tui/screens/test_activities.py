"""Activities on the screen: a person who waits is told why, and each possible act needs only one
key.
"""

import pytest

from protocol.display_text import safe_text
from tests.support.fake_lunch import DAY, PAST, attended, lunch, organised
from tests.support.fake_node import (
    ADA,
    CLOCK,
    MARIA,
    SAM,
    FakeNode,
    enter_list,
    ident,
    on_screen,
    picture,
    shows,
    step_row,
    until,
    view,
)
from tests.support.hostile_text import NAMED
from tui.kinds.face import face_of, thread_steps, thread_story
from tui.kinds.next_steps import NextStep, StepWords
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown
from tui.screens.post_form import PostFormScreen
from tui.screens.thread_page import ThreadScreen
from tui.widgets.card_list import CardList
from tui.widgets.form import Form

READER = Reader(ADA["id"], CLOCK)
POT = {"id": ident(0), "name": "the common pot"}


def case(node, *rows):
    views = [view for name in ("activities", "signups", "attendances") for view in node.lists[name]]
    views += [view for view in node.lists["receipts"] if view["about"] == ident(64)]
    shown = [Shown(view) for view in views]
    return ThreadData(shown[0], shown, steps=[Shown(row) for row in rows])


def steps_of(node, *rows):
    return thread_steps(case(node, *rows), READER)


def labels(node, *rows):
    return [act.words.label for act in steps_of(node, *rows)]


def waiting_card(node, number, kind):
    view = next(view for view in case(node).views if view.id == ident(number))
    row = view.overlaid_with(Shown({"step": {"kind": kind, "about": view.id}}))
    card = face_of(view.kind).waiting_card(row, READER)
    return card.title, card.detail


def receipt(**more):
    return view(
        65, "receipt", more.pop("author", ADA), ident(64), "proposed",
        giver=ADA, receiver=POT, minutes=90, on=PAST, **more,
    )  # fmt: skip


def coming(day, role):
    return step_row("signup", 60, given={"on": day, "role": role})


def test_who_waits_is_told_who_has_the_last_place():
    node = lunch()
    told = thread_story(case(node), READER).plain
    assert "waiting: you\n  the last place went to Maria, who signed up before you" in told
    node.lists["signups"][0]["accepted"] = True
    told = thread_story(case(node), READER).plain
    assert "the last place went to Maria; Sam had said yes to them" in told


def test_one_comes_in_a_role_that_there_is_or_waits():
    withdrawal = step_row("close", 62, given={"as_state": "withdrawn"}, ask=("why",))
    rows = (coming("2026-12-03", "cook"), coming("2026-12-03", "server"), withdrawal)
    assert labels(lunch(), *rows) == [
        "Come as cook on Thu 3 Dec 12:30",
        "Come as server on Thu 3 Dec 12:30",
        "Withdraw from Thu 26 Nov 12:30",
    ]
    wait, come = steps_of(lunch(), coming(DAY, "cook"), coming(DAY, "server"))
    assert wait.words.label == "Wait for a place as cook on Thu 26 Nov 12:30"
    assert (come.kind, come.about, come.fixed) == (
        "signup", ident(60), {"on": DAY, "role": "server"},
    )  # fmt: skip


def test_the_organiser_writes_down_who_came_and_says_yes():
    node = organised()
    rows = (
        step_row("accept", 61),
        step_row("close", 60, given={"as_state": "cancelled"}, ask=("why",)),
        step_row("attendance", 60, given={"on": PAST}, ask=("people",), awaited=True),
    )
    found = steps_of(node, *rows)
    assert [act.words.label for act in found] == [
        "Write down who came on Thu 19 Nov 12:30",
        "Say yes to Maria as cook on Thu 26 Nov 12:30",
        "Cancel this",
    ]
    assert (found[0].waits, found[0].fixed) == (True, {"on": PAST})
    assert found[0].given == {"people": SAM["id"]}
    card = waiting_card(node, 60, "attendance")
    assert card == ("Write down who came to Lunch at the hall", "Thu 19 Nov 12:30")


def test_the_organiser_gives_hours_from_the_pot():
    row = step_row("receipt", 64, given={"giver": SAM["id"]}, ask=("minutes", "note"))
    assert labels(attended(), row) == ["Give Sam hours from the common pot for Thu 19 Nov 12:30"]


def test_who_gave_confirms_what_comes_from_the_pot():
    node = attended()
    node.lists["receipts"] = [receipt(author=SAM)]
    assert waiting_card(node, 65, "confirm")[0] == "Confirm the receipt: 1 h 30 min"
    (first,) = steps_of(node, step_row("confirm", 65, awaited=True))
    said = "You gave 1 h 30 min on Thu 19 Nov; they come from the common pot once you confirm."
    assert first.words.meaning == said
    assert (first.kind, first.about, first.waits) == ("confirm", ident(65), True)


@pytest.mark.parametrize("words", NAMED.values(), ids=NAMED)
def test_whatever_somebody_writes_is_harmless(words):
    node = lunch(MARIA)
    (root,) = node.lists["activities"]
    root |= {"title": words, "text": words, "area": words, "repeats": words, "roles": {words: 2}}
    root["occurrences"][0]["roles"][0]["role"] = words
    thread = case(node, coming(DAY, words))
    told = thread_story(thread, READER).plain
    face = face_of("activity")
    cards = [face.card(thread.root, READER), face.mixed_card(thread.root, READER)]
    told += "".join(act.words.label for act in thread_steps(thread, READER))

    assert safe_text(told) == told
    assert all(safe_text(one.content().plain) == one.content().plain for one in cards)


@on_screen(node=lunch)
async def test_it_is_on_the_board_and_today_and_signed_up_for_from_its_thread(pilot, node):
    await shows(pilot, "Needs your answer (2)", "Activity · Sam")
    await pilot.press("2")
    await shows(pilot, "Activities (1)", "Lunch at the hall", "Sam · Thu 26 Nov 12:30")
    await enter_list(pilot, "#activities")
    await pilot.press("down", "enter")
    await shows(pilot, "Sam organises this", "every week", "cook (1/1): Maria", "waiting: you")
    await shows(pilot, "Come as cook on Thu 3 Dec 12:30")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter", "f2")
    await until(pilot, lambda: node.posted)
    (posted,) = node.posted
    assert (posted["kind"], posted["about"]) == ("signup", ident(60))
    assert posted["fields"] == {"role": "cook", "on": "2026-12-03"}


@on_screen(node=lunch)
async def test_cursor_is_on_no_withdrawal_after_somebody_has_signed_up(pilot, node):
    await shows(pilot, "Needs your answer (2)", "Activity · Sam")
    pilot.app.push_screen(ThreadScreen(pilot.app.node, ident(60)))
    await shows(pilot, "Come as cook on Thu 3 Dec 12:30")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter", "f2")
    await until(pilot, lambda: node.posted)
    withdrawal = step_row("close", 62, given={"as_state": "withdrawn"}, ask=("why",))
    node.steps = [withdrawal, step_row("flag", 60, ask=("reason",))]
    node.tell()
    await shows(pilot, "Withdraw from Thu 26 Nov 12:30")
    await until(pilot, lambda: "Come as cook" not in picture(pilot.app))

    assert pilot.app.focused.highlighted is None
    await pilot.press("down")
    assert pilot.app.focused.highlighted == 0


@on_screen(node=FakeNode)
async def test_something_is_planned_with_roles_as_people_write_them(pilot, node):
    await shows(pilot, "You are all caught up.")
    pilot.app.push_screen(
        PostFormScreen(pilot.app.node, NextStep("activity", None, StepWords("Plan")))
    )
    await shows(pilot, "Title *", "Roles")
    rows = {row.field_name: row._input for row in pilot.app.screen.query_one(Form).rows}
    assert not {"offset", "held"} & set(rows)
    for name, text in (("title", "Walk"), ("starts", "2026-12-01 10:00"), ("roles", "guide")):
        rows[name].value = text
    await pilot.press("f2")
    await shows(pilot, "This must be written like cook=2.")
    rows["roles"].value = "guide=1, walkers = 8"
    await pilot.press("f2")
    await until(pilot, lambda: node.posted)
    assert node.posted[0]["fields"] == {
        "title": "Walk", "starts": "2026-12-01T10:00", "roles": ["guide=1", "walkers = 8"],
    }  # fmt: skip
