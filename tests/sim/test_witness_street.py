"""How many honest answers come late, what liars move, and what naming costs (specs/24)."""

from typing import NamedTuple

import pytest

from tests.support.hourly_street import DAY_MINUTES, HourlyStreet
from tests.support.witness_street import WitnessStreet

FEW_RUNS = 2
RUNS = 100
LEAST_PART = {0: 0.0, 3: 0.005, 5: 0.05}  # of honest answers that may come late, by days of cut
ANSWERS_A_DAY = {50: 5, 500: 37}
MOST_LATE = {60: 0.0, 120: 0.1, 240: 0.5}  # without a relay, by minutes in which the hours begin
MOST = {50: (45, 17_000), 500: (50, 40_000)}  # records and bytes a day


class Cell(NamedTuple):
    """What happened to the honest answers in streets whose list is not captured: the part that does
    not stand at its claimed time, and the part that a week leaves out. `moved` are the answers that
    liars moved. `captured` is the part of the streets whose list is captured, and `odds` the exact
    probability of that.
    """

    late: float
    left_out: float
    moved: int
    captured: float
    odds: float


def simulate(people, runs, cut_days=0, liars=0.0):
    late = left_out = total = moved = captured = 0
    for seed in range(runs):
        street = WitnessStreet(people, seed, cut_days, liars, min(people / 7, 15))
        odds = street.captured_odds()
        if street.is_captured():
            captured += 1
            continue
        late_here, left_out_here, count = street.late()
        late, left_out, total = late + late_here, left_out + left_out_here, total + count
        moved += street.moved()
    total = max(total, 1)
    return Cell(late / total, left_out / total, moved, captured / runs, odds)


def test_no_honest_answer_is_late_without_a_cut():
    assert simulate(5, FEW_RUNS) == (0, 0, 0, 0, 0)


def late_without_a_relay(people, runs, stretch):
    """Returns the part of the honest answers that is late if all homes run for an hour a day. The
    hours begin within a stretch of the day (minutes).
    """
    streets = [HourlyStreet(people, seed, stretch).late() for seed in range(runs)]
    return sum(late for late, _, _ in streets) / sum(count for _, _, count in streets)


def test_homes_need_no_relay_while_their_hours_overlap():
    assert late_without_a_relay(5, FEW_RUNS, stretch=60) == 0
    assert late_without_a_relay(5, FEW_RUNS, stretch=DAY_MINUTES) > 0


def test_an_answer_on_the_smaller_side_of_a_long_cut_is_late():
    assert simulate(12, FEW_RUNS, cut_days=8).late > 0


def test_the_odds_of_a_captured_list_are_exact():
    assert WitnessStreet(12, 1, liars=1 / 3).captured_odds() == 0
    assert round(WitnessStreet(500, 1, liars=1 / 3, answers_a_day=1).captured_odds(), 3) == 0.053


@pytest.mark.long
@pytest.mark.parametrize("people", [5, 12, 50, 500])
@pytest.mark.parametrize("cut_days", [0, 3, 5])
@pytest.mark.parametrize("liars", [0.0, 0.1, 1 / 3])
def test_witnessing_in_a_street(people, cut_days, liars):
    cell = simulate(people, RUNS, cut_days, liars)
    print(f"\n{people} people, {liars:.0%} lying, {cut_days} days: {cell}")  # noqa: T201 -- with -s
    assert cell.moved == 0
    assert cell.left_out <= LEAST_PART[cut_days]
    if not liars:
        assert cell.late <= LEAST_PART[cut_days]


@pytest.mark.long
@pytest.mark.parametrize("people", [50, 500])
def test_what_naming_costs_a_day(people):
    one = WitnessStreet(people, 1, answers_a_day=ANSWERS_A_DAY[people])
    records, size = one.cost()
    assert (records <= MOST[people][0], size <= MOST[people][1]) == (True, True)


@pytest.mark.long
@pytest.mark.parametrize("people", [5, 12])
@pytest.mark.parametrize("stretch", MOST_LATE)
def test_how_many_are_late_without_a_relay(people, stretch):
    late = late_without_a_relay(people, RUNS, stretch)
    print(f"\n{people} people, hours begin within {stretch} minutes: {late:.1%} late")  # noqa: T201 -- with -s
    assert late <= MOST_LATE[stretch]
