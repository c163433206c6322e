"""Measures and feedback (specs/22, 23) in the threads of services, and what the subject of a report
cannot do.
"""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.authority.terms import Holding
from protocol.fold.registry import KINDS
from protocol.loops.windows import Calendar, format_day
from tests.support.clocks import clock_at
from tests.support.service_chain import (
    CONTRACTOR,
    COUNCIL,
    OTHER,
    RESIDENTS,
    START,
    SUB,
    Story,
    bins,
)

MONDAY = date(2025, 8, 4)  # of the story
TARGETS = {"yes_no": 1, "one_to_five": 4, "minutes": 30, "count": 2}


def reported(more=0):
    """Makes a measure with reports by six residents. Two of the reports are about the same
    incident. The matter is open.
    """
    story, service, *_, measure = bins()
    reports = [
        story.says(who, "feedback", measure, day=2 + n / 10, value=1, lang="es" if n == 3 else None)
        for n, who in enumerate(RESIDENTS[: 6 + more])
    ]
    story.says(RESIDENTS[4], "same_as", reports[4], day=3, other=reports[1].id)
    return story, service, measure, reports


def test_it_is_asked_once_a_decision_adopts_it():
    story = Story(in_use=False)
    service = story.says(COUNCIL, "service", title="Bins")
    fields = {"question": "Well?", "scale": "one_to_five", "target": 4}
    measure = story.says(RESIDENTS[0], "measure", service, **fields)
    assert story.view(measure).state == "proposed"
    story.adopted["measure", measure.id] = Holding(1, [60, 2])
    assert (
        vars(story.view(measure)).items() >= {"state": "in use", "offset": 60, "cycle": 2}.items()
    )
    bounds = [["one_to_five", 1, 3]]
    assert story.view(measure, bounds=bounds).state == "proposed"
    assert story.view(measure, bounds=[["count", 0, 0], ["share", 60, 99]]).state == "in use"
    story.adopted["measure", measure.id] = Holding(2, None)
    assert story.view(measure).state == "retired"


@pytest.mark.parametrize(
    ("scale", "value"), [("yes_no", 2), ("one_to_five", 0), ("minutes", 44641), ("count", 2)]
)
def test_an_answer_is_on_the_scale(scale, value):
    story = Story()
    service = story.says(COUNCIL, "service", title="x")
    fields = {"question": "?", "scale": scale, "target": TARGETS[scale]}
    measure = story.says(RESIDENTS[0], "measure", service, **fields)
    for given_value in (value, None):
        if given_value is None or given_value <= 44640:
            one = story.says(RESIDENTS[1], "feedback", measure, value=given_value)
            assert story.told(one) == "R-22.4"
    good = story.says(RESIDENTS[1], "feedback", measure, value=1)
    assert story.told(good) is None


@pytest.mark.parametrize(("scale", "target"), [("yes_no", 2), ("count", 21), ("one_to_five", 0)])
def test_a_target_is_on_the_scale(scale, target):
    story = Story()
    service = story.says(COUNCIL, "service", title="x")
    one = story.says(COUNCIL, "measure", service, question="?", scale=scale, target=target)
    assert story.told(one) == "R-22.1"


def test_words_alone_are_feedback_to_a_service_only():
    story, service, *_, measure = bins()
    assert story.told(story.says(RESIDENTS[0], "feedback", service, text="Thank you")) is None
    assert story.told(story.says(RESIDENTS[0], "feedback", service, value=1)) == "R-22.4"
    assert story.told(story.says(RESIDENTS[0], "feedback", measure, text="Bad")) == "R-22.4"


def test_the_fourth_distinct_report_opens_the_matter_and_all_six_have_raised_it():
    story, _, measure, _ = reported()
    loop = story.loop(measure, 4)
    (matter,) = loop.matters
    assert len(loop.windows[matter.window].incidents) == 5
    assert matter.raisers == set(RESIDENTS[:6])


def test_only_its_author_merges_a_report_and_they_can_undo_it():
    story, _, measure, reports = reported()
    for who in (CONTRACTOR, OTHER, RESIDENTS[1]):
        merge = story.says(who, "same_as", reports[4], day=3, other=reports[2].id)
        assert story.told(merge) == "R-22.6c"
    later = story.says(RESIDENTS[0], "same_as", reports[0], day=3, other=reports[1].id)
    assert story.told(later) == "R-22.6"  # one names an earlier report
    story.says(RESIDENTS[4], "same_as", reports[4], day=3.1)
    (matter,) = story.loop(measure, 4).matters
    assert len(story.loop(measure, 4).windows[matter.window].incidents) == 6


def test_a_link_that_nobody_accepted_is_left_out():
    story, _, first, second, measure = bins()
    named, offered, other = (
        story.says(RESIDENTS[1], "feedback", measure, value=1, link=link.id)
        for link in (first, second, measure)
    )
    assert [story.view(one).link for one in (named, offered, other)] == [first.id, None, None]


