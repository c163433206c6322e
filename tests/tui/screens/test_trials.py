"""Trials on the screen: what they show, and what can be decided about them."""

import pytest

from tests.support.fake_node import (
    ADA,
    CLOCK,
    ident,
    on_screen,
    shows,
    step_row,
    until,
    view,
    waiting_row,
)
from tests.support.fake_services import BINS, measure, served
from tui.kinds.face import face_of
from tui.kinds.services import trials
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown
from tui.screens.service_page import ServiceScreen, page_for_card
from tui.screens.trial_page import TrialScreen
from tui.widgets.feed import Feed

READER = Reader(ADA["id"], CLOCK)
QUESTION = measure(210, BINS, "Were bins missed?", "count", 2, "as_usual")
RESULT = {
    "finding": "trial_better",
    "windows_before": 8,
    "windows_during": 8,
    "before": {"n": 8, "bad": 21},
    "during": {"n": 8, "bad": 9},
    "better": "1/12870",
    "worse": "1/1",
    "elsewhere": None,
    "measures": [],
}


def trial(state="proposed", **more):
    says = {"code": "trial_is_short", "arguments": {"percent": 31, "before": 4, "during": 4}}
    fields = {
        "what": "Empty them twice a week",
        "expect": "Fewer are full",
        "measures": [ident(210)],
        "starts": "2026-12-07",
        "ends": "2027-01-03",
        "where": None,
        "idea": None,
        "says": says,
        "settles": "2027-01-07T00:00:00.000Z",
        "harm": [],
        "result": None,
        **more,
    }
    return view(320, "trial", ADA, ident(BINS), state, **fields)


def story(shown):
    return trials.trial_story(Shown(shown), [Shown(QUESTION)], READER).plain


def labels_of(shown):
    return [step.words.label for step in trials.steps_of_trial(Shown(shown))]


def test_a_proposed_trial_says_what_it_can_show_and_that_it_is_short():
    text = story(trial())

    assert "What we expect: Fewer are full" in text
    assert "Decided by: Were bins missed?" in text
    assert "This trial is short: 4 windows before and 4 during it; 8 and 8 are wanted." in text
    assert "in 31 of 100 cases" in text
    assert labels_of(trial()) == ["Ask everybody to start it"]


def test_a_trial_that_ended_says_what_it_shows_and_asks_what_follows():
    text = story(trial("ended", result=RESULT))

    assert "Before: 21 in 8 weeks. During it: 9 in 8 weeks. It was better" in text
    assert labels_of(trial("ended", result=RESULT)) == [
        "Ask everybody to keep it",
        "Ask everybody to change it and try again",
        "Ask everybody to give it up",
    ]
    assert "The last answers are in on" in story(trial("ended"))
    assert labels_of(trial("ended")) == []


def test_only_harm_offers_to_stop_a_trial():
    assert labels_of(trial("running")) == []
    assert "does harm" in labels_of(trial("running", harm=[ident(400)]))[0]
    assert "! It does harm" in story(trial("running", harm=[ident(400)]))


def test_a_trial_is_compared_with_where_nothing_was_tried():
    elsewhere = {**RESULT, "finding": "trial_unclear", "during": {"n": 8, "bad": 20}}
    text = story(trial("ended", result={**RESULT, "elsewhere": elsewhere}))

    assert "Where nothing was tried: Before: 21 in 8 weeks. During it: 20 in 8 weeks." in text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "It begins: Trial by Ada: “Empty them twice a week”"),
        ("adapted", "We change it and try it again"),
    ],
)
def test_a_decision_says_what_becomes_of_a_trial(value, words):
    concerns = {**trial(), "title": "Empty them twice a week"}
    n = 1 if value is None else 2
    decision = view(
        330, "proposal", ADA, title="Try it", text=None, change=["trial", ident(320), n, value],
        concerns=concerns, closes=None, voted={"yes": [], "no": []}, needed=2, voters=3, roll=3,
    )  # fmt: skip
    thread = ThreadData(Shown(decision), [Shown(decision)])

    assert words in face_of("proposal").story(thread, READER).plain


def with_a_trial():
    node = served()
    node.lists["trials"] = [trial()]
    node.steps.append(step_row("trial", BINS, ask=trials.FORM_FIELDS, among=[ident(210)]))
    row = waiting_row(trial(), "proposal", thread=ident(BINS), title="Empty them twice a week")
    node.lists["waiting"].append({**row, "step": {"kind": "proposal", "about": None}})
    return node


def test_today_shows_a_trial_that_waits_for_its_author():
    row = {**trial(), "step": {"kind": "proposal", "about": None}, "title": "Empty them twice"}
    card = face_of("trial").waiting_card(Shown(row), READER)

    assert card.title == "Your trial waits for a decision: Empty them twice a week"


@on_screen(node=with_a_trial)
async def test_the_page_of_a_service_leads_to_its_trials(pilot, node):
    await shows(pilot, "Needs your answer")
    await pilot.app.push_screen(ServiceScreen(pilot.app.node, ident(BINS)))
    await shows(pilot, "What is tried (1)", "Empty them twice a week", "Try something new")
    page = page_for_card(pilot.app.node, f"trial:{ident(320)}:")
    assert isinstance(page, TrialScreen)
    await pilot.app.push_screen(page)
    await shows(pilot, "What we expect: Fewer are full", "Ask everybody to start it")
    steps = pilot.app.screen.query_one("#steps", Feed).cards
    steps.focus()
    await until(pilot, lambda: steps.highlighted is not None)
    await pilot.press("enter")
    await shows(pilot, "All members can vote.")
    await until(pilot, lambda: pilot.app.screen.query("#post"))
    await pilot.press("f2")
    await until(pilot, lambda: node.posted)
    assert node.posted[-1]["fields"]["change"] == f"trial {ident(320)} start"
