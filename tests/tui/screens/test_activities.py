"""Activities on the screen: a person who waits is told why, and each possible act needs only one
key.
"""

import copy

import pytest

from protocol.display_text import safe_text
from tests.support.fake_lunch import DAY, PAST, attended, lunch, organised
from tests.support.fake_node import ADA, MARIA, NOW, FakeNode, ident, on_screen, shows, until, view
from tests.support.hostile_text import NAMED
from tui.kinds import activities
from tui.kinds import activity_steps as taking_part
from tui.kinds.next_steps import NextStep
from tui.kinds.thread_data import ThreadData
from tui.screens.post_form import PostFormScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.form import Form

TODAY = NOW.date()
POT = {"id": ident(0), "name": "the common pot"}


def case(node):
    (root,) = node.lists["activities"]
    answers = [*node.lists["signups"], *node.lists["attendances"]]
    paid = [one for one in node.lists["receipts"] if one["about"] == ident(64)]
    return ThreadData(root, [], paid, [], answers)


def labels(node, me=ADA):
    return [act.label for act in taking_part.activity_steps_for(case(node), me["id"], TODAY)]


def waiting(node):
    lists = (copy.deepcopy(node.lists[name]) for name in ("activities", "signups", "receipts"))
    return [
        (one.title, one.detail)
        for one in taking_part.waiting_activity_cards(*lists, ADA["id"], TODAY)
    ]


def receipt(**more):
    return view(
        65, "receipt", more.pop("author", ADA), ident(64), "proposed",
        giver=ADA, receiver=POT, minutes=90, on=PAST, **more,
    )  # fmt: skip


def test_who_waits_is_told_who_has_the_last_place():
    node = lunch()
    when = "Thu 26 Nov 12:30"
    title = "You are on the waiting list for Lunch at the hall"
    assert waiting(node) == [
        (title, f"{when}: the last place went to Maria, who signed up before you")
    ]
    node.lists["signups"][0]["accepted"] = True
    assert waiting(node) == [
        (title, f"{when}: the last place went to Maria; Sam had said yes to them")
    ]


def test_one_comes_in_a_role_that_there_is_or_waits():
    node = lunch()
    assert labels(node) == [
        "Come as cook on Thu 3 Dec 12:30",
        "Come as server on Thu 3 Dec 12:30",
        "Withdraw from Thu 26 Nov 12:30",
    ]
    node.lists["signups"].pop()
    assert labels(node) == [
        "Wait for a place as cook on Thu 26 Nov 12:30",
        "Come as server on Thu 26 Nov 12:30",
    ]
    come = taking_part.activity_steps_for(case(node), ADA["id"], TODAY)[1]
    assert (come.kind, come.about, come.fixed) == ("signup", ident(60), {"role": "server"})
    assert come.given == {"on": DAY}


def test_the_organiser_writes_down_who_came_and_says_yes():
    node = organised()
    found = taking_part.activity_steps_for(case(node), ADA["id"], TODAY)
    assert found[0].label == "Write down who came on Thu 19 Nov 12:30"
    assert (found[0].waits, found[0].fixed) == (True, {"on": PAST})
    assert waiting(node)[0] == ("Write down who came to Lunch at the hall", "Thu 19 Nov 12:30")
    told = [act.label for act in found]
    assert "Say yes to Maria as cook on Thu 26 Nov 12:30" in told
    assert told[-1].startswith("Withdraw")
    assert "Cancel this" in told


def test_the_organiser_gives_hours_from_the_pot_to_others_once():
    node = attended()
    give = "Give Sam hours from the common pot for Thu 19 Nov 12:30"
    assert labels(node).count(give) == 1
    assert not any("Write down" in one for one in labels(node))
    sam = node.lists["attendances"][0]["people"][0]
    node.lists["receipts"] = [{**receipt(), "giver": sam}]
    assert give not in labels(node)
    node.lists["receipts"][0]["state"] = "disputed"
    assert give in labels(node)


def test_who_gave_confirms_what_comes_from_the_pot():
    node = lunch()
    sam = node.lists["activities"][0]["author"]
    node.lists["receipts"] = [receipt(author=sam)]
    said = "You gave 1 h 30 min on Thu 19 Nov; they come from the common pot once you confirm."
    assert ("Confirm the receipt: 1 h 30 min", said) in waiting(node)
    first = taking_part.activity_steps_for(case(node), ADA["id"], TODAY)[0]
    assert (first.kind, first.about, first.waits) == ("confirm", ident(65), True)


def test_nothing_is_offered_for_what_is_cancelled():
    node = lunch()
    node.lists["activities"][0] |= {"state": "cancelled"}
    node.lists["signups"].pop()
    assert labels(node) == []


@pytest.mark.parametrize("words", NAMED.values(), ids=NAMED)
def test_whatever_somebody_writes_is_harmless(words):
    node = lunch(MARIA)
    (root,) = node.lists["activities"]
    root |= {"title": words, "text": words, "area": words, "repeats": words, "roles": {words: 2}}
    root["occurrences"][0]["roles"][0]["role"] = words
    told = activities.activity_story(case(node), TODAY, ADA["id"]).plain
    cards = [
        activities.activity_card(root, TODAY, ADA["id"]),
        activities.board_card(root, TODAY, ADA["id"]),
    ]
    lists = (node.lists[name] for name in ("activities", "signups", "receipts"))
    cards += taking_part.waiting_activity_cards(*lists, ADA["id"], TODAY)

    assert safe_text(told) == told
    assert all(safe_text(one.content().plain) == one.content().plain for one in cards)


@on_screen(node=lunch)
async def test_it_is_on_the_board_and_today_and_signed_up_for_from_its_thread(pilot, node):
    await shows(pilot, "You are on the waiting list for Lunch", "Activity · Sam")
    await pilot.press("2")
    await shows(pilot, "Activities (1)", "Lunch at the hall", "Sam · Thu 26 Nov 12:30")
    feed = pilot.app.screen.query_one("#activities", Feed)
    feed.cards.focus()
    await pilot.press("down", "enter")
    await shows(pilot, "Sam organises this", "every week", "cook (1/1): Maria", "waiting: you")
    await shows(pilot, "Come as cook on Thu 3 Dec 12:30")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter", "f2")
    await until(pilot, lambda: node.posted)
    (posted,) = node.posted
    assert (posted["kind"], posted["about"]) == ("signup", ident(60))
    assert posted["fields"] == {"role": "cook", "on": "2026-12-03"}


@on_screen(node=FakeNode)
async def test_something_is_planned_with_roles_as_people_write_them(pilot, node):
    await shows(pilot, "You are all caught up.")
    pilot.app.push_screen(PostFormScreen(pilot.app.node, NextStep("activity", None, "Plan")))
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
