"""Points: the answers to a measure in one window, as numbers (R-20.1).

On the scale `share` a target makes each answer good or bad; a point is the number of answers and
the number of bad ones. On the scale `count` a point is the number of distinct incidents.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

SHARE = "share"
COUNT = "count"


class Point(NamedTuple):
    """One settled window. `bad` is the number of bad answers among `n`.

    If incidents are counted, `bad` is the number of incidents and `n` is 1.
    """

    n: int
    bad: int

    @property
    def rate(self) -> Fraction:
        """Bad answers per answer, or incidents per window."""
        return Fraction(self.bad, self.n)


class Totals(NamedTuple):
    """The sum of several points.

    `n` is the number of answers or of windows. `bad` is the number of bad answers or of incidents.
    """

    n: int
    bad: int


def sum_points(points: Iterable[Point]) -> Totals:
    """Adds points."""
    kept = list(points)
    return Totals(sum(point.n for point in kept), sum(point.bad for point in kept))


def median_rates(points: Sequence[Point]) -> tuple[Fraction, Fraction]:
    """Returns the lower and the upper median of the points' rates.

    If the number of points is odd, both are the same.
    """
    rates = sorted(point.rate for point in points)
    return rates[(len(rates) - 1) // 2], rates[len(rates) // 2]
