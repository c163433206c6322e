"""Services: what the screen shows, and what it asks the node for."""

from datetime import date

import pytest
from textual.widgets import TabbedContent

import protocol.kinds as _kinds  # noqa: F401  # registers them
from protocol.fold.kind import KINDS
from tests.support.fake_node import ADA, SAM, FakeNode, ident, on_screen, picture, shows, until
from tests.support.fake_services import (
    BINS,
    CONTRACTOR,
    COUNCIL,
    LIGHTS,
    MEALS,
    SUB,
    SWINGS,
    link,
    measure,
    points,
    served,
    service,
    signal,
)
from tui.format import labels
from tui.kinds import feedback as reports
from tui.kinds import matters, measures, services
from tui.screens.home import HomeScreen
from tui.screens.measure_page import MeasureScreen
from tui.screens.service_page import ServiceScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.inputs import TextBox

TODAY = date(2026, 11, 23)


async def to_services(pilot):
    await shows(pilot, "Needs your answer")
    await pilot.press("4")
    await shows(pilot, "Services (4)", "What needs me (4)", "What happened with my reports (2)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def opens(pilot, feed, label, *texts):
    """Opens the card with this label in the list `feed`. Waits until the screen shows `texts`."""
    cards = pilot.app.screen.query_one(feed, Feed).cards
    await until(pilot, lambda: any(label in str(one.prompt) for one in cards.options))
    cards.focus()
    cards.highlighted = next(n for n, one in enumerate(cards.options) if label in str(one.prompt))
    await pilot.press("enter")
    await shows(pilot, *texts)


async def fills(pilot, label, *texts, **values):
    """Opens the form of the act with this label and fills the form in. Returns the names of its
    fields.
    """
    await opens(pilot, "#steps", label, *texts)
    await until(pilot, lambda: pilot.app.screen.query("Form"))
    rows = {row.field_name: row for row in pilot.app.screen.query_one("Form").rows}
    for name, value in values.items():
        field = rows[name]._input
        setattr(field, "text" if isinstance(field, TextBox) else "value", value)
    return list(rows)


async def posted(pilot, node):
    await until(pilot, lambda: pilot.app.screen.query("#post"))
    await pilot.press("f2")
    await until(pilot, lambda: node.posted)
    await until(pilot, lambda: not pilot.app.screen.query("#post"))
    return node.posted.pop()


async def home(pilot):
    while not isinstance(pilot.app.screen, HomeScreen):
        await pilot.press("escape")
        await pilot.pause(0.01)


@on_screen(node=served, size=(110, 40))
async def test_the_tab_shows_who_holds_what_and_what_needs_me(pilot, node):
    await to_services(pilot)
    assert pilot.app.screen.query_one(TabbedContent).active == "services"
    await shows(pilot, "! Bin collection", "a matter is open · Contractor holds it")
    await shows(pilot, "offered to Sub, not accepted", "You hold it", "offered to you, not accept")
    await shows(
        pilot, "Answer by Tue 24 Nov 09:00", "Maria asks you to take on", "Did it help? A sec"
    )
    await shows(pilot, "Nobody responsible fixed this", "Maria answered: Thank you!")
    await shows(pilot, "Were bins missed? it happened", "open · A second lorry · It is less")


@on_screen(node=FakeNode)
async def test_empty_lists_say_what_to_press(pilot, node):
    await shows(pilot, "Rushey Lane · Ada")
    await pilot.press("4")
    await shows(pilot, "No service is described yet. Press n", "You have reported nothing yet.")


@on_screen(node=served)
async def test_today_has_what_needs_me_and_leads_there(pilot, node):
    await shows(pilot, "Needs your answer (6)")
    await opens(
        pilot, "#waits", "Maria asks you to take on", "City kitchen provides it; Maria answers"
    )
    assert isinstance(pilot.app.screen, ServiceScreen)
    await home(pilot)
    await opens(pilot, "#waits", "Did it help?", "! Worse than usual and short of the target.")
    assert isinstance(pilot.app.screen, MeasureScreen)


@on_screen(node=served)
async def test_a_chain_is_a_tree_of_what_both_ends_signed(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Bin collection", "Council answers for it")
    await shows(pilot, "├─ Contractor: All of it · accepted, since Mon 3 Aug", "◄ holds it now")
    await shows(pilot, "│  └─ Sub: The south side · offered, not accepted")
    await shows(pilot, "└─ Sam: All of it · ended", "! Worse than usual and short of the target.")
    await fills(pilot, "Say something", "Everybody in the neighbourhood can read it", text="Loud.")
    fields = {"text": "Loud."}
    assert await posted(pilot, node) == {"kind": "feedback", "about": ident(BINS), "fields": fields}
    named = await fills(
        pilot, "Add a regular question", "once neighbours vote for it", question="On time?"
    )
    assert named == [
        "question",
        "scale",
        "better",
        "target",
        "share",
        "window",
        "min_answers",
        "who",
    ]
    form = pilot.app.screen.query_one("Form").rows
    form[1]._input.value, form[3]._input.value = "minutes", "30"
    fields = {"question": "On time?", "scale": "minutes", "target": "30"}
    assert await posted(pilot, node) == {"kind": "measure", "about": ident(BINS), "fields": fields}


@on_screen(node=served)
async def test_what_is_offered_to_me_is_accepted_or_declined(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#needs", "Maria asks you to take on", "You: Bringing them round · offered")
    await opens(pilot, "#steps", "Accept what Maria", "By accepting, you")
    accept = {"kind": "accept", "about": ident(221), "fields": {}}
    assert await posted(pilot, node) == accept
    await fills(pilot, "Decline it: Bringing")
    close = {"kind": "close", "about": ident(221), "fields": {"as_state": "declined"}}
    assert await posted(pilot, node) == close


@on_screen(node=served)
async def test_who_answers_for_a_service_hands_it_on(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Stair lights", "You answer for it", "◄ holds it now")
    await fills(
        pilot, "Ask somebody to do a part", "until they accept", to=SAM["id"], title="The bulbs"
    )
    fields = {"to": SAM["id"], "title": "The bulbs"}
    assert await posted(pilot, node) == {"kind": "link", "about": ident(LIGHTS), "fields": fields}
    await fills(pilot, "End this service")
    close = {"kind": "close", "about": ident(LIGHTS), "fields": {"as_state": "ended"}}
    assert await posted(pilot, node) == close


@on_screen(node=served)
async def test_a_measure_has_its_chart_its_sentence_and_its_matter(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Bin collection", "How it goes (1)")
    await opens(pilot, "#measures", "Were bins missed?", "! Worse than usual and short")
    await shows(
        pilot, "X worse: one point", "- usual 1.5", ". target 2", "_ stands out from here on"
    )
    await shows(pilot, "─ ─ a gap: too few answered", "9 of 41 have answered so far in this week.")
    words = str(pilot.app.screen.query_one("#story-text").content)
    assert "Apart from that, those who provide it say: 1 report." in words
    assert "Held by Contractor since Sat 21 Nov 09:00, already answered" in words
    assert "Raised by 6 people, you among them" in words
    provider, people = (
        words.index("The person doing it says: done on"),
        words.index("People say: partly 1"),
    )
    assert "\n" in words[provider:people]
    assert "7 in 1 week, then 1 in 1 week. It is less than before; that could" in words
    await fills(pilot, "Say whether it helped: A second", "Your latest answer counts", fixed="no")
    verdict = {"kind": "verdict", "about": ident(216), "fields": {"fixed": "no"}}
    assert await posted(pilot, node) == verdict
    await fills(pilot, "Take this on", "within four weeks", what="I sweep the lane")
    fields = {"what": "I sweep the lane", "due": "2026-12-07"}
    assert await posted(pilot, node) == {"kind": "action", "about": ident(210), "fields": fields}
    await fills(pilot, "Report: Were bins missed?", "that all is well", value="0")
    feedback = {"kind": "feedback", "about": ident(210), "fields": {"value": "0"}}
    assert await posted(pilot, node) == feedback
    await fills(pilot, "Propose to stop asking")
    title = {"title": "Stop asking: Were bins missed?", "change": f"retire {ident(210)}"}
    assert await posted(pilot, node) == {"kind": "proposal", "fields": title}


@on_screen(node=served)
async def test_an_answer_says_whose_it_is(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Bin collection", "How it goes (1)")
    await opens(pilot, "#measures", "Were bins missed?", "! Worse than usual")
    rows = {"text": "Ask them.", "reason": "not_ours", "to": ident(201)}
    assert await fills(pilot, "Reply to everybody", **rows) == ["text", "reason", "to"]
    assert await posted(pilot, node) == {"kind": "answer", "about": ident(210), "fields": rows}


@on_screen(node=served)
async def test_two_reports_are_one(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Bin collection", "How it goes (1)")
    await opens(
        pilot, "#steps", "Read the 3 things", "What people said (3)", "Not shown until a few"
    )
    cards = pilot.app.screen.query_one("#reports", Feed).cards
    await until(pilot, lambda: pilot.app.focused is cards)
    cards.highlighted = cards.get_option_index(ident(212))
    await shows(pilot, "Reply to Sam")
    await pilot.press("enter")
    await fills(pilot, "This is the same as", "Both stay, but count as one.", other=ident(211))
    same = {"kind": "same_as", "about": ident(212), "fields": {"other": ident(211)}}
    assert await posted(pilot, node) == same
    await fills(pilot, "Reply to Sam", text="Sorry.")
    answer = {"kind": "answer", "about": ident(212), "fields": {"text": "Sorry."}}
    assert await posted(pilot, node) == answer


@on_screen(node=served)
async def test_what_nobody_put_right_comes_to_everybody(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#needs", "Nobody responsible", "Ask everybody to decide what happens")
    await fills(pilot, "Ask everybody to decide what")
    fields = {
        "title": "What shall become of The playground?",
        "text": "Nobody in its chain has put this right.",
    }
    assert await posted(pilot, node) == {"kind": "proposal", "fields": fields}


@on_screen(node=served)
async def test_a_question_is_proposed_for_use(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Meals at home", "How it goes (2)")
    await opens(pilot, "#measures", "Is it enough?", "it starts once neighbours vote for it")
    assert "Answer: " not in picture(pilot.app)
    await fills(pilot, "Propose to ask everybody", "All current voters decide.")
    fields = {"title": "Ask: Is it enough?", "change": f"adopt {ident(231)}"}
    assert await posted(pilot, node) == {"kind": "proposal", "fields": fields}


@on_screen(node=served)
async def test_search_leads_to_the_page_of_a_service(pilot, node):
    await shows(pilot, "Needs your answer")
    await pilot.press("slash")
    await until(pilot, lambda: pilot.app.focused is not None)
    await pilot.press(*"playground")
    await shows(pilot, "Found (1)")
    await opens(pilot, "#results", "The playground")
    await shows(pilot, "Council answers for it")
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


# -- what is worth a button -----------------------------------------------------------------------


def step_labels(found):
    return [act.label for act in found]


def chained():
    first = link(201, COUNCIL, CONTRACTOR, BINS, "All of it")
    second = link(202, CONTRACTOR, SUB, 201, "The south side", "offered", depth=2)
    return service(BINS, COUNCIL, "Bins", CONTRACTOR, links=[first, second], chain=[201])


def test_each_end_of_a_link_has_its_own_acts():
    view = chained()
    assert {"End it: All of it", "Pass it to somebody else: All of it"} <= set(
        step_labels(services.service_steps(view, [], COUNCIL["id"]))
    )
    found = step_labels(services.service_steps(view, [], CONTRACTOR["id"]))
    assert "Ask somebody to do a part of: All of it" in found
    assert "Take back your offer: The south side" in found
    assert "Ask somebody to do a part of it" not in found
    assert step_labels(services.service_steps(view, [], SAM["id"])) == [
        "Say something about it",
        "Add a regular question for everybody",
    ]
    assert services.service_steps({**view, "state": "ended"}, [], COUNCIL["id"]) == []


def test_a_takeover_names_the_link_and_stands_beside_it():
    acts = services.service_steps(chained(), [], CONTRACTOR["id"])
    (act,) = [one for one in acts if one.fixed.get("instead")]
    assert (act.about, act.fixed) == (ident(BINS), {"instead": ident(201)})
    assert {CONTRACTOR["id"]} <= act.without


def test_who_holds_a_part_merges_nothing_and_a_reporter_can_object():
    node = served()
    view, first = node.lists["measures"][0], node.lists["services"][0]
    mine, sams, hidden, _words = node.lists["feedback"]

    def kinds(one, me):
        found = reports.report_steps_for(one, node.lists["feedback"], view, first, me, TODAY)
        return [act.kind for act in found]

    assert kinds(sams, COUNCIL["id"]) == ["answer"]
    assert kinds(mine, ADA["id"]) == ["answer", "same_as", "not_same"]
    assert kinds(hidden, ADA["id"]) == []
    mine["on"] = "2026-10-01"
    assert kinds(mine, ADA["id"]) == ["answer"]


def test_a_verdict_is_asked_once_and_of_who_raised_it():
    node = served()
    (action,) = node.lists["actions"]

    def asked(me, **more):
        cards = matters.waiting_matter_cards(
            [], node.lists["matters"], [{**action, **more}], me, TODAY
        )
        return [one.title for one in cards if "A second lorry" in one.title]

    assert asked(ADA["id"]) == ["Did it help? A second lorry"]
    assert asked(ADA["id"], i_said="partly") == []
    assert asked(ADA["id"], i_raised_it=False) == []
    assert asked(CONTRACTOR["id"], state="open") == ["You do this by Wed 25 Nov: A second lorry"]
    assert asked(CONTRACTOR["id"], state="overdue")[0].startswith("This was due by")
    assert asked(CONTRACTOR["id"], state="reopened")[0].startswith("People say it is not fixed")


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        ("yes_no", ["1", "0"]),
        ("one_to_five", list("12345")),
        ("count", ["1", "0"]),
        ("minutes", []),
    ],
)
def test_a_scale_has_its_own_answers(scale, values):
    (act,) = measures.report_steps(measure(1, MEALS, "?", scale, 1, ""))
    assert [value for _label, value in act.choices.get("value", ())] == values


def test_each_part_of_the_test_has_its_own_mark():
    marks = {"w1": "X", "w4": "4", "r8": "8"}
    for by, mark in marks.items():
        view = measure(1, MEALS, "?", "count", 1, "", points=points((2,)), signals=[signal(0, by)])
        assert f" {mark} " in measures.draw_measure(view, 76, 8, TODAY).plain
    view["signals"] = [signal(0, None, short=True, change=None)]
    assert "s missed the target" in measures.draw_measure(view, 76, 8, TODAY).plain
    view["signals"] = [signal(0, "w1", change="better")]
    assert "* better" in measures.draw_measure(view, 76, 8, TODAY).plain


def test_promises_are_told():
    def told(scale, target, **more):
        return measures.target_sentence(measure(1, SWINGS, "?", scale, target, "", **more))

    assert told("count", 2) == "At most 2 a week."
    assert told("count", 2, window=30) == "At most 2 in 30 days."
    assert told("yes_no", 1) == "In 1 week, 80 % of the answers should be: yes."
    assert "at least 4 of 5" in told("one_to_five", 4)
    assert "at most 1 h 30 min" in told("minutes", 90, better="lower")


def test_hidden_words_are_told_as_hidden():
    node = served()
    first, asked = node.lists["services"][0], node.lists["measures"][0]
    for one in (first, *first["links"], *first["measures"], asked):
        one.update({name: None for name in ("title", "question", "text") if name in one})
    assert "hidden words" in services.service_story(first, [], TODAY, None).plain
    assert step_labels(measures.report_steps(asked)) == ["Report: hidden words"]
    assert services.service_card(first, None).title.startswith("! ")


def test_every_kind_of_the_loop_has_its_words():
    for kind in ("service", "link", "measure", "feedback", "answer", "action", "done", "verdict"):
        assert kind in labels.HISTORY_SENTENCES
        assert kind in labels.SUBMIT_LABELS
        assert KINDS[kind].name == kind


def test_a_matter_that_is_open_already_is_told_before_its_week_is_over():
    told = measures.standing_sentence(
        measure(1, MEALS, "?", "count", 1, "Too few.", matter=ident(2))
    )
    assert told == "! A matter is open. Too few."