def test_far_apart_is_not_the_same():
    story, *_, measure = bins()
    days = [(MONDAY + timedelta(n)).isoformat() for n in (0, 14, 15)]
    one, near, far = (
        story.says(RESIDENTS[0], "feedback", measure, day=16, value=1, on=d) for d in days
    )
    near, far = (
        story.says(RESIDENTS[0], "same_as", late, day=17, other=one.id) for late in (near, far)
    )
    assert (story.told(near), story.told(far)) == (None, "R-22.6")


@pytest.mark.parametrize(
    ("before", "rule"), [(-2, "R-22.4"), (-1, None), (92, None), (93, "R-22.4")]
)
def test_feedback_is_of_days_that_have_been(before, rule):
    story, *_, measure = bins()
    on = (MONDAY - timedelta(before)).isoformat()
    assert story.told(story.says(RESIDENTS[0], "feedback", measure, value=1, on=on)) == rule


def test_one_alarm_a_person_and_week():
    story, service, *_ = bins()
    says = {"text": "Needles in the park", "urgent": "yes"}
    first, second = (story.says(RESIDENTS[0], "feedback", service, day=d, **says) for d in (1, 2))
    later = story.says(RESIDENTS[0], "feedback", service, day=8, **says)
    views = story.fold().views
    assert [views[one.id].urgent for one in (first, second, later)] == ["yes", None, "yes"]


def test_done_and_judged():
    story, _, measure, _ = reported()
    cited = {"window": 2900, "n": 1, "bad": 5, "answers": b"h" * 32}
    action = story.says(
        CONTRACTOR, "action", measure, day=3, what="A second lorry", due="2025-08-10", **cited
    )
    assert story.told(story.says(OTHER, "done", action, day=4)) == "R-23.4"
    assert story.told(story.says(CONTRACTOR, "verdict", action, day=4, fixed="yes")) == "R-23.5"
    story.says(CONTRACTOR, "done", action, day=4)
    story.says(RESIDENTS[0], "verdict", action, day=5, fixed="partly")
    (matter,) = story.loop(measure, 6).matters
    assert matter.leading.state == "reopened"
    assert story.view(action).state == "reported done"


@pytest.mark.parametrize(
    ("given_fields", "filled"),
    [
        ({"scale": "yes_no"}, ("higher", 80, 1)),
        ({"scale": "yes_no", "better": "lower"}, ("lower", 80, 0)),
        ({"scale": "one_to_five", "target": 4, "share": 90}, ("higher", 90, 4)),
        ({"scale": "minutes", "target": 20}, ("lower", 80, 20)),
        ({"scale": "count", "target": 0}, ("lower", None, 0)),
    ],
)
def test_the_usual_values_of_a_measure_are_filled_in(given_fields, filled):
    story = Story()
    service = story.says(COUNCIL, "service", title="Bins")
    entry = story.says(COUNCIL, "measure", service, question="?", **given_fields)
    thread = story.fold(story.entries[:1])
    thread.entries[entry.id] = entry
    draft = KINDS["measure"].draft(entry)
    thread.clock = clock_at("2025-08-18T09:00")
    draft.complete(thread)
    assert draft.until == "2026-08-18"
    assert (draft.better, draft.share, draft.target) == filled
    assert (draft.window, draft.min_answers, draft.who) == (7, 1, "everybody")


@pytest.mark.parametrize(
    ("scale", "typed", "number"),
    [("yes_no", "no", 0), ("yes_no", "Yes", 1), ("minutes", "no", "no")],
)
def test_yes_and_no_are_numbers_on_their_own_scale_only(scale, typed, number):
    story = Story()
    service = story.says(COUNCIL, "service", title="Bins")
    fields = {"question": "?", "scale": scale, "target": TARGETS[scale]}
    measure = story.says(RESIDENTS[0], "measure", service, **fields)
    entry = story.says(RESIDENTS[1], "feedback", measure)
    value = KINDS["feedback"].read_input({"value": typed}, None)["value"]
    draft = KINDS["feedback"].draft(entry._replace(fields={"value": value}))
    thread = story.fold(story.entries[:2])
    thread.clock = clock_at("2025-08-04")

    draft.complete(thread)

    assert draft.value == number


def test_action_awaits_its_owner_until_it_is_reported_done():
    story, _, measure, _ = reported()
    action = story.says(CONTRACTOR, "action", measure, day=3, what="A lorry", due="2025-08-10")
    thread = story.fold()
    awaited = [(wait.who, wait.kind, wait.about) for wait in thread.views[action.id].awaits(thread)]
    assert awaited == [(CONTRACTOR, "done", action.id)]
    story.says(CONTRACTOR, "done", action, day=4)
    thread = story.fold()
    assert list(thread.views[action.id].awaits(thread)) == []


