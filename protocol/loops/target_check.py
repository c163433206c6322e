"""The short test (R-20.7): do the latest points miss the measure's target?

A point is the counted answers of one window. The test does not ask whether it is usual here to miss
the target.
"""

from collections.abc import Sequence
from fractions import Fraction

from protocol.loops.exact_tails import binomial_tails
from protocol.loops.points import COUNT, Point, sum_points

POOLED = 12  # the test adds up at most this many of the latest points
MOST_TARGET = 20  # the highest target: incidents in a window
USUAL_SHARE = 80  # percent of the answers that should be good, if a measure leaves it out

_FEW = 8  # from this many points on, the stricter limit `_RARE` holds
_UNLIKELY = Fraction(1, 20)
_RARE = Fraction(1, 100)

# `MISSED` has a row for each target from 1 on. For 1 to 12 windows, the row has the smallest sum of
# incidents that misses the target. The sums come from the tails of Poisson distributions. `MEANS`
# has the means of these distributions, in thousandths, from target 0 on. With the mean for a
# target, nine of ten windows keep this target. These are fixed tables, because homes must not
# compute tails with floats: their results could differ. A test computes both tables again.
MEANS = (
    105, 532, 1102, 1745, 2433, 3152, 3895, 4656, 5432, 6221, 7021,
    7829, 8646, 9470, 10300, 11135, 11976, 12822, 13671, 14525, 15383,
)  # fmt: skip
MISSED = (
    (3, 4, 5, 6, 7, 7, 8, 11, 12, 12, 13, 14),  # 1
    (4, 6, 8, 9, 11, 12, 14, 17, 19, 20, 22, 23),  # 2
    (5, 8, 10, 13, 15, 17, 19, 24, 27, 29, 31, 33),  # 3
    (6, 10, 13, 16, 19, 22, 25, 31, 34, 37, 40, 43),  # 4
    (7, 12, 16, 20, 24, 27, 31, 39, 42, 46, 50, 54),  # 5
    (8, 14, 19, 23, 28, 33, 37, 46, 51, 55, 60, 64),  # 6
    (9, 16, 21, 27, 32, 38, 43, 53, 59, 64, 70, 75),  # 7
    (11, 18, 24, 31, 37, 43, 49, 60, 67, 73, 79, 86),  # 8
    (12, 20, 27, 34, 42, 49, 56, 68, 75, 82, 89, 96),  # 9
    (13, 21, 30, 38, 46, 54, 62, 75, 83, 91, 99, 107),  # 10
    (14, 23, 33, 42, 51, 60, 68, 83, 92, 101, 109, 118),  # 11
    (15, 25, 36, 46, 55, 65, 75, 90, 100, 110, 120, 129),  # 12
    (16, 27, 38, 49, 60, 70, 81, 98, 108, 119, 130, 140),  # 13
    (17, 29, 41, 53, 65, 76, 87, 105, 117, 128, 140, 151),  # 14
    (18, 31, 44, 57, 69, 82, 94, 113, 125, 138, 150, 162),  # 15
    (19, 33, 47, 61, 74, 87, 100, 120, 134, 147, 160, 173),  # 16
    (20, 35, 50, 64, 79, 93, 107, 128, 142, 156, 170, 184),  # 17
    (21, 37, 53, 68, 83, 98, 113, 135, 151, 166, 181, 196),  # 18
    (22, 39, 56, 72, 88, 104, 120, 143, 159, 175, 191, 207),  # 19
    (23, 41, 59, 76, 93, 109, 126, 151, 168, 184, 201, 218),  # 20
)  # fmt: skip
_NEVER = (1,) * POOLED  # if the target is 0, every incident is a miss


def misses_target(scale: str, aim: int, points: Sequence[Point]) -> bool:
    """Returns True if the latest points, added up, miss the measure's target.

    A point is the counted answers of one window. `aim` is the target. On the scale `share`, it is
    the percentage of answers that should be good. On the scale `count`, it is the number of
    incidents that a window may have.
    """
    pooled = points[-POOLED:]
    if not pooled:
        return False
    n, bad = sum_points(pooled)
    if scale == COUNT:
        smallest_miss = MISSED[aim - 1] if aim else _NEVER
        return bad >= smallest_miss[len(pooled) - 1]
    limit = _UNLIKELY if len(pooled) < _FEW else _RARE
    return binomial_tails(n, Fraction(100 - aim, 100), bad)[1] <= limit
