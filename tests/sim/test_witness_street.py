"""How many honest answers come late, what liars move, and what naming costs (specs/24)."""

import pytest

from tests.support.witness_street import WitnessStreet

FEW_RUNS = 2
RUNS = 100
LEAST_PART = {0: 0.0, 3: 0.005, 5: 0.05}  # of honest answers that may come late, by days of cut
ANSWERS_A_DAY = {50: 5, 500: 37}
MOST = {50: (45, 17_000), 500: (50, 40_000)}  # records and bytes a day


def part_late(people, runs, cut_days=0, liars=0.0):
    """Returns the part of honest answers that came late in streets whose list is not captured, the
    answers that liars moved there, and the part of the streets whose list is captured.
    """
    late = total = moved = captured = 0
    for seed in range(runs):
        one = WitnessStreet(people, seed, cut_days, liars, min(people / 7, 15))
        if one.is_captured():
            captured += 1
            continue
        bad, count = one.late()
        late, total, moved = late + bad, total + count, moved + one.moved()
    return late / max(total, 1), moved, captured / runs


def test_no_honest_answer_is_late_without_a_cut():
    assert part_late(5, FEW_RUNS) == (0, 0, 0)


def test_an_answer_on_the_smaller_side_of_a_long_cut_is_late():
    late, _, _ = part_late(12, FEW_RUNS, cut_days=8)
    assert late > 0


@pytest.mark.long
@pytest.mark.parametrize("people", [5, 12, 50, 500])
@pytest.mark.parametrize("cut_days", [0, 3, 5])
@pytest.mark.parametrize("liars", [0.0, 0.1, 1 / 3])
def test_witnessing_in_a_street(people, cut_days, liars):
    late, moved, _ = part_late(people, RUNS, cut_days, liars)
    assert moved == 0
    if not liars:
        assert late <= LEAST_PART[cut_days]


@pytest.mark.long
@pytest.mark.parametrize("people", [50, 500])
def test_what_naming_costs_a_day(people):
    one = WitnessStreet(people, 1, answers_a_day=ANSWERS_A_DAY[people])
    records, size = one.cost()
    assert (records <= MOST[people][0], size <= MOST[people][1]) == (True, True)
