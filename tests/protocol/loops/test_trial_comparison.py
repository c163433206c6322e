"""The exact comparison of a trial with the time before it (R-25.9 to R-25.12)."""

import random
import re
from fractions import Fraction
from itertools import combinations

import pytest

from protocol.loops.counted_answers import Report, Window
from protocol.loops.exact_tails import rank_sum_tails
from protocol.loops.points import COUNT, SHARE
from protocol.loops.trial_comparison import (
    POWER_BY_ANSWERS,
    POWER_OF_COUNTS,
    POWER_WINDOWS,
    Finding,
    compare_windows,
    find_power,
    windows_of_trial,
)
from protocol.loops.windows import Calendar
from tests.support.paths import SPECS
from tests.support.trial_power import share_of_better

WEEKS = Calendar(7, 0)


def tenths(counts):
    return [Fraction(count, 10) for count in counts]


def window_of(number, bad, answers=10):
    reports = [
        Report(place, bytes([place]), bytes([place]) * 32, number, 0, place < bad)
        for place in range(answers)
    ]
    return Window(number, reports)


def compared(before, during, openings=(), least=3):
    bads = [*before, *during]
    windows = {number: window_of(number, bad) for number, bad in enumerate(bads)}
    trial = range(len(before), len(bads))
    return compare_windows(SHARE, windows, trial, openings, least, lambda _: True)


@pytest.mark.parametrize("seed", range(6))
def test_tails_of_rank_sums_are_those_of_all_choices(seed):
    dice = random.Random(seed)
    values = [Fraction(dice.randrange(4)) for _ in range(8)]
    before, during = values[:5], values[5:]

    def twice_the_rank(value):
        return 2 * sum(other < value for other in values) + values.count(value)

    def rank_sum(chosen):
        return sum(map(twice_the_rank, chosen))

    sums = [rank_sum(values[place] for place in places) for places in combinations(range(8), 3)]
    seen = rank_sum(during)
    assert rank_sum_tails(before, during) == (
        Fraction(sum(value <= seen for value in sums), len(sums)),
        Fraction(sum(value >= seen for value in sums), len(sums)),
    )


@pytest.mark.parametrize(
    ("before", "during", "p", "finding"),
    [
        ([2, 2, 3, 1], [1, 0, 1, 0], Fraction(3, 70), Finding.BETTER),
        ([2, 2, 3, 1], [1, 1, 1, 2], Fraction(13, 70), Finding.UNCLEAR),
        ([1, 2, 3], [0, 0, 0], Fraction(1, 20), Finding.BETTER),
        ([0, 0, 0], [1, 2, 3], Fraction(1), Finding.WORSE),
        ([2, 2], [0, 0], None, Finding.TOO_FEW),
    ],
)
def test_trial_finds_what_the_spec_says(before, during, p, finding):
    comparison = compared(before, during)

    assert (comparison.better, comparison.finding) == (p, finding)


def test_window_that_opened_a_matter_is_left_out_before():
    comparison = compared([1, 1, 9], [1, 1, 1], openings=[2])

    assert comparison.windows_before == 2
    assert comparison.before == (20, 2)


def test_window_with_too_few_people_is_left_out():
    assert compared([1, 2, 3], [0, 0, 0], least=11).finding == Finding.TOO_FEW


def test_only_whole_windows_belong_to_a_trial():
    monday = WEEKS.window_of_day(20_000 - (20_000 - 4) % 7)
    whole = windows_of_trial(WEEKS, WEEKS.first_day(monday), WEEKS.first_day(monday + 3))

    assert whole == range(monday, monday + 3)


def test_power_is_said_for_no_more_than_there_is():
    assert find_power(SHARE, 2, 30) == 0
    assert find_power(SHARE, 4, 30) == POWER_BY_ANSWERS[30][1]
    assert find_power(SHARE, 99, 99) == POWER_BY_ANSWERS[30][-1]
    assert find_power(SHARE, 7, 19) == POWER_BY_ANSWERS[10][3]
    assert find_power(COUNT, 8, 1) == POWER_OF_COUNTS[4]


def test_table_of_powers_in_the_spec_is_that_of_the_code():
    text = (SPECS / "25-ideas-and-trials.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+|incidents) \| (\d[\d |]*) \|$", text, re.MULTILINE)
    in_spec = {name: tuple(map(int, cells.split(" | "))) for name, cells in rows}

    powers = {str(answers): row for answers, row in POWER_BY_ANSWERS.items()}
    assert in_spec == {**powers, "incidents": POWER_OF_COUNTS}


@pytest.mark.parametrize(("windows", "percent"), [(4, 28), (8, 60)])
def test_trial_notices_a_fall_to_half_as_often_as_it_says(windows, percent):
    assert abs(find_power(SHARE, windows, 30) - percent) <= 3
    assert abs(100 * share_of_better(windows, 30, 400) - percent) <= 8


@pytest.mark.long
@pytest.mark.parametrize("answers", [5, 10, 20, 30, None])
def test_every_cell_of_the_table_is_found_again(answers):
    for windows in POWER_WINDOWS:
        said = find_power(COUNT if answers is None else SHARE, windows, answers or 0)
        found = 100 * share_of_better(windows, answers, 4000, seed=2)
        assert abs(said - found) <= 3, (windows, found)


def test_trial_is_seldom_called_better_if_nothing_changes():
    assert share_of_better(8, 30, 400, changes=False) <= 0.08


@pytest.mark.long
@pytest.mark.parametrize("windows", [4, 8])
@pytest.mark.parametrize("answers", [5, 30, None])
@pytest.mark.parametrize("correlation", [0, Fraction(1, 20), Fraction(1, 5)])
def test_wrong_better_comes_at_most_once_in_twenty(windows, answers, correlation):
    runs = 5_000
    wrong = share_of_better(windows, answers, runs, changes=False, correlation=correlation)

    assert wrong <= 0.05 + 4 * (0.05 * 0.95 / runs) ** 0.5
