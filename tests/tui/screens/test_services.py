"""Services: what the screen shows, and what it asks the node for."""

import pytest
from textual.widgets import TabbedContent

from protocol.fold.registry import KINDS, load_kinds
from tests.support.fake_node import (
    ADA,
    CLOCK,
    MARIA,
    SAM,
    FakeNode,
    ident,
    on_screen,
    picture,
    shows,
    step_row,
    until,
    view,
    waiting_row,
)
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
from tui.kinds.face import face_of, load_faces
from tui.kinds.services import chains, measures, rehearsals
from tui.kinds.services.service_face import (
    steps_on_measure,
    steps_on_report,
    steps_on_service,
    with_shown_loops,
)
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown
from tui.screens.home import HomeScreen
from tui.screens.measure_page import MeasureScreen
from tui.screens.service_page import ServiceScreen
from tui.screens.thread_page import ThreadScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.inputs import TextBox

load_kinds()
load_faces()


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
    assert "Held by Contractor since Sat 21 Nov 09:00, reported done" in words
    assert "Raised by 6 people, you among them" in words
    provider, people = (
        words.index("The person doing it says: done on"),
        words.index("People say: partly 1"),
    )
    assert "\n" in words[provider:people]
    assert "7 in 1 week, then 1 in 1 week. It is less than before; that could" in words
    await opens(pilot, "#steps", "Say whether it helped: A second lorry · no", "Your latest answer")
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
    assert await fills(pilot, "Reply to everybody", **rows) == ["text", "reason", "until", "to"]
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
    cards.highlighted = cards.get_option_index(ident(211))
    await shows(pilot, "This is the same as")
    await pilot.press("enter")
    await fills(pilot, "This is the same as", "count as one incident.", other=ident(212))
    same = {"kind": "same_as", "about": ident(211), "fields": {"other": ident(212)}}
    assert await posted(pilot, node) == same


