"""Checks the statistical tests of specs/20-loops.md, which tell a signal from noise. Compares their
results with brute force, and with tables that these tests compute again.
"""

from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.loops import change_detection as change
from protocol.loops import target_check as short
from protocol.loops.exact_tails import binomial_tails, hypergeometric_tails
from protocol.loops.points import COUNT, SHARE, Point, median_rates

getcontext().prec = 60


def counts(*incidents):
    return [Point(1, one) for one in incidents]


def shares(*pairs):
    return [Point(*pair) for pair in pairs]


# -- tails ----------------------------------------------------------------------------------------


@given(st.integers(0, 6), st.integers(0, 6), st.data())
def test_the_hypergeometric_tails_are_those_of_counting_all_draws(good, bad, data):
    drawn = data.draw(st.integers(0, good + bad))
    seen = data.draw(st.integers(max(0, drawn - good), min(bad, drawn)))
    draws = [sum(one) for one in combinations([0] * good + [1] * bad, drawn)]
    low = Fraction(sum(one <= seen for one in draws), len(draws))
    high = Fraction(sum(one >= seen for one in draws), len(draws))
    assert hypergeometric_tails(good, bad, drawn, seen) == (low, high)


@given(st.integers(0, 12), st.fractions(0, 1, max_denominator=30), st.data())
def test_the_binomial_tails_are_sums(n, p, data):
    seen = data.draw(st.integers(0, n))
    mass = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    assert binomial_tails(n, p, seen) == (sum(mass[: seen + 1]), sum(mass[seen:]))


# -- the short test -------------------------------------------------------------------------------


def poisson_at_most(x, mean):
    term = total = (-mean).exp()
    for k in range(1, x + 1):
        term *= mean / k
        total += term
    return total


def test_the_means_keep_the_target_in_nine_windows_of_ten():
    for target, thousandths in enumerate(short.MEANS):
        kept = [
            poisson_at_most(target, Decimal(thousandths + off) / 2000) >= Decimal("0.9")
            for off in (thousandths - 1, thousandths + 1)
        ]
        assert kept == [True, False], target


@pytest.mark.parametrize("target", range(1, 21))
def test_the_sums_that_miss_a_target_are_made_anew(target):
    for k, smallest in enumerate(short.MISSED[target - 1], 1):
        mean = Decimal(short.MEANS[target]) * k / 1000
        limit = Decimal(1) / (20 if k < 8 else 100)
        assert 1 - poisson_at_most(smallest - 1, mean) <= limit
        assert 1 - poisson_at_most(smallest - 2, mean) > limit


PUBLISHED = {
    1: "3 4 5 6 7 7 8 11 12 12 13 14",
    2: "4 6 8 9 11 12 14 17 19 20 22 23",
    3: "5 8 10 13 15 17 19 24 27 29 31 33",
    4: "6 10 13 16 19 22 25 31 34 37 40 43",
    5: "7 12 16 20 24 27 31 39 42 46 50 54",
    6: "8 14 19 23 28 33 37 46 51 55 60 64",
    8: "11 18 24 31 37 43 49 60 67 73 79 86",
    10: "13 21 30 38 46 54 62 75 83 91 99 107",
    15: "18 31 44 57 69 82 94 113 125 138 150 162",
    20: "23 41 59 76 93 109 126 151 168 184 201 218",
}


@pytest.mark.parametrize("target", PUBLISHED)
def test_the_known_answers_hold(target):
    for k, smallest in enumerate(map(int, PUBLISHED[target].split()), 1):
        assert short.misses_target(COUNT, target, counts(*[0] * (k - 1), smallest))
        assert not short.misses_target(COUNT, target, counts(*[0] * (k - 1), smallest - 1))


def test_of_what_must_never_happen_once_is_enough():
    assert not short.misses_target(COUNT, 0, counts(0, 0, 0))
    assert short.misses_target(COUNT, 0, counts(0, 1, 0))


def test_only_the_latest_twelve_points_are_pooled():
    assert short.misses_target(COUNT, 2, counts(23, *[0] * 11))
    assert not short.misses_target(COUNT, 2, counts(23, *[0] * 12))


