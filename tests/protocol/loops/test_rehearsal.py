"""Rehearsals: made-up streets, judged by the rules (R-20.8).

The long tests compare rehearsals with the truth about a street. A long simulation of their own finds
this truth: it draws from the process itself, and counts signals in its own way.
"""

import math
import random
import re
from itertools import islice, pairwise
from statistics import fmean, median

import pytest

from protocol.loops.change_detection import run_change_test
from protocol.loops.points import COUNT, SHARE, Point
from protocol.loops.rehearsal import Case, Outcome, Process, Summary, rehearse_once, replay
from protocol.loops.street_draw import MEAN_BLOCK, Worsening, draw_like, worsen
from protocol.loops.target_check import misses_target

YEAR = 52


class Truth:
    """What a process does to a measure, by direct simulation.

    `make` makes an endless street from a source of chance: each of its windows is a function that
    draws the point of this window, before or after the change.
    """

    def __init__(self, scale, aim, make, runs, years=4):
        self.scale, self.aim, self.make = scale, aim, make
        results = [self._run(random.Random(f"truth {run}"), years) for run in range(runs)]
        self.matters = fmean(opened / years for opened, _ in results)
        delays = [delay for _, delay in results]
        self.delay = median(delays)
        self.mean_delay = fmean(delays)

    def _run(self, chance, years):
        street = self.make(chance)
        points = [next(street)(False) for _ in range(28)]
        before = self._signs(points)
        changed = list(points)
        delay = YEAR + 1
        for window, draw in enumerate(islice(self.make(chance), YEAR), 1):
            changed.append(draw(True))
            new = [now and not old for now, old in zip(self._signs(changed), before, strict=True)]
            if any(new):
                delay = window
                break
        text = "".join(self._mark(points[:length]) for length in range(25, 29))
        for draw in islice(street, YEAR * years):
            points.append(draw(False))
            text += self._mark(points)
        opens = [
            text[place] == "S" and "S" not in text[place - 4 : place]
            for place in range(4, len(text))
        ]
        return sum(opens), delay

    def _signs(self, points):
        is_worse = run_change_test(self.scale, points).change == "worse"
        return misses_target(self.scale, self.aim, points), is_worse

    def _mark(self, points):
        return "S" if any(self._signs(points)) else "."


def people(rate, answers, *, lag=0.0, spread=0.0):
    """Makes streets whose answers are good with this probability. Weeks may resemble each other."""

    def make(chance):
        swing = chance.gauss(0, 1)
        while True:
            swing = lag * swing + math.sqrt(1 - lag * lag) * chance.gauss(0, 1)
            odds = math.log(rate / (1 - rate)) + spread * swing
            good = 1 / (1 + math.exp(-odds))

            def draw(is_after, good=good):
                share = good * (1 - 0.2 / rate) if is_after else good
                return Point(answers, sum(chance.random() >= share for _ in range(answers)))

            yield draw

    return make


def incidents(mean, *, lag=0.0, spread=0.0):
    """Makes streets with this mean number of incidents in a window."""

    def make(chance):
        swing = chance.gauss(0, 1)
        while True:
            swing = lag * swing + math.sqrt(1 - lag * lag) * chance.gauss(0, 1)
            rate = math.exp(spread * swing - spread * spread / 2)

            def draw(is_after, rate=rate):
                now = rate * (mean + max(mean, 2) if is_after else mean)
                number, product = 0, chance.random()
                while product > math.exp(-now):
                    number += 1
                    product *= chance.random()
                return Point(1, number)

            yield draw

    return make


def rehearsed(case, resamplings, seed="seed"):
    return Summary(case, [outcome(case, seed, number) for number in range(resamplings)])


def outcome(case, seed, number):
    return rehearse_once(case, random.Random(f"{seed} {number}"))


def show_figures(*figures):
    """Prints the figures of a long test, for those who run it with `-s`."""
    print(*figures)  # noqa: T201


def own(points, scale=SHARE, aim=80):
    return Case(scale, aim, 7, tuple(points), None)