@on_screen(node=served)
async def test_what_nobody_put_right_comes_to_everybody(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#needs", "Nobody responsible", "Ask everybody to decide what happens")
    await fills(pilot, "Ask everybody to decide what")
    fields = {
        "title": "What shall become of The playground?",
        "text": "Nobody in its chain has put this right: How long was the swing broken?",
    }
    assert await posted(pilot, node) == {"kind": "proposal", "fields": fields}


@on_screen(node=served)
async def test_a_question_is_proposed_for_use(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Meals at home", "How it goes (2)")
    await opens(pilot, "#measures", "Is it enough?", "it starts once neighbours vote for it")
    assert "Answer: " not in picture(pilot.app)
    await fills(pilot, "Propose to ask everybody", "All members can vote.")
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


def reader(person=ADA):
    return Reader(person["id"], CLOCK)


def thread_of(root, rows, *more):
    views = [Shown(view) for view in (root, *root.get("links", ()), *more)]
    return ThreadData(Shown(root), views, [], [Shown(row) for row in rows])


def chained():
    first = link(201, COUNCIL, CONTRACTOR, BINS, "All of it")
    second = link(202, CONTRACTOR, SUB, 201, "The south side", "offered", depth=2)
    return service(BINS, COUNCIL, "Bins", CONTRACTOR, links=[first, second], chain=[201])


def test_each_step_on_a_link_has_its_own_words():
    rows = [
        step_row("link", ident(201), ask=["to", "title", "text"]),
        step_row("link", ident(BINS), given={"instead": ident(201)}, among=[ADA["id"]]),
        step_row("close", ident(201), given={"as_state": "ended"}),
        step_row("close", ident(202), given={"as_state": "withdrawn"}),
        step_row("accept", ident(202), awaited=True),
    ]
    thread = thread_of(chained(), rows)
    steps = steps_on_service(thread, reader(CONTRACTOR))
    assert [step.words.label for step in steps] == [
        "Accept what Contractor asks of you: The south side",
        "Ask somebody to do a part of: All of it",
        "Pass it to somebody else: All of it",
        "End it: All of it",
        "Take back your offer: The south side",
    ]
    takeover = steps[2]
    assert (takeover.about, takeover.fixed) == (ident(BINS), {"instead": ident(201)})
    assert takeover.given == {"title": "All of it"}
    assert takeover.among == {ADA["id"]}


def test_what_the_node_does_not_offer_has_no_button():
    assert steps_on_service(thread_of(chained(), []), reader(SAM)) == []


def test_reports_are_merged_with_those_that_the_node_names():
    node = served()
    root = node.lists["services"][0]
    thread = thread_of(root, node.steps)
    reports = [Shown(report) for report in node.lists["feedback"]]
    measure_views = [Shown(view) for view in node.lists["measures"]]
    thread = with_shown_loops(thread, [*measure_views, *reports])
    mine, sams, hidden, _words = reports

    def kinds(report):
        return [step.kind for step in steps_on_report(report, thread, reader())]

    assert kinds(mine) == ["answer", "same_as", "same_as"]
    assert kinds(sams) == ["answer"]
    assert kinds(hidden) == []
    (_answer, same, undo) = steps_on_report(mine, thread, reader())
    assert same.words.choices["other"] == (("it happened · Ours as well. · Sam", ident(212)),)
    assert undo.words.label == "After all, this is another incident"


def test_the_form_of_a_report_asks_whether_it_is_one_of_the_latest():
    node = served()
    thread = thread_of(node.lists["services"][0], node.steps)
    views = [Shown(view) for view in (*node.lists["measures"], *node.lists["feedback"])]
    steps = steps_on_service(with_shown_loops(thread, views), reader())
    (step,) = [step for step in steps if (step.kind, step.about) == ("feedback", ident(210))]
    offered = {record_id: label for label, record_id in step.words.choices["same_as"]}
    assert offered.keys() == {ident(212), ident(213)}  # not the reader's own
    assert "Ours as well." in offered[ident(212)]
    assert "same_as" in step.extra


def test_a_merge_without_another_report_has_no_button():
    node = served()
    mine = node.lists["feedback"][0]
    rows = [step_row("same_as", mine["id"], ask=["other"], among=[])]
    thread = thread_of(node.lists["services"][0], rows, mine)
    assert steps_on_report(Shown(mine), thread, reader()) == []


def test_a_verdict_is_asked_of_who_raised_it():
    node = served()
    (action,) = node.lists["actions"]
    asked = Shown(node.lists["measures"][0])
    matter = Shown(node.lists["matters"][0])
    rows = [step_row("verdict", action["id"], ask=["text"], given={"fixed": "no"})]

    def labels_of(**more):
        thread = thread_of(node.lists["services"][0], rows, {**action, **more})
        steps = steps_on_measure(asked, [matter], thread, reader())
        return [step.words.label for step in steps if step.kind == "verdict"]

    assert labels_of() == ["Say whether it helped: A second lorry · no"]
    assert labels_of(i_raised_it=False) == []


def test_nobody_takes_up_an_action_while_no_matter_is_open():
    node = served()
    asked = node.lists["measures"][0]
    rows = [step_row("action", asked["id"], ask=["what", "due"])]
    thread = thread_of(node.lists["services"][0], rows, asked)

    def kinds(matters):
        return [step.kind for step in steps_on_measure(Shown(asked), matters, thread, reader())]

    assert kinds([]) == ["proposal", "rehearsal"]
    assert kinds([Shown(node.lists["matters"][1])]) == ["action", "proposal", "rehearsal"]


def test_an_action_is_reported_done_while_people_expect_it():
    node = served()
    (action,) = node.lists["actions"]
    rows = [step_row("done", action["id"], ask=["text"])]

    def has_button(state):
        thread = thread_of(node.lists["services"][0], rows, {**action, "state": state})
        steps = steps_on_measure(Shown(node.lists["measures"][0]), [], thread, reader(CONTRACTOR))
        return "done" in [step.kind for step in steps]

    assert [has_button(state) for state in ("open", "overdue", "reopened", "reported done")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_card_says_what_an_action_waits_for():
    (action,) = served().lists["actions"]

    def title(person, step_kind, **more):
        row = Shown(waiting_row({**action, **more}, step_kind))
        return face_of("action").waiting_card(row, reader(person)).title

    assert title(ADA, "verdict") == "Did it help? A second lorry"
    assert title(CONTRACTOR, "done", state="open") == "You do this by Wed 25 Nov: A second lorry"
    assert title(CONTRACTOR, "done", state="overdue").startswith("This was due by")
    assert title(CONTRACTOR, "done", state="reopened").startswith("People say it is not fixed")


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
    words = measures.report_words(Shown(measure(1, MEALS, "?", scale, 1, "")))
    assert [value for _label, value in words.choices.get("value", ())] == values


def test_each_part_of_the_test_has_its_own_mark():
    marks = {"w1": "X", "w4": "4", "r8": "8"}
    for by, mark in marks.items():
        view = measure(1, MEALS, "?", "count", 1, "", points=points((2,)), signals=[signal(0, by)])
        assert f" {mark} " in measures.draw_measure(Shown(view), 76, 8, CLOCK).plain
    view["signals"] = [signal(0, None, short=True, change=None)]
    assert "s missed the target" in measures.draw_measure(Shown(view), 76, 8, CLOCK).plain
    view["signals"] = [signal(0, "w1", change="better")]
    assert "* better" in measures.draw_measure(Shown(view), 76, 8, CLOCK).plain


@pytest.mark.parametrize("change", ["better", None])
@pytest.mark.parametrize("bad", [0, 1, 2, 3, 4])
def test_point_is_drawn_as_a_miss_only_if_its_own_window_misses_the_target(bad, change):
    """The test of the target adds up several windows (R-20.7)."""
    missing = [signal(0, None, short=True, change=change)]
    count = measure(1, MEALS, "?", "count", 2, "", points=points((bad,)), signals=missing)
    shares = measure(1, MEALS, "?", "yes_no", 1, "", points=points((bad,)), signals=missing)
    shares["points"][0]["n"] = 10
    shares["share"] = 80  # two of ten answers may be bad

    for asked in (count, shares):
        drawn = measures.draw_measure(Shown(asked), 76, 8, CLOCK).plain
        assert ("s missed the target" in drawn) == (bad > 2)


def test_promises_are_told():
    def told(scale, target, **more):
        return measures.target_sentence(Shown(measure(1, SWINGS, "?", scale, target, "", **more)))

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
    shown = Shown(first)
    assert "hidden words" in chains.service_story(shown, [], reader()).plain
    assert measures.report_words(Shown(asked)).label == "Report: hidden words"
    assert chains.service_card(shown, None).title.startswith("! ")


def test_every_kind_of_the_loop_has_its_words():
    for kind in ("service", "link", "measure", "feedback", "answer", "action", "done", "verdict"):
        assert labels.happened(kind)
        assert KINDS[kind].name == kind


def test_a_matter_that_is_open_already_is_told_before_its_week_is_over():
    told = measures.standing_sentence(
        Shown(measure(1, MEALS, "?", "count", 1, "too_few_answers", matter=ident(2)))
    )
    assert told == "! A matter is open. Too few people have answered yet to say anything."


@on_screen(node=served, size=(110, 40))
async def test_a_measure_is_rehearsed_before_anybody_votes(pilot, node):
    await to_services(pilot)
    await opens(pilot, "#services-list", "Bin collection", "How it goes (1)")
    await opens(pilot, "#measures", "Were bins missed?", "worse: one point")
    await opens(pilot, "#steps", "Rehearse it", "From your neighbourhood's own 60 results.")
    await shows(pilot, "would have opened 2 matters, from Mon 1 Dec 2025, Mon 8 Jun")
    await shows(pilot, "A year would bring 1 to 4 matters.")
    await shows(
        pilot, "A rise from 1.1 to 3.1 incidents each time would be seen after 3 to 6 weeks."
    )
    await shows(pilot, "Nobody can say which of these matters", "1000 of 1000 resamplings")
    assert [asked["resamplings"] for asked in node.rehearsed[:2]] == [100, 200]

    await fills(pilot, "Try other numbers", "Nothing is posted.", target="5", rate="2")
    await pilot.press("f2")
    await shows(pilot, "Assumed, not measured: 2 incidents each time.", "At most 5 a week.")
    await shows(pilot, "so only chance opens these matters", "1000 of 1000 resamplings")
    asked = {"measure": ident(210), "target": 5, "rate": 2}
    assert node.rehearsed[-10] == {**asked, "resamplings": 100}
    assert node.rehearsed[-1] == asked
    assert not node.posted


@on_screen(node=served, size=(110, 40))
async def test_the_proposal_of_a_measure_offers_a_rehearsal(pilot, node):
    node.points = 3
    asked = node.lists["measures"][2]
    concerns = {name: asked[name] for name in ("id", "kind", "author")}
    node.lists["decisions"] = [
        view(
            290, "proposal", MARIA, title="Ask whether it is enough", text=None, closes=None,
            change=["measure", asked["id"], 1, 0], voted={"yes": [], "no": []},
            concerns={**concerns, "title": asked["question"], "hidden": False},
        )
    ]  # fmt: skip
    await pilot.app.push_screen(ThreadScreen(pilot.app.node, ident(290)))
    await opens(pilot, "#steps", "Rehearse it", "There are 3 points, and a rehearsal needs 26.")
    await shows(pilot, "type how it usually goes")
    await fills(pilot, "Try other numbers", "Nothing is posted.", rate="90", answers="10")
    await pilot.press("f2")
    await shows(pilot, "Assumed, not measured: 10 answers each time, 90 % of them good.")
    await shows(pilot, "A fall from 90 to 70 % of good answers would be seen after 3 to 6 weeks.")


def rehearsed(**changed):
    answer = {
        "measure": "a", "source": "a", "points": 30, "target": 4, "share": 80, "window": 7,
        "assumed": False, "rate": None, "answers": None, "resamplings": 100, "of": 1000,
        "replayed": {"windows": 30, "matters": 0, "opened": []},
        "alarms": {"low": 0, "high": 1}, "by_chance": None,
        "detects": {"before": 90, "after": 70, "low": 1, "high": 1},
    }  # fmt: skip
    asked = Shown(measure(1, 2, "Good?", "one_to_five", 4, None))
    return rehearsals.rehearsal_text(asked, Shown({**answer, **changed}), CLOCK).plain


def test_words_of_a_rehearsal():
    assert "would have opened no matter" in rehearsed()
    assert "A year would bring 0 to 1 matter." in rehearsed()
    assert "100 of 1000 resamplings …" in rehearsed()
    assert "of another question about the same service" in rehearsed(source="b")
    assert "seen after 1 week." in rehearsed()
    assert "so they cannot become worse" in rehearsed(detects=None)
    slow = {"before": 90, "after": 70, "low": 9, "high": None}
    assert "seen after 9 weeks, or not within a year." in rehearsed(detects=slow)
    assert "seen after 9 times 14 days" in rehearsed(detects=slow, window=14)
    never = {**slow, "low": None}
    assert "would seldom be seen within a year" in rehearsed(detects=never)