def test_a_share_is_missed_when_chance_does_not_explain_it():
    # P(Bin(10, 1/5) >= 5) = 0.0328, P(>= 4) = 0.1209
    assert short.misses_target(SHARE, 80, shares((10, 5)))
    assert not short.misses_target(SHARE, 80, shares((10, 4)))
    # From eight points on the limit is 1/100: P(Bin(80, 1/5) >= 26) = 0.0058, P(>= 25) = 0.0113
    assert short.misses_target(SHARE, 80, shares(*[(10, 3)] * 6, (10, 4), (10, 4)))
    assert not short.misses_target(SHARE, 80, shares(*[(10, 3)] * 7, (10, 4)))


def test_without_points_nothing_is_missed():
    assert not short.misses_target(SHARE, 80, [])


# -- the change test ------------------------------------------------------------------------------


def test_before_nine_points_nothing_is_said():
    held = change.run_change_test(COUNT, counts(*[1] * 8))
    assert (held.w1, held.w4, held.r8, held.change) == (None, None, 0, None)
    assert change.run_change_test(COUNT, counts(*[1] * 9)).w1 is not None
    assert change.run_change_test(COUNT, counts(*[1] * 11)).w4 is None
    assert change.run_change_test(COUNT, counts(*[1] * 12)).w4 is not None


def test_a_leap_of_a_count_is_a_signal():
    quiet, leap = [2, 1, 2, 3, 2, 2, 1, 3], 10
    held = change.run_change_test(COUNT, counts(*quiet, leap))
    c = sum(quiet)
    whole = [comb(c + leap, k) * 8 ** (c + leap - k) for k in range(c + leap + 1)]
    assert held.w1.worse == Fraction(sum(whole[leap:]), 9 ** (c + leap))
    assert held.w1.dispersion == 1000
    assert held.change == "worse"
    assert change.run_change_test(COUNT, counts(*quiet, 5)).change is None


def test_a_leap_of_a_share_is_a_signal():
    usual = shares(*[(10, 2)] * 8)
    held = change.run_change_test(SHARE, [*usual, Point(10, 8)])
    ways = [comb(24, k) * comb(66, 10 - k) for k in range(11)]
    assert held.w1.worse == Fraction(sum(ways[8:]), comb(90, 10))
    assert held.change == "worse"
    assert change.run_change_test(SHARE, [*usual, Point(10, 4)]).change is None


def test_a_fall_of_bad_answers_is_better():
    usual = shares(*[(10, 5)] * 12)
    assert change.run_change_test(SHARE, [*usual, *shares(*[(10, 1)] * 4)]).change == "better"


def test_four_points_see_what_one_does_not():
    points = counts(*[4, 3, 5, 4, 4, 3, 5, 4] * 2, 8, 8, 8, 8)
    held = change.run_change_test(COUNT, points)
    assert held.w1.worse > change.RARE >= held.w4.worse


def test_the_baseline_ends_after_24_points():
    points = counts(*[2] * 24, *[30] * 20, 2)
    held = change.run_change_test(COUNT, points)
    assert held.w1.worse > Fraction(1, 2)  # the points of 30 are not in the baseline


def test_one_freak_of_the_baseline_is_left_out():
    freak = change.run_change_test(COUNT, counts(2, 2, 1, 2, 20, 2, 2, 3, 2, 2))
    assert freak.w1.screened == 4
    without = change.run_change_test(COUNT, counts(2, 2, 1, 2, 2, 2, 3, 2, 2))
    assert freak.w1.worse == without.w1.worse


def test_of_two_equal_freaks_the_earlier_is_left_out():
    held = change.run_change_test(
        COUNT, counts(1, 15, 1, 1, 1, 1, 1, 1, 15, 1, 1, 1, 1, 1, 1, 1, 1)
    )
    assert held.w1.screened == 1


def test_points_that_scatter_need_more_to_be_a_signal():
    steady, wild = [4] * 8, [0, 8, 1, 7, 0, 8, 2, 6]
    assert sum(steady) == sum(wild)
    even = change.run_change_test(COUNT, counts(*steady, 12))
    scattered = change.run_change_test(COUNT, counts(*wild, 12))
    # χ² = Σ (8x − 32)² / (8 · 32) = 22.5 over 7
    assert scattered.w1.dispersion == 1000 * (16 * 4 + 9 * 2 + 4 * 2) * 64 // (256 * 7)
    assert even.w1.worse < scattered.w1.worse


