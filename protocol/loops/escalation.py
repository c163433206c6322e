"""Who holds a matter: it begins deep in the chain and climbs where nobody answers (R-23.6)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from protocol.loops.windows import DAY_MS

LONGEST_MS = 28 * DAY_MS


class Step(NamedTuple):
    """What somebody does in a matter: `due` is by when an action is to be done, `done` when it was."""

    time: int
    person: bytes
    due: int | None = None
    done: int | None = None


class Held(NamedTuple):
    """The place in the chain that holds a matter, from 0 at the top; −1: the neighbourhood."""

    level: int
    since: int
    answer_by: int | None  # the holder's time to answer ends then; None: they have answered


def holds(
    chain: Sequence[bytes],
    begin: int,
    opened: int,
    steps: Iterable[Step],
    reopened: Iterable[int],
    answer_ms: int,
    now: int,
) -> Held:
    """Who holds a matter at `now`. `chain`: the people from the top down; times in ms."""
    level, since = begin, opened
    steps, reopened = sorted(steps), sorted(reopened)
    while level >= 0:
        missed = _missed(chain[level], since, steps, reopened, answer_ms)
        if missed is None or missed > now:
            answered = any(one.person == chain[level] and one.time >= since for one in steps)
            return Held(level, since, None if answered else since + answer_ms)
        level, since = level - 1, missed
    return Held(level, since, None)


def _missed(
    holder: bytes, since: int, steps: Sequence[Step], reopened: Sequence[int], answer_ms: int
) -> int | None:
    """When the holder misses it: no answer in time, not done when due, or reopened twice."""
    answer_by = since + answer_ms
    theirs = [one for one in steps if one.person == holder and one.time >= since]
    misses = [again[1] for again in [[one for one in reopened if one >= since]] if len(again) > 1]
    if not theirs or theirs[0].time > answer_by:
        misses.append(answer_by)
    for one in theirs:
        if one.due is not None:
            due = min(one.due, one.time + LONGEST_MS)
            if one.done is None or one.done > due:
                misses.append(due)
            break
    return min(misses, default=None)
