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
    WORSE = "balance_worse"  # of a balance: more bad answers, beyond chance
    NO_WORSE = "balance_no_worse"


class Outcome(NamedTuple):
    """The totals before an action was done, the totals after, and the result of the comparison.

    The totals are numbers of answers and bad answers, or of windows and incidents.
    """

    before: Totals
    after: Totals
    result: Result


def outcome_of(loop: Loop, matter: Matter) -> Outcome | None:
    """Returns the outcome of a matter.

    Returns None if the matter's first action is not done. Also returns None if no answers were
    counted before the action was done, or none after it. The window in which the action was done
    counts as before. The window that opened the matter is left out, because it was picked for being
    bad: the windows after it look better by chance alone.
    """
    leading = matter.leading
    if leading is None or leading.done_at is None:
        return None
    before, after = _totals(loop, matter.window, leading.done_at)
    if not before.n or not after.n:
        return None
    if not _is_less(after, before):
        return Outcome(before, after, Result.NO_BETTER)
    better, _ = tail_probabilities(loop.context.scale, before, after)
    return Outcome(before, after, Result.BETTER if better <= _CLEAR else Result.FEWER)


def balance_of(loop: Loop, matter: Matter, balance: Loop) -> Outcome | None:
    """Compares the balance of a measure before and after the first action of a matter (R-22.13b).

    A balance is another measure, which the action could make worse. `loop` is the loop of the
    measure, and `balance` is the loop of the balance. Returns None if the action is not done, or if
    the balance has no points before or after the action.
    """
    leading = matter.leading
    if leading is None or leading.done_at is None:
        return None
    opened = balance.context.calendar.window_at(loop.context.calendar.window_start(matter.window))
    # The window in which the matter opened was picked by the measure, not by its balance.
    before, after = _totals(balance, opened - 1, leading.done_at)
    if not before.n or not after.n:
        return None
    _, worse = tail_probabilities(balance.context.scale, before, after)
    is_worse = _is_less(before, after) and worse <= _CLEAR
    return Outcome(before, after, Result.WORSE if is_worse else Result.NO_WORSE)


def _totals(loop: Loop, opened: int, done_at: int) -> tuple[Totals, Totals]:
    """Returns two totals: of the points up to the window of the time `done_at` (ms), and of all
    later points. Leaves out the points up to the window `opened`.
    """
    done = loop.context.calendar.window_at(done_at)
    before = sum_points(point for window, point in loop.points if opened < window <= done)
    after = sum_points(point for window, point in loop.points if window > done)
    return before, after


def _is_less(first: Totals, second: Totals) -> bool:
    """Returns True if the rate of bad answers or incidents is lower in `first` than in `second`."""
    # Compares the two rates by products of integers, so that nothing is rounded.
    return first.bad * second.n < second.bad * first.n
