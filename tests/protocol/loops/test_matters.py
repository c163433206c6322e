"""Matters open once, have a holder, and are closed by the people who raised them (specs/22,
specs/23).
"""

import random
from dataclasses import dataclass, replace
from itertools import count

import pytest

from protocol.loops.counted_answers import MeasureContext, is_charted
from protocol.loops.escalation import Reopening, Step, find_holder
from protocol.loops.matters import LoopRules, MeasureInputs, follow_measure, matter_id
from protocol.loops.outcome import outcome_of
from protocol.loops.windows import DAY_MS, Calendar, format_day, parse_day

MONDAY = 20 * 365 * DAY_MS  # moved to a Monday below
CALENDAR = Calendar(7, 0)
MONDAY = CALENDAR.window_start(CALENDAR.window_at(MONDAY))
HOUR = DAY_MS // 24
MEASURE = b"measure".ljust(32)
RULES = LoopRules(3, 72 * HOUR)
PEOPLE = [f"person {n}".encode().ljust(32) for n in range(12)]


@dataclass(frozen=True)
class Question:
    """A measure, with the fields that these tests need."""

    id: bytes = MEASURE
    scale: str = "count"
    better: str | None = "lower"
    target: int | None = 2
    share: int | None = None
    min_answers: int | None = 1


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement by one person about a record. If a statement is of no subclass, it says that an
    action is done.
    """

    id: bytes
    kind: str
    author: bytes
    created: int
    about: bytes | None = MEASURE


@dataclass(frozen=True, kw_only=True)
class Answer(Statement):
    value: int | None
    on: str | None
    by: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Merge(Statement):
    other: bytes


@dataclass(frozen=True, kw_only=True)
class Promise(Statement):
    window: int | None


@dataclass(frozen=True, kw_only=True)
class Judgement(Statement):
    fixed: str


BINS = Question()
VISITS = Question(scale="one_to_five", better="higher", target=4, share=80)


def asked(measure=BINS, leave_out=(), members=PEOPLE, calendar=CALENDAR):
    return MeasureContext(measure, calendar, dict.fromkeys(leave_out, 0), members, None)


class Street:
    """Residents who report and judge what one measure asks about. Times are in days from the first
    Monday.
    """

    def __init__(self, measure=BINS, leave_out=(), members=PEOPLE):
        self.asked = asked(measure, leave_out, members)
        self.said = MeasureInputs([], [], [], [], [])
        self._ids = count(1)

    def _view(self, view_type, kind, who, day, **more):
        record_id = next(self._ids).to_bytes(32, "big")
        created = MONDAY + int(day * DAY_MS)
        author = more.pop("author", PEOPLE[who])
        return view_type(id=record_id, kind=kind, author=author, created=created, **more)

    def report(self, who, day, value=1, **more):
        on = format_day(CALENDAR.day_at(MONDAY + int(day * DAY_MS)))
        view = {"value": value, "on": on, **more}
        self.said.feedback.append(self._view(Answer, "feedback", who, day, **view))
        return self.said.feedback[-1].id

    def merge(self, one, other, who=9, day=3):
        self.said.merges.append(self._view(Merge, "same_as", who, day, other=other, about=one))

    def act(self, who, day, window=None):
        self.said.actions.append(self._view(Promise, "action", who, day, window=window))
        return self.said.actions[-1].id

    def done(self, action, who, day):
        self.said.done.append(self._view(Statement, "done", who, day, about=action))

    def judge(self, action, who, day, fixed):
        view = self._view(Judgement, "verdict", who, day, fixed=fixed, about=action)
        self.said.verdicts.append(view)

    def loop(self, day):
        return follow_measure(self.asked, self.said, RULES, MONDAY + int(day * DAY_MS))


def missed_bins():
    """Makes six reports. Two of them are about the same incident."""
    street = Street()
    reports = [street.report(who, 2 + who / 10) for who in range(6)]
    street.merge(reports[4], reports[1])
    return street, reports


@pytest.mark.parametrize("day", ["0001-01-01", "2026-11-23", "9999-12-31"])
def test_windows_go_beyond_the_days_that_can_be_written(day):
    for days in (1, 7, 28):
        calendar = Calendar(days, 0)
        window = calendar.window_of_day(parse_day(day))
        first_days = [calendar.first_day(window + step) for step in (-20, 0, 20)]
        assert first_days == sorted(first_days)
        assert first_days[1] <= day
        assert format_day(parse_day(day) - 1) <= day <= format_day(parse_day(day) + 1)


def test_windows_begin_on_mondays():
    monday = 1_795_996_800_000 // DAY_MS * DAY_MS
    assert CALENDAR.first_day(CALENDAR.window_at(monday)) <= "2026-11-30"
    assert CALENDAR.window_start(CALENDAR.window_at(MONDAY)) == MONDAY
    assert CALENDAR.window_at(MONDAY - 1) == CALENDAR.window_at(MONDAY) - 1
    assert Calendar(7, 60).window_at(MONDAY - 1) == CALENDAR.window_at(MONDAY)
    assert Calendar(7, -60).window_at(MONDAY) == CALENDAR.window_at(MONDAY) - 1


def test_the_matter_opens_once_at_the_fourth_distinct_report():
    street, _ = missed_bins()
    before = street.loop(2.29)
    assert before.matters == []
    loop = street.loop(3.1)
    (matter,) = loop.matters
    # Reports 1 and 5 are about one incident. So the fourth different incident is in report 4.
    assert matter.opened == MONDAY + int(2.3 * DAY_MS)
    assert matter.id == matter_id(MEASURE, CALENDAR.window_at(MONDAY))
    assert matter.raisers == set(PEOPLE[:6])
    assert (matter.misses_target, matter.change, matter.opened_early) == (True, None, True)
    assert len(loop.windows[matter.window].incidents) == 5
    assert len(street.loop(30).matters) == 1


def test_late_reports_do_not_double_it():
    street, _ = missed_bins()
    street.report(7, 9, on=CALENDAR.first_day(CALENDAR.window_at(MONDAY)))
    street.report(8, 20, on=CALENDAR.first_day(CALENDAR.window_at(MONDAY)))
    (matter,) = street.loop(30).matters
    assert matter.opened == MONDAY + int(2.3 * DAY_MS)
    assert PEOPLE[7] in matter.raisers
    assert PEOPLE[8] not in matter.raisers
    assert [late.person for late in street.loop(30).windows[matter.window].late] == [PEOPLE[8]]


def test_what_is_merged_away_opens_nothing_unless_somebody_acts_on_it():
    street, reports = missed_bins()
    action = street.act(8, 3, window=CALENDAR.window_at(MONDAY))
    for one in reports[1:]:
        street.merge(one, reports[0])
    (matter,) = street.loop(30).matters
    assert matter.faded
    assert [one.id for one in matter.actions] == [action]
    street.said.actions.clear()
    assert street.loop(30).matters == []


def test_too_few_people_are_a_gap_and_all_fine_is_an_answer():
    street = Street()
    for n in range(4):
        street.report(0, n)
        street.report(1, n)
    assert street.loop(20).matters == []
    street.report(2, 4, value=0)
    assert len(street.loop(20).matters) == 1
    assert street.loop(20).points[0][1].bad == 8


def test_one_person_reports_one_thing_once_a_day():
    street = Street()
    for who, day in ((0, 1), (0, 1.1), (1, 1), (2, 1)):
        street.report(who, day)
    assert street.loop(20).points[0][1].bad == 3


def test_parties_change_nothing():
    street, _ = missed_bins()
    alone = street.loop(30)
    street.asked = asked(leave_out=PEOPLE[6:9])
    for who in (6, 7, 8):
        street.report(who, 2, value=0)
        street.report(who, 2.5)
    assert street.loop(30) == street.loop(30)
    with_parties = street.loop(30)
    assert with_parties.points == alone.points
    week = CALENDAR.window_at(MONDAY)
    assert with_parties.windows[week].incidents == alone.windows[week].incidents
    assert len(with_parties.windows[week].by_parties) == 6


def test_it_closes_when_more_than_half_of_those_who_raised_it_say_so():
    street, _ = missed_bins()
    action = street.act(8, 3)
    street.done(action, 8, 4)
    street.judge(action, 0, 4.5, "partly")
    street.judge(action, 9, 4.5, "yes")  # person 9 did not raise the matter
    (matter,) = street.loop(5).matters
    assert (matter.leading.state, matter.leading.fixed) == ("reopened", {"partly": 1})
    for who in (1, 2, 3):
        street.judge(action, who, 11 + who / 10, "yes")
    assert street.loop(12).matters[0].closed is None  # three of six
    street.judge(action, 4, 12, "yes")
    (matter,) = street.loop(13).matters
    assert (matter.leading.state, matter.closed) == ("confirmed", MONDAY + 12 * DAY_MS)
    street.judge(action, 5, 13, "no")
    assert street.loop(14).matters[0].closed is not None  # one "no" does not undo a majority
    street.judge(action, 1, 14, "no")
    (matter,) = street.loop(15).matters
    assert (matter.leading.state, matter.closed) == ("reopened", None)


def test_it_closes_once_its_window_has_settled():
    street, _ = missed_bins()
    action = street.act(8, 3)
    street.done(action, 8, 4)
    for who in range(6):
        street.judge(action, who, 4.5, "yes")
    assert street.loop(9.9).matters[0].closed is None
    assert street.loop(10).matters[0].closed == MONDAY + 10 * DAY_MS


@pytest.mark.parametrize(("raisers", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_how_many_confirm_it(raisers, needed):
    street = Street(replace(BINS, target=0))
    for who in range(4):
        street.report(who, 2, value=int(who < raisers))
    action = street.act(8, 3)
    street.done(action, 8, 4)
    for who in range(needed):
        assert street.loop(20).matters[0].closed is None
        street.judge(action, who, 11 + who, "yes")
    assert street.loop(20).matters[0].closed == MONDAY + (10 + needed) * DAY_MS


def test_what_was_said_before_the_latest_report_counts_no_more():
    street, _ = missed_bins()
    action = street.act(8, 3)
    street.done(action, 8, 4)
    street.judge(action, 0, 4.5, "no")
    street.done(action, 8, 5)
    (matter,) = street.loop(6).matters
    assert (matter.leading.state, matter.leading.fixed) == ("reported done", {})
    assert len(matter.leading.reopened) == 1


def test_silence_confirms_nothing():
    street, _ = missed_bins()
    street.done(street.act(8, 3), 8, 4)
    (matter,) = street.loop(400).matters
    assert (matter.leading.state, matter.closed) == ("reported done", None)


def answered_weeks(street, weeks, bad=0):
    """Lets three people answer in each of these weeks, `bad` of them with a report."""
    for week in weeks:
        for who in range(3):
            street.report(who, 7 * week + 2 + who / 10, value=int(who < bad))


def test_four_points_without_a_signal_close_it_as_quiet():
    street, _ = missed_bins()
    street.done(street.act(8, 3), 8, 4)
    answered_weeks(street, [1, 2, 4])  # the third week is a gap, and no point
    assert street.loop(60).matters[0].closed is None
    answered_weeks(street, [5])
    loop = street.loop(60)
    (matter,) = loop.matters
    assert (matter.closed, matter.is_quiet) == (MONDAY + 45 * DAY_MS, True)
    assert (matter.leading.state, loop.phase) == ("reported done", None)
    street.judge(matter.leading.action.id, 4, 50, "no")
    (matter,) = street.loop(60).matters
    assert (matter.closed, matter.is_quiet) == (None, False)


def test_a_report_alone_asks_its_author_and_a_signal_reopens_it():
    street, _ = missed_bins()
    action = street.act(8, 3)
    street.done(action, 8, 4)
    for who in range(6):
        street.judge(action, who, 11, "yes")
    street.report(7, 16)
    answered_weeks(street, [2], bad=0)
    (matter,) = street.loop(20).matters
    assert matter.closed is not None
    assert matter.leading.complained_since(PEOPLE[7])
    assert PEOPLE[7] in matter.raisers
    for who in range(6):
        street.report(who, 22 + who / 10)
    (matter,) = street.loop(25).matters
    assert (matter.closed, matter.leading.state) == (None, "reopened")


def test_after_it_is_fixed_old_signals_open_nothing_and_new_ones_do():
    street, _ = missed_bins()
    action = street.act(8, 3)
    street.done(action, 8, 4)
    for who in range(4):
        street.judge(action, who, 5, "yes")
    for who in range(3):
        street.report(who, 8 + who / 10, value=1 if who == 0 else 0)
    loop = street.loop(19)
    (matter,) = loop.matters
    assert matter.closed is not None
    assert outcome_of(loop, matter) is None  # only the window that opened it came before
    for who in range(6):
        street.report(who, 15 + who / 10)
    (matter,) = street.loop(19).matters
    assert (matter.closed, matter.leading.state) == (None, "reopened")
    for who in range(6):
        street.judge(action, who, 25, "yes")
    for who in range(6):
        street.report(who, 7 * 8 + 2 + who / 10)
    first, second = street.loop(70).matters
    assert first.id != second.id
    assert second.window == CALENDAR.window_at(MONDAY) + 8


@pytest.mark.parametrize(("bad", "result"), [(12, "better"), (3, "fewer"), (1, "no better")])
def test_a_clear_fall_is_called_better(bad, result):
    street = Street()
    for who in range(12):
        street.report(who, 2 + who / 20)
        street.report(who, 9, value=int(who < bad))
        street.report(who, 15, value=int(who == 0))
    action = street.act(8, 3)
    street.done(action, 8, 10)
    loop = street.loop(25)
    came = outcome_of(loop, loop.matters[0])
    assert (came.before.bad, came.after.bad, came.result) == (bad, 1, result)
    assert outcome_of(street.loop(12), street.loop(12).matters[0]) is None


def test_a_share_waits_until_its_window_settles():
    street = Street(VISITS)
    for who in range(10):
        street.report(who, 2, value=1 if who < 6 else 5)
    assert street.loop(9.9).matters == []
    (matter,) = street.loop(10.1).matters
    assert matter.opened == MONDAY + 10 * DAY_MS
    assert matter.raisers == set(PEOPLE[:6])


def test_a_measure_without_a_share_is_read_as_eighty_percent():
    """R-22.1c: other software may leave out the field `share`."""
    street = Street(replace(VISITS, share=None))
    for who in range(10):
        street.report(who, 2, value=1 if who < 6 else 5)
    assert len(street.loop(10.1).matters) == 1


def test_a_verdict_at_the_time_of_the_report_comes_after_it():
    """R-23.1: records with the same time are sorted by the name of their kind, and then by their
    id.
    """
    street, _ = missed_bins()
    action = street.act(8, 3)
    street.judge(action, 0, 4, "no")  # its id is lower than that of the report
    street.done(action, 8, 4)
    (matter,) = street.loop(5).matters
    assert (matter.leading.state, matter.leading.fixed) == ("reopened", {"no": 1})


def test_of_a_person_the_latest_answer_counts():
    street = Street(VISITS)
    for who in range(10):
        street.report(who, 2, value=1)
        street.report(who, 3, value=5)
    (point,) = [point for _, point in street.loop(20).points]
    assert (point.n, point.bad) == (10, 0)


def test_by_proxy_two_a_window():
    street = Street(VISITS)
    for who in range(5):
        street.report(who, 2 + who / 10, value=1, by=PEOPLE[9])
    street.report(5, 2, value=1)
    loop = street.loop(20)
    window = loop.windows[CALENDAR.window_at(MONDAY)]
    assert ([one.person for one in window.answers], window.by_proxy) == (
        [PEOPLE[0], PEOPLE[5], PEOPLE[1]],
        2,
    )


def test_everybody_is_charted_once_in_a_cycle():
    """R-22.7; the last line is the example of the rule."""
    people = [n.to_bytes(32, "big") for n in range(90)]
    for first in (-6, 0, 2922):
        windows = range(first, first + 3)
        charted = [who for w in windows for who in people if is_charted(MEASURE, w, who, 3)]
        assert sorted(charted) == people
    drawn = [w for w in range(2922, 2931) if is_charted(b"\x11" * 32, w, b"\x22" * 32, 3)]
    assert drawn == [2922, 2925, 2929]


def test_any_order_gives_one_loop():
    street, _ = missed_bins()
    action = street.act(8, 3)
    street.done(action, 8, 4)
    for who in range(4):
        street.judge(action, who, 5 + who / 10, "yes")
    told = street.loop(30)
    chance = random.Random(5)
    for _ in range(20):
        street.said = MeasureInputs(*(chance.sample(one, len(one)) for one in street.said[:5]))
        assert street.loop(30) == told


# -- who holds it ---------------------------------------------------------------------------------

CHAIN = PEOPLE[:3]
ANSWER = 3 * DAY_MS


def held(steps=(), reopened=(), day=0.0, begin=2, settle=0):
    """Returns the level of the holder, and since which day. A step is (day, person, until), or
    (day, person, due, days on which it was reported done) for an action. A reopening is a day, or
    (day, person). `settle` is in hours.
    """
    steps = [
        Step(
            int(t * DAY_MS),
            who,
            int(until * DAY_MS),
            tuple(int(at * DAY_MS) for at in done[0]) if done else None,
        )
        for t, who, until, *done in steps
    ]
    pairs = [one if isinstance(one, tuple) else (one, None) for one in reopened]
    again = [Reopening(int(at * DAY_MS), who) for at, who in pairs]
    now = int(day * DAY_MS)
    found = find_holder(CHAIN, begin, 0, steps, again, ANSWER, settle * HOUR, now)
    return found.level, found.since / DAY_MS


def test_who_does_not_answer_hands_it_up():
    assert held(day=2.9) == (2, 0)
    assert held(day=3) == (1, 3)
    assert held(day=6) == (0, 6)
    assert held(day=9) == (-1, 9)
    assert held(day=99) == (-1, 9)


def test_a_deadline_is_missed_once_what_was_done_in_time_must_have_been_seen():
    assert held(day=5.9, settle=72) == (2, 0)
    assert held(day=6, settle=72) == (1, 6)
    assert held(day=11.9, settle=72) == (1, 6)
    assert held(day=12, settle=72) == (0, 12)


def test_an_answer_buys_time_until_the_day_that_it_names_once():
    sub = CHAIN[2]
    assert held([(1, sub, 10)], day=9.9) == (2, 0)
    assert held([(1, sub, 10)], day=10) == (1, 10)
    assert held([(1, sub, 90)], day=15) == (1, 15)  # 14 days at the most
    assert held([(1, sub, 10), (9, sub, 20)], day=10) == (1, 10)  # a second one buys nothing
    assert held([(1, CHAIN[0], 10)], day=4) == (1, 3)  # an answer by somebody else does not count
    assert held([(4, sub, 10)], day=4.5) == (1, 3)  # too late
    assert held([(1, sub, 2)], day=2.9) == (2, 0)  # and it takes no time away


def test_what_is_not_done_when_due_climbs():
    sub = CHAIN[2]
    assert held([(1, sub, 10, ())], day=9.9) == (2, 0)
    assert held([(1, sub, 10, ())], day=10) == (1, 10)
    assert held([(1, sub, 10, (9,))], day=50) == (2, 0)
    assert held([(1, sub, 10, (11,))], day=12) == (1, 10)
    assert held([(1, sub, 90, ())], day=29) == (1, 29)  # 28 days at the most
    assert held([(1, sub, 10, ()), (9, sub, 30, ())], day=10) == (1, 10)  # one action buys time
    assert held([(1, sub, 10), (9, sub, 30, ())], day=29) == (2, 0)  # an answer, then an action
    assert held([(1, sub, 10, ()), (9, sub, 20)], day=19) == (2, 0)  # an action, then an answer


def test_a_reopening_starts_the_clock_again():
    done = [(1, CHAIN[2], 10, (5,))]
    assert held(done, reopened=[20], day=22.9) == (2, 0)
    assert held(done, reopened=[20], day=23) == (1, 23)
    assert held(done, reopened=[6], day=9.9) == (2, 0)  # what was due later stays due then
    again = [(1, CHAIN[2], 10, (5, 22))]
    assert held(again, reopened=[20], day=50) == (2, 0)


def test_reopened_twice_climbs_if_two_people_or_figures_say_so():
    done = [(1, CHAIN[2], 10, (5, 6.5, 7.5))]
    assert held(done, reopened=[6], day=8) == (2, 0)
    assert held(done, reopened=[6, 7], day=8) == (1, 7)
    ada, ben = PEOPLE[5:7]
    assert held(done, reopened=[(6, ada), (7, ada)], day=8) == (2, 0)
    assert held(done, reopened=[(6, ada), (7, ben)], day=8) == (1, 7)
    assert held(done, reopened=[(6, ada), 7], day=8) == (1, 7)
