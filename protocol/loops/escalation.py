"""Finds the holder of a matter: the person in a service's chain who must act on it (R-23.6).

The first holder is low in the chain. If a holder does not answer in time, the matter moves up to
the next person.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from protocol.loops.windows import DAY_MS

LONGEST_ACTION_MS = 28 * DAY_MS  # an action buys at most this much time
LONGEST_ANSWER_MS = 14 * DAY_MS  # an answer buys at most this much time
_ANSWERED, _ACTED, _DONE, _REOPENED = range(4)  # sorts of events
_MOST_REOPENED = 2  # if actions are reopened this often, the holder loses the matter


class Step(NamedTuple):
    """An answer or an action by one person. Times are in ms.

    By the time `until`, the action is to be done, or the person who answered is to act. `until` is
    the end of the day that the action or answer names. `done` has the times at which an action was
    reported done. For an answer, `done` is None.
    """

    time: int
    person: bytes
    until: int
    done: tuple[int, ...] | None = None


class Reopening(NamedTuple):
    """A reopening of a matter. `time` is in ms.

    `person` is the person whose verdict reopened the matter. If a signal reopened the matter,
    `person` is None.
    """

    time: int
    person: bytes | None


class _Event(NamedTuple):
    """Something that starts, moves or stops the time that the holder has. If several events have
    the same time, `sort` says which of them comes first.
    """

    time: int
    sort: int
    until: int = 0


class Holder(NamedTuple):
    """The holder of a matter, given as a level of the service's chain.

    Level 0 is the top of the chain. Level −1 is the whole neighbourhood. `since` is the time when
    the holder got the matter.
    """

    level: int
    since: int
    answer_by: int | None  # when the holder's time ends; None if nothing is to do until a reopening
    has_acted: bool = False  # the holder has taken up an action since


def find_holder(
    chain: Sequence[bytes],
    begin: int,
    opened: int,
    steps: Iterable[Step],
    reopened: Iterable[Reopening],
    answer_ms: int,
    settle_ms: int,
    now: int,
) -> Holder:
    """Returns the holder of a matter at the time `now`.

    `chain` has the people of the service, from the top down. `begin` is the level of the first
    holder, and `opened` is the time when the matter opened. `steps` are the answers and actions of
    people. `reopened` are the reopenings of the matter and of its actions. `answer_ms` is the time
    that each holder has to answer, and `settle_ms` the time after that until the matter climbs. All
    times are in ms.
    """
    reopened_in_order = sorted(reopened, key=lambda reopening: reopening.time)
    listed_steps = list(steps)
    level = begin
    since = opened
    while level >= 0:
        own_steps = [
            step for step in listed_steps if step.person == chain[level] and step.time >= since
        ]
        again = [reopening for reopening in reopened_in_order if reopening.time >= since]
        answer_by = _find_deadline(since + answer_ms, own_steps, again, answer_ms, now)
        twice = _find_second_reopening(again)
        # Until `passed`, witnesses can still see what the holder did in time (R-23.6k).
        passed = None if answer_by is None else answer_by + settle_ms
        missed = min((time for time in (passed, twice) if time is not None), default=None)
        if missed is None or missed > now:
            has_acted = any(step.done is not None for step in own_steps)
            return Holder(level, since, answer_by, has_acted)
        level -= 1
        since = missed
    return Holder(level, since, None)


def _find_deadline(
    deadline: int,
    own_steps: Sequence[Step],
    reopened: Sequence[Reopening],
    answer_ms: int,
    now: int,
) -> int | None:
    """Returns when the holder's time runs out (ms), or None if the holder has nothing to do.

    At first, it runs out at `deadline`. The first answer and the first action of the holder can
    give the holder more time (R-23.6c, R-23.6d). Once an action is reported done in time, the
    holder has nothing to do until a reopening. After a reopening, the holder gets new time to
    report something done (R-23.6h).
    """
    events = [_Event(reopening.time, _REOPENED) for reopening in reopened]
    for step in own_steps:
        sort = _ANSWERED if step.done is None else _ACTED
        longest = LONGEST_ANSWER_MS if step.done is None else LONGEST_ACTION_MS
        events.append(_Event(step.time, sort, min(step.until, step.time + longest)))
        events += [_Event(time, _DONE) for time in step.done or ()]
    is_done = False
    used: set[int] = set()
    for time, sort, until in sorted(event for event in events if event.time <= now):
        if not is_done and time > deadline:
            break
        if sort == _DONE:
            is_done = True
        elif sort == _REOPENED:
            deadline = max(deadline, time + answer_ms) if is_done else deadline
            is_done = False
        elif sort not in used:
            used.add(sort)
            deadline = max(deadline, until)
    return None if is_done else deadline


def _find_second_reopening(reopened: Sequence[Reopening]) -> int | None:
    """Returns the time of the second reopening, at which the holder loses the matter, or None
    (R-23.6e).

    If one person causes several reopenings, they count as one.
    """
    causes: list[Reopening] = []
    for reopening in reopened:
        people = {cause.person for cause in causes}
        if reopening.person is None or reopening.person not in people:
            causes.append(reopening)
        if len(causes) >= _MOST_REOPENED:
            return reopening.time
    return None
