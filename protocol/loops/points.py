"""Points: the answers to a measure in one window, as numbers (R-20.1).

On the scale `share`, the measure's target makes each answer good or bad. A point is then the number
of answers and the number of bad answers. On the scale `count`, a point is the number of distinct
incidents.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

SHARE = "share"
COUNT = "count"


class Point(NamedTuple):
    """The numbers of one window. `bad` is the number of bad answers among all `n` answers.

    On the scale `count`, `bad` is the number of incidents, and `n` is 1.
    """

    n: int
    bad: int

    @property
    def rate(self) -> Fraction:
        """The bad answers divided by all answers, or the incidents per window."""
        return Fraction(self.bad, self.n)


class Totals(NamedTuple):
    """The sums over several points.

    On the scale `share`, `n` is the number of all answers, and `bad` is the number of bad answers.
    On the scale `count`, `n` is the number of windows, and `bad` is the number of incidents.
    """

    n: int
    bad: int


def sum_points(points: Iterable[Point]) -> Totals:
    """Adds up the numbers of several points."""
    kept = list(points)
    return Totals(sum(point.n for point in kept), sum(point.bad for point in kept))


def median_rates(points: Sequence[Point]) -> tuple[Fraction, Fraction]:
    """Returns the lower and the upper median of the points' rates.

    If the number of points is odd, both medians are the same.
    """
    rates = sorted(point.rate for point in points)
    return rates[(len(rates) - 1) // 2], rates[len(rates) // 2]