def test_replay_opens_a_matter_after_four_points_without_a_signal():
    for seed in range(15):
        chance = random.Random(seed)
        points = [Point(1, chance.choice((0, 0, 0, 1, 1, 7))) for _ in range(40)]
        signs = [
            misses_target(COUNT, 3, points[:n])
            or run_change_test(COUNT, points[:n]).change == "worse"
            for n in range(1, 41)
        ]
        text = "".join("S" if sign else "." for sign in signs)

        opened = replay(own(points, COUNT, 3))

        assert len(opened) == len([part for part in re.split(r"\.{4,}", text) if "S" in part])
        assert all(signs[place] for place in opened)


def test_replay_names_windows_and_leaves_gaps_out():
    points = [Point(10, 1)] * 10 + [Point(10, 9)]
    assert replay(own(points)) == [10]
    assert replay(own([None, *points[:5], None, *points[5:]])) == [12]


def test_resampling_keeps_the_order_of_neighbouring_windows():
    history = [Point(10, number) for number in range(10)] * 4
    drawn = list(islice(draw_like(history, random.Random(1)), 4000))

    follows = [later.bad == (earlier.bad + 1) % 10 for earlier, later in pairwise(drawn)]

    # A new block begins in one of eight windows, and goes on by chance in one of ten of these.
    assert fmean(follows) == pytest.approx(1 - 0.9 / MEAN_BLOCK, abs=0.02)


def test_resampling_draws_every_window_as_often_as_any_other():
    history = [Point(10, number) for number in range(10)]
    drawn = list(islice(draw_like(history, random.Random(2)), 20_000))
    for number in range(10):
        assert drawn.count(Point(10, number)) == pytest.approx(2000, rel=0.2)


def test_change_lowers_the_share_of_good_answers_and_keeps_their_number():
    chance = random.Random(3)
    points = [worsen(Point(100, 10), Worsening(SHARE, 90, 70), chance) for _ in range(300)]
    assert {point.n for point in points} == {100}
    assert fmean(point.bad for point in points) == pytest.approx(30, rel=0.05)
    more = [worsen(Point(1, 2), Worsening(COUNT, 2, 5), chance).bad for _ in range(2000)]
    assert fmean(more) == pytest.approx(5, rel=0.05)


def test_rehearsal_says_which_change_it_looks_for():
    def change(scale, rate):
        answers = 1 if scale == COUNT else 10
        return Case(scale, 2, 7, (), Process(rate, answers)).worsening

    assert change(SHARE, 90) == Worsening(SHARE, 90, 70)
    assert change(SHARE, 12) == Worsening(SHARE, 12, 0)
    assert change(SHARE, 0) is None
    assert change(COUNT, 0) == Worsening(COUNT, 0, 2)
    assert change(COUNT, 7.5) == Worsening(COUNT, 7.5, 15)
    assert own([Point(10, 1), None, Point(30, 3)]).worsening == Worsening(SHARE, 90, 70)


def test_rehearsal_repeats_from_its_seed():
    case = own([Point(10, number % 3) for number in range(26)])
    assert outcome(case, "seed", 5) == outcome(case, "seed", 5)
    assert len({outcome(case, "seed", number) for number in range(8)}) > 1


def test_range_holds_eight_of_ten_and_the_mean():
    case = own([Point(10, 1)] * 26)
    outcomes = [Outcome((number, number), number + 1) for number in range(11)]
    assert Summary(case, outcomes).alarms[:2] == (1, 9)
    assert Summary(case, outcomes).delay[:2] == (2, 10)
    rare = [Outcome((0, 0), None)] * 19 + [Outcome((1, 0), 3)]
    assert Summary(case, rare).alarms[:2] == (0, 1)
    assert Summary(case, rare).delay[:2] == (None, None)
    assert Summary(case, outcomes[:9] + rare[:2]).delay[:2] == (2, None)


def test_own_points_never_promise_a_year_without_a_matter():
    outcomes = [Outcome((0, 0), 3)] * 100
    assert Summary(own([Point(10, 1)] * 26), outcomes).alarms[:2] == (0, 1)
    assumed = Case(SHARE, 80, 7, (), Process(99, 10))
    assert Summary(assumed, outcomes).alarms[:2] == (0, 0)