def test_the_dispersion_of_a_share_is_that_of_pearson():
    points = shares((10, 0), (10, 9), (12, 1), (9, 8), (10, 1), (11, 9), (10, 2), (10, 8))
    n, bad = sum(one.n for one in points), sum(one.bad for one in points)
    p = Fraction(bad, n)
    chi = sum((one.bad - one.n * p) ** 2 / (one.n * p * (1 - p)) for one in points)
    assert change.estimate_dispersion(SHARE, points) == 1000 * chi // 7 > 1000


@pytest.mark.parametrize("points", [counts(*[0] * 9), shares(*[(5, 0)] * 9), shares(*[(5, 5)] * 9)])
def test_where_nothing_varies_nothing_is_a_signal(points):
    scale = COUNT if points[0].n == 1 else SHARE
    held = change.run_change_test(scale, points)
    assert (held.w1.dispersion, held.w1.worse, held.change) == (1000, 1, None)


def test_eight_on_one_side_are_a_signal():
    usual = [1, 3, 1, 3, 1, 3, 1, 3]
    assert change.run_change_test(COUNT, counts(*usual, *[4] * 8)).r8 == 1
    assert change.run_change_test(COUNT, counts(*usual, *[4] * 7)).r8 == 0
    assert change.run_change_test(COUNT, counts(*usual, *[3] * 8)).r8 == 0
    assert change.run_change_test(COUNT, counts(*usual, *[0] * 8)).r8 == -1


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_medians_stand_in_the_middle(pairs):
    points = [Point(n, min(n, bad)) for n, bad in pairs]
    lower, upper = median_rates(points)
    assert 2 * sum(one.rate <= lower for one in points) >= len(points)
    assert 2 * sum(one.rate >= upper for one in points) >= len(points)
    assert lower <= upper


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=34))
def test_worse_and_better_are_mirrors(pairs):
    points = [Point(n, min(n, bad)) for n, bad in pairs]
    mirrored = [Point(n, n - bad) for n, bad in points]
    one, other = (change.run_change_test(SHARE, each) for each in (points, mirrored))
    assert one.r8 == -other.r8
    for here, there in ((one.w1, other.w1), (one.w4, other.w4)):
        assert (here is None) == (there is None)
        if here is not None:
            assert (here.worse, here.better) == (there.better, there.worse)


# -- limits ---------------------------------------------------------------------------------------

SOME = st.lists(st.integers(0, 9), min_size=9, max_size=20)


@given(SOME)
def test_the_limit_of_a_count_is_the_first_that_stands_out(incidents):
    points = counts(*incidents)
    least = change.alarm_limit(COUNT, points)

    def worse(bad):
        return change.run_change_test(COUNT, [*points[:-1], Point(1, bad)]).w1.worse <= change.RARE

    assert worse(least)
    assert least == 0 or not worse(least - 1)


@given(SOME, st.integers(9, 30))
def test_the_limit_of_a_share_is_the_first_that_stands_out(bad, n):
    points = [Point(9, one) for one in bad[:-1]] + [Point(n, 0)]
    least = change.alarm_limit(SHARE, points)

    def worse(one):
        return change.run_change_test(SHARE, [*points[:-1], Point(n, one)]).w1.worse <= change.RARE

    assert (least is None) == (not worse(n))
    assert least is None or (worse(least) and (least == 0 or not worse(least - 1)))


def test_there_is_no_limit_before_there_is_a_baseline():
    assert change.alarm_limit(COUNT, counts(*[1] * 8)) is None
    assert change.alarm_limit(COUNT, counts(*[1] * 9)) is not None


def test_a_signal_says_which_test_found_it():
    found = change.run_change_test(COUNT, counts(1, 2, 0, 2, 1, 3, 1, 2, 8))
    assert (found.change, found.decided_by) == ("worse", "w1")
    found = change.run_change_test(SHARE, shares(*4 * [(10, 1), (10, 2)], *8 * [(10, 3)]))
    assert (found.change, found.decided_by) == ("worse", "r8")
    assert change.run_change_test(COUNT, counts(1, 1)).decided_by is None
