"""The holder of a matter.

It begins deep in the chain, and climbs if a holder does not answer (R-23.6).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from protocol.loops.windows import DAY_MS

LONGEST_MS = 28 * DAY_MS  # how late an action may be due
_MOST_REOPENED = 2  # after so many reopened actions, the holder has missed the matter


class Step(NamedTuple):
    """An answer or an action by one person.

    `due` is when the action should be done, `done` when it was done.
    """

    time: int
    person: bytes
    due: int | None = None
    done: int | None = None


class Holder(NamedTuple):
    """The holder of a matter, by their place in the chain.

    `level` 0 is the top of the chain; −1 is the neighbourhood.
    """

    level: int
    since: int
    answer_by: int | None  # when the holder's time to answer ends; None if they have answered


def find_holder(
    chain: Sequence[bytes],
    begin: int,
    opened: int,
    steps: Iterable[Step],
    reopened: Iterable[int],
    answer_ms: int,
    now: int,
) -> Holder:
    """Returns the holder of a matter at `now`.

    `chain` has the people from the top down. Times are in ms.
    """
    steps_in_order = sorted(steps)
    reopened_in_order = sorted(reopened)
    level = begin
    since = opened
    while level >= 0:
        holder = chain[level]
        missed = _find_miss(holder, since, steps_in_order, reopened_in_order, answer_ms)
        if missed is None or missed > now:
            has_answered = any(
                step.person == holder and step.time >= since for step in steps_in_order
            )
            return Holder(level, since, None if has_answered else since + answer_ms)
        level -= 1
        since = missed
    return Holder(level, since, None)


def _find_miss(
    holder: bytes, since: int, steps: Sequence[Step], reopened: Sequence[int], answer_ms: int
) -> int | None:
    """Returns the time at which the holder misses the matter, or None if the holder does not.

    A holder misses it by not answering in time, by an action that is not done when due, or when
    actions are reopened twice.
    """
    misses = []
    reopened_since = [time for time in reopened if time >= since]
    if len(reopened_since) >= _MOST_REOPENED:
        misses.append(reopened_since[_MOST_REOPENED - 1])
    answer_by = since + answer_ms
    own_steps = [step for step in steps if step.person == holder and step.time >= since]
    if not own_steps or own_steps[0].time > answer_by:
        misses.append(answer_by)
    for step in own_steps:
        if step.due is not None:
            due = min(step.due, step.time + LONGEST_MS)
            if step.done is None or step.done > due:
                misses.append(due)
            break  # only the first action decides; the person's other actions help it
    return min(misses, default=None)
