"""Points: what a measure's answers of one window come to (R-20.1).

On the scale "share" an answer is good or bad against a target, and a point is how many there were
and how many of them were bad. On the scale "count" it is how many distinct incidents there were.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

SHARE, COUNT = "share", "count"


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


def totals(points: Iterable[Point]) -> Totals:
    """The sum of points."""
    many = list(points)
    return Totals(sum(one.n for one in many), sum(one.bad for one in many))


def median_rates(points: Sequence[Point]) -> tuple[Fraction, Fraction]:
    """The lower and the upper median of the rates of an even or odd number of points."""
    rates = sorted(one.rate for one in points)
    return rates[(len(rates) - 1) // 2], rates[len(rates) // 2]