def test_rehearsal_claims_chance_only_where_nothing_else_is_assumed():
    outcomes = [Outcome((1, 2), 3)] * 10

    def by_chance(scale, aim, rate, history=()):
        assumed = None if history else Process(rate, 10 if scale == SHARE else 1)
        return Summary(Case(scale, aim, 7, tuple(history), assumed), outcomes).by_chance

    assert by_chance(SHARE, 80, 80)[:2] == (1, 2)
    assert by_chance(SHARE, 80, 79) is None
    assert by_chance(COUNT, 2, 1.1)[:2] == (1, 2)
    assert by_chance(COUNT, 2, 1.2) is None
    assert by_chance(SHARE, 80, None, [Point(10, 1)] * 26) is None


def test_windows_of_another_length_make_another_year():
    assert [own([])._replace(days=days).year for days in (1, 7, 14, 30, 366)] == [
        365, 52, 26, 12, 1,
    ]  # fmt: skip


def test_assumed_process_is_like_the_table_of_the_specs():
    summary = rehearsed(Case(SHARE, 80, 7, (), Process(90, 10)), 40)
    assert 3 <= summary.delay.median <= 6
    assert summary.alarms.high <= 1


def test_gaps_take_time_and_make_no_points():
    full = [Point(10, number % 3) for number in range(26)]
    gappy = [entry for point in full for entry in (point, None, None)]
    slow = rehearsed(own(gappy), 15)
    quick = rehearsed(own(full), 15)
    assert slow.delay.median > 1.5 * quick.delay.median


@pytest.mark.long
@pytest.mark.parametrize(
    ("scale", "aim", "rate", "answers"),
    [(SHARE, 80, 80, 5), (SHARE, 80, 80, 10), (SHARE, 85, 80, 10), (SHARE, 80, 90, 30), (COUNT, 2, 1.5, 1)],
)  # fmt: skip
def test_assumed_process_gives_the_truth_within_a_fifth(scale, aim, rate, answers):
    make = incidents(rate) if scale == COUNT else people(rate / 100, answers)
    truth = Truth(scale, aim, make, runs=1000)

    summary = rehearsed(Case(scale, aim, 7, (), Process(rate, answers)), 1000)

    show_figures(truth.matters, truth.mean_delay, summary.alarms, summary.delay)
    assert summary.alarms.mean == pytest.approx(truth.matters, rel=0.2)
    assert summary.delay.mean == pytest.approx(truth.mean_delay, rel=0.2)


@pytest.mark.long
@pytest.mark.parametrize("windows", [26, 52])
@pytest.mark.parametrize(
    ("name", "scale", "aim", "make"),
    [
        ("steady", SHARE, 80, people(0.9, 10)),
        ("steady at the target", SHARE, 80, people(0.8, 10)),
        ("weeks alike", SHARE, 80, people(0.85, 10, lag=0.6, spread=0.5)),
        ("weeks alike at the target", SHARE, 80, people(0.8, 10, lag=0.6, spread=0.5)),
        ("incidents", COUNT, 2, incidents(1.1)),
        ("weeks of incidents alike", COUNT, 2, incidents(1.5, lag=0.5, spread=0.5)),
    ],
)
def test_own_points_give_ranges_that_cover_the_truth(name, scale, aim, make, windows):
    truth = Truth(scale, aim, make, runs=300)
    covered = {"matters": 0, "delay": 0}
    widths = []
    for street in range(100):
        drawn = islice(make(random.Random(f"street {street}")), windows)
        case = Case(scale, aim, 7, tuple(draw(False) for draw in drawn), None)

        summary = rehearsed(case, 100, f"street {street}")

        alarms, delay = summary.alarms, summary.delay
        covered["matters"] += alarms.low <= truth.matters <= alarms.high
        covered["delay"] += (delay.low or 53) <= truth.delay <= (delay.high or 53)
        widths.append(alarms.high - alarms.low)
    show_figures(name, windows, truth.matters, truth.delay, covered, fmean(widths))
    assert min(covered.values()) >= 80