# -- what a subject cannot do ---------------------------------------------------------------------

SUBJECTS = (COUNCIL, CONTRACTOR)
ABOUT = st.integers(0, 30)
MOVES = st.one_of(
    st.tuples(st.just("feedback"), ABOUT, st.fixed_dictionaries({"value": st.integers(0, 1)})),
    st.tuples(st.just("same_as"), ABOUT, st.fixed_dictionaries({"other": ABOUT})),
    st.tuples(st.just("answer"), ABOUT, st.just({"text": "It was the weather"})),
    st.tuples(st.just("retract"), ABOUT, st.just({})),
    st.tuples(st.just("verdict"), ABOUT, st.just({"fixed": "yes"})),
    st.tuples(st.just("done"), ABOUT, st.just({})),
    st.tuples(st.just("action"), ABOUT, st.just({"what": "Done", "due": "2025-08-10"})),
    st.tuples(st.just("close"), ABOUT, st.sampled_from([
        {"as_state": word} for word in ("ended", "withdrawn", "declined", "cancelled", "disputed")
    ])),
    st.tuples(st.just("accept"), ABOUT, st.just({})),
    st.tuples(st.just("link"), ABOUT, st.just({"to": OTHER, "title": "Yours"})),
    st.tuples(st.just("flag"), ABOUT, st.just({"reason": "Slander"})),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SUBJECTS), st.floats(0, 8), MOVES), max_size=12),
    st.dictionaries(st.sampled_from(SUBJECTS), st.integers(1, 9)),
)
def test_no_record_of_a_subject_changes_what_was_said_of_it(moves, forks):
    """A person is the subject of a measure. Their records and forks change no answer of others."""
    story, _, measure, reports = reported()
    before = story.loop(measure, 30)
    for who, day, (kind, about, given_fields) in moves:
        target, fields = story.entries[about % len(story.entries)], dict(given_fields)
        if "other" in fields:
            fields["other"] = story.entries[fields["other"] % len(story.entries)].id
        story.says(who, kind, target, day=day, **fields)
    after = story.loop(measure, 30, forks=forks)
    told = {n: (one.answers, one.incidents) for n, one in after.windows.items() if one.people}
    assert told == {n: (one.answers, one.incidents) for n, one in before.windows.items()}
    assert after.points == before.points
    (matter,), (was,) = after.matters, before.matters
    assert (matter.id, matter.opened, matter.raisers) == (was.id, was.opened, was.raisers)
    assert matter.closed is None
    views = story.fold().views
    assert all(views[one.id].state == "said" for one in reports)


def test_ten_parties_who_answer_change_nothing():
    story, service, measure, _ = reported()
    before = story.loop(measure, 30)
    for who in (SUB, OTHER, *RESIDENTS[6:]):
        link = story.says(COUNCIL, "link", service, day=4, to=who, title="A part")
        story.says(who, "accept", link, day=4)
        story.says(who, "feedback", measure, day=4.5, value=0)
    after = story.loop(measure, 30)
    assert (after.points, len(after.matters)) == (before.points, 1)
    assert len(after.windows[before.matters[0].window].by_parties) == 4


def test_who_accepts_a_part_afterwards_is_no_party_before():
    story, service, measure, _ = reported()
    before = story.loop(measure, 30)
    critic = before.windows[before.matters[0].window].incidents[0].reports[0].person
    link = story.says(COUNCIL, "link", service, day=4, to=critic, title="A part")
    story.says(critic, "accept", link, day=4)
    after = story.loop(measure, 30)
    assert after.points == before.points
    assert after.matters[0].raisers == before.matters[0].raisers


@pytest.mark.parametrize(
    ("days", "rule"), [(89, "R-22.10"), (90, None), (731, None), (732, "R-22.10")]
)
def test_measure_ends_after_ninety_days_to_two_years(days, rule):
    story = Story()
    service = story.says(COUNCIL, "service", title="Bins")
    until = format_day(Calendar(1, 0).day_at(START) + days)
    measure = story.says(
        COUNCIL, "measure", service, question="?", scale="count", target=2, until=until
    )
    assert story.told(measure) == rule


def test_measure_without_an_end_ends_after_a_year():
    story, _, _, _, measure = bins()
    assert story.view(measure).until == format_day(Calendar(1, 0).day_at(START) + 365)


def test_balance_is_another_measure_of_the_same_service():
    story, service, link, _, measure = bins()
    fields = {"question": "Is it quiet?", "scale": "yes_no", "target": 1}
    quiet = story.says(COUNCIL, "measure", service, balance=measure.id, **fields)
    lost = story.says(COUNCIL, "measure", service, balance=link.id, **fields)
    assert story.view(quiet).balance == measure.id
    assert story.view(lost).balance is None
