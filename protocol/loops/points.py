"""Points: the answers to a measure of one window, as numbers (R-20.1).

On the scale "share" an answer is good or bad against a target, and a point is how many there were
and how many of them were bad. On the scale "count" a point is how many distinct incidents there were.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

SHARE = "share"
COUNT = "count"


class Point(NamedTuple):
    """One settled window. `bad`: the bad answers among `n`; or the incidents, `n` being 1 then."""

    n: int
    bad: int

    @property
    def rate(self) -> Fraction:
        """Bad answers an answer, or incidents a window."""
        return Fraction(self.bad, self.n)


class Totals(NamedTuple):
    """Several points together: answers, or windows; and the bad ones, or incidents."""

    n: int
    bad: int


def sum_points(points: Iterable[Point]) -> Totals:
    """Adds points up."""
    kept = list(points)
    return Totals(sum(point.n for point in kept), sum(point.bad for point in kept))


def median_rates(points: Sequence[Point]) -> tuple[Fraction, Fraction]:
    """The lower and the upper median of the points' rates: the same where their number is odd."""
    rates = sorted(point.rate for point in points)
    return rates[(len(rates) - 1) // 2], rates[len(rates) // 2]
