"""The change test (R-20.3 to R-20.6): does a measure now differ from what is usual here?

A point is the counted answers of one window. A phase is a row of points that the test compares with
each other. The first points of a phase are the baseline: they show what is usual. The test compares
the latest points with the baseline.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

from protocol.loops.exact_tails import binomial_tails, hypergeometric_tails
from protocol.loops.points import COUNT, Point, Totals, median_rates, sum_points

Change = Literal["worse", "better"]

BASELINE = range(8, 25)  # how many points a baseline may have
LATEST = (1, 4)  # how many of the latest points are compared with the baseline
RARE = Fraction(1, 400)
RUN = 8
EVEN = 1000  # a dispersion of one, in thousandths


class TailTest(NamedTuple):
    """The comparison of a measure's latest points with its first points, by tail probabilities.

    A point is the counted answers of one window.
    """

    better: Fraction  # if nothing has changed: the probability of at most this many bad answers
    worse: Fraction  # if nothing has changed: the probability of at least this many
    dispersion: int  # how much the baseline scatters, in thousandths; 1000 at least
    screened: int | None  # the index of the point that was left out of the baseline


class ChangeTest(NamedTuple):
    """The result of the change test at one point, from its three parts `w1`, `w4` and `r8`.

    If there are too few points to say what is usual, `w1` and `w4` are None.
    """

    w1: TailTest | None  # tests the latest point
    w4: TailTest | None  # tests the four latest points
    r8: int  # 1: the eight latest points are all worse than usual, −1: all better, 0: neither

    @property
    def change(self) -> Change | None:
        """The signal: "worse", "better" or None.

        If one part of the test gives "worse" and another part gives "better", the signal is
        "worse".
        """
        tail_tests = [test for test in (self.w1, self.w4) if test is not None]
        if self.r8 > 0 or any(test.worse <= RARE for test in tail_tests):
            return "worse"
        if self.r8 < 0 or any(test.better <= RARE for test in tail_tests):
            return "better"
        return None

    @property
    def decided_by(self) -> str | None:
        """The name of the part of the test that gives the signal, or None if there is no signal.

        If several parts give the signal, the first of `w1`, `w4` and `r8` is named.
        """
        change = self.change
        if change is None:
            return None
        for name, test in (("w1", self.w1), ("w4", self.w4)):
            if test is not None and getattr(test, change) <= RARE:
                return name
        return "r8"


class _Baseline(NamedTuple):
    """What is usual: the totals of a measure's first points, divided by `dispersion`.

    `dispersion` tells how much these points scatter.
    """

    usual: Totals
    dispersion: int  # in thousandths
    screened: int | None  # the index of the point that was left out


def run_change_test(scale: str, points: Sequence[Point]) -> ChangeTest:
    """Runs the change test for the last one of `points`. The test may compare all these points with
    each other.
    """
    latest, four_latest = (_test_tail(scale, points, size) for size in LATEST)
    return ChangeTest(latest, four_latest, _find_run(points))


def alarm_limit(scale: str, points: Sequence[Point]) -> int | None:
    """Returns the fewest bad answers or incidents with which the last point would signal "worse".

    Only the last point is tested here, not the latest four together. Returns None if there are too
    few points to say what is usual. Also returns None if even a point with only bad answers would
    give no such signal.
    """
    *before, last = points
    baseline = _find_baseline(scale, tuple(before[: BASELINE[-1]]))
    if baseline is None:
        return None

    def is_rare(bad: int) -> bool:
        now = _thin(scale, Totals(last.n, bad), baseline.dispersion)
        return tail_probabilities(scale, baseline.usual, now)[1] <= RARE

    least = 0
    if scale == COUNT:
        # The number of incidents has no upper bound. So `most` doubles until it is rare enough.
        most = 1
        while not is_rare(most):
            least = most
            most *= 2
    elif is_rare(last.n):
        most = last.n
    else:
        return None
    # A higher number is never less rare. So a binary search finds the smallest rare number.
    while least < most:
        middle = (least + most) // 2
        if is_rare(middle):
            most = middle
        else:
            least = middle + 1
    return most


def estimate_dispersion(scale: str, baseline: Sequence[Point]) -> int:
    """Returns how much the points scatter, compared with chance, in thousandths (R-20.5).

    The result 1000 means that the points scatter no more than by chance.
    """
    n, bad = sum_points(baseline)
    if scale != COUNT:
        return _share_dispersion(baseline, n, bad)
    squares = sum((point.bad * n - bad) ** 2 for point in baseline)
    below = n * bad
    if not below or len(baseline) < 2:  # noqa: PLR2004
        return EVEN
    return max(EVEN, EVEN * squares // (below * (len(baseline) - 1)))


def tail_probabilities(scale: str, usual: Totals, now: Totals) -> tuple[Fraction, Fraction]:
    """Returns how probable the count in `now` is if nothing has changed since `usual`.

    The count is the number of bad answers or of incidents. The first result is the probability of
    at most this count. The second result is the probability of at least this count.
    """
    bad = usual.bad + now.bad
    if scale == COUNT:
        return binomial_tails(bad, Fraction(now.n, usual.n + now.n), now.bad)
    return hypergeometric_tails(usual.n + now.n - bad, bad, now.n, now.bad)


def _test_tail(scale: str, points: Sequence[Point], size: int) -> TailTest | None:
    """Compares the latest `size` points with the baseline: the first points, which show what is
    usual.

    The latest `size` points are never in the baseline. Returns None if there are too few points for
    a baseline.
    """
    before = points[: len(points) - size]
    baseline = _find_baseline(scale, tuple(before[: BASELINE[-1]]))
    if baseline is None:
        return None
    now = _thin(scale, sum_points(points[-size:]), baseline.dispersion)
    better, worse = tail_probabilities(scale, baseline.usual, now)
    return TailTest(better, worse, baseline.dispersion, baseline.screened)


@lru_cache(maxsize=1024)  # all later points of a phase have one baseline
def _find_baseline(scale: str, points: tuple[Point, ...]) -> _Baseline | None:
    kept = list(points)
    if len(kept) < BASELINE[0]:
        return None
    screened = _find_outlier(scale, kept)
    if screened is not None:
        del kept[screened]
    dispersion = estimate_dispersion(scale, kept)
    return _Baseline(_thin(scale, sum_points(kept), dispersion), dispersion, screened)


def _find_outlier(scale: str, baseline: list[Point]) -> int | None:
    """Finds the point that differs so much from the others that it cannot be usual (R-20.4).

    Returns the index of that point, or None if there is no such point.
    """
    whole = sum_points(baseline)
    least = RARE
    outlier = None
    for place, point in enumerate(baseline):
        others = Totals(whole.n - point.n, whole.bad - point.bad)
        tail = min(tail_probabilities(scale, others, Totals(*point)))
        if tail < least or (tail == least and outlier is None):
            least = tail
            outlier = place
    return outlier


def _share_dispersion(baseline: Sequence[Point], n: int, bad: int) -> int:
    if bad in {0, n} or len(baseline) < 2:  # noqa: PLR2004
        return EVEN
    chi = sum(Fraction((point.bad * n - point.n * bad) ** 2, point.n) for point in baseline)
    return max(EVEN, EVEN * chi // (bad * (n - bad) * (len(baseline) - 1)))


def _thin(scale: str, sums: Totals, dispersion: int) -> Totals:
    """Divides the totals of points by their dispersion. So points that scatter more count like
    fewer answers.
    """
    bad = sums.bad * EVEN // dispersion
    if scale == COUNT:
        return Totals(sums.n, bad)
    good = (sums.n - sums.bad) * EVEN // dispersion
    return Totals(good + bad, bad)


@lru_cache(maxsize=1024)
def _medians(baseline: tuple[Point, ...]) -> tuple[Fraction, Fraction]:
    return median_rates(baseline)


def _find_run(points: Sequence[Point]) -> int:
    """Compares the eight latest points with the medians of the first points, which show what is
    usual (R-20.6).

    Returns 1 if all eight are worse, −1 if all eight are better, and otherwise 0.
    """
    baseline = points[: len(points) - RUN][: BASELINE[-1]] if len(points) > RUN else ()
    if len(baseline) < BASELINE[0]:
        return 0
    lower, upper = _medians(tuple(baseline))
    latest = [point.rate for point in points[-RUN:]]
    if all(rate > upper for rate in latest):
        return 1
    return -1 if all(rate < lower for rate in latest) else 0
