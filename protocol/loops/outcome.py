"""The outcome of a matter: a test compares the answers before and after an action (R-23.7)."""

from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from protocol.loops.change_detection import tail_probabilities
from protocol.loops.matters import Loop, Matter
from protocol.loops.points import Totals, sum_points

_CLEAR = Fraction(1, 20)


class Result(StrEnum):
    """What the comparison of the answers before and after an action says."""

    BETTER = "better"  # fewer bad answers, beyond chance
    FEWER = "fewer"  # fewer bad answers, which could still be chance
    NO_BETTER = "no better"


class Outcome(NamedTuple):
    """The totals before an action was done, the totals after, and the result of the comparison.

    The totals are numbers of answers and bad answers, or of windows and incidents.
    """

    before: Totals
    after: Totals
    result: Result


def outcome_of(loop: Loop, matter: Matter) -> Outcome | None:
    """Returns the outcome of a matter.

    Returns None if the matter's first action is not done. Also returns None if no window has
    counted answers before the action was done, or no window has them afterwards. The window that
    opened the matter is left out. It was picked because it was bad, so the windows after it look
    better by chance alone.
    """
    leading = matter.leading
    if leading is None or leading.done_at is None:
        return None
    done = loop.context.calendar.window_at(leading.done_at)
    before = sum_points(point for window, point in loop.points if matter.window < window <= done)
    after = sum_points(point for window, point in loop.points if window > done)
    if not before.n or not after.n:
        return None
    # Compares the two rates by products of integers, so that nothing is rounded.
    is_less = after.bad * before.n < before.bad * after.n
    if not is_less:
        return Outcome(before, after, Result.NO_BETTER)
    better, _ = tail_probabilities(loop.context.scale, before, after)
    return Outcome(before, after, Result.BETTER if better <= _CLEAR else Result.FEWER)
