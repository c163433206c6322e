"""Finds the holder of a matter: the person in a service's chain who must act on it (R-23.6).

The first holder is low in the chain. If a holder does not answer in time, the matter moves up to
the next person.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from protocol.loops.windows import DAY_MS

LONGEST_MS = 28 * DAY_MS  # an action is due at most this long after it was written
_MOST_REOPENED = 2  # if actions are reopened this often, the holder loses the matter


class Step(NamedTuple):
    """An answer or an action by one person.

    `due` is the time by which the action should be done. `done` is the time at which it was done.
    """

    time: int
    person: bytes
    due: int | None = None
    done: int | None = None


class Holder(NamedTuple):
    """The holder of a matter, given as a level of the service's chain.

    Level 0 is the top of the chain. Level −1 is the whole neighbourhood. `since` is the time when
    the holder got the matter.
    """

    level: int
    since: int
    answer_by: int | None  # when the holder's time to answer ends; None if the holder has answered


def find_holder(
    chain: Sequence[bytes],
    begin: int,
    opened: int,
    steps: Iterable[Step],
    reopened: Iterable[int],
    answer_ms: int,
    now: int,
) -> Holder:
    """Returns the holder of a matter at the time `now`.

    `chain` has the people of the service, from the top down. `begin` is the level of the first
    holder, and `opened` is the time when the matter opened. `reopened` has the times at which
    actions were reopened. `answer_ms` is the time that each holder has to answer. All times are in
    ms.
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
    """Returns the time at which the holder loses the matter, or None if the holder keeps it.

    There are three cases: the holder does not answer in time, the holder's action is not done when
    due, or actions are reopened twice.
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
            break  # only the person's first action decides; the later actions support it
    return min(misses, default=None)
