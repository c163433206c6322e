"""Finds the state of an action from its owner's reports and from raisers' verdicts (R-23.5).

Raisers are the people who said that something was wrong. A raiser's verdict says whether the action
has fixed the problem.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple

from protocol.loops.escalation import Reopening
from protocol.loops.statements import ActionView, StatementView, VerdictView, stands_at

YES = "yes"  # the verdict that the action has fixed it

# When the action was reported done → each raiser, and since when they are one (ms).
RaisersFor = Callable[[int], Mapping[bytes, int]]


class ActionState(StrEnum):
    """The states of an action. No state says whether the action is overdue."""

    OPEN = "open"
    REPORTED_DONE = "reported done"
    CONFIRMED = "confirmed"
    REOPENED = "reopened"


@dataclass
class Tally:
    """An action with its state and the count of the verdicts on it. Times are in ms."""

    action: ActionView
    state: ActionState = ActionState.OPEN
    done_at: int | None = None  # when the action was last reported done
    fixed: dict[str, int] = field(default_factory=dict)  # verdict → how many raisers gave it
    since: int = 0  # when the action came into its present state
    reopened: list[Reopening] = field(default_factory=list)  # when, and by whose verdict
    raisers: dict[bytes, int] = field(default_factory=dict)  # since when each raiser is one

    def change_state(self, state: ActionState, time: int, by: bytes | None = None) -> None:
        """Moves the action into `state` at `time`, by a statement of the person `by`. If the action
        is in `state` already, nothing changes.
        """
        if state == self.state:
            return
        self.state = state
        self.since = time
        if state == ActionState.REOPENED:
            self.reopened.append(Reopening(time, by))

    def complained_since(self, person: bytes) -> bool:
        """Returns True if a person reported something bad that happened after the action was
        done.
        """
        return self.done_at is not None and self.raisers.get(person, 0) > self.done_at


class _Type(IntEnum):
    """The types of events, in the order in which events of one moment take effect."""

    DONE = 0
    SETTLED = 1
    SIGNAL = 2
    VERDICT = 3


class _Event(NamedTuple):
    """Something that can change the state of an action.

    It is a report that the action is done, a verdict on the action, or a signal. It can also be the
    moment at which the window that opened the matter settles: its answers are complete.
    """

    time: int
    type: _Type
    id: bytes = b""
    person: bytes | None = None
    verdict: str = ""


def tally_action(
    action: ActionView,
    done: Iterable[StatementView],
    verdicts: Iterable[VerdictView],
    signals: Iterable[int],
    raisers_for: RaisersFor,
    settled: int,
    until: int,
) -> Tally:
    """Counts the verdicts on an action and finds its state at the time `until`, in ms (R-23.5).

    `done` has the reports that the action is done. Only verdicts after the latest of these reports
    count. If one of those who complained gave several verdicts, only the latest verdict counts.
    `signals` are the times of signals that reopen what was reported done. `settled` is the time at
    which the window that opened the matter settles. Before that time, no verdict confirms the
    action.
    """
    tally = Tally(action, since=stands_at(action))
    events = [_Event(settled, _Type.SETTLED), *(_Event(time, _Type.SIGNAL) for time in signals)]
    events += [_Event(stands_at(report), _Type.DONE, report.id) for report in done]
    events += [
        _Event(stands_at(view), _Type.VERDICT, view.id, view.author, view.fixed)
        for view in verdicts
    ]
    verdict_of: dict[bytes, str] = {}
    for event in sorted(events):
        if event.time > until:
            break
        if event.type == _Type.DONE:
            # The raisers judge again: their verdicts on an earlier report no longer count.
            verdict_of = {}
            tally.done_at = event.time
            tally.raisers = dict(raisers_for(event.time))
            tally.change_state(ActionState.REPORTED_DONE, event.time)
        elif tally.done_at is None:
            continue
        elif event.type == _Type.SIGNAL:
            verdict_of = {}  # what people said before they could know of it counts no more
            tally.change_state(ActionState.REOPENED, event.time)
        else:
            if event.person is not None:
                if tally.raisers.get(event.person, until + 1) > event.time:
                    continue
                verdict_of[event.person] = event.verdict
            _judge(tally, verdict_of, event, is_settled=event.time >= settled)
    tally.raisers = {person: since for person, since in tally.raisers.items() if since <= until}
    tally.fixed = dict(Counter(verdict_of.values()))
    return tally


def _judge(
    tally: Tally, verdict_of: Mapping[bytes, str], event: _Event, *, is_settled: bool
) -> None:
    """Moves an action that was reported done into its next state, after a verdict (R-23.5b).

    `verdict_of` has the latest verdict of each person who complained.
    """
    yes = sum(verdict == YES for verdict in verdict_of.values())
    raisers = sum(since <= event.time for since in tally.raisers.values())
    if is_settled and 2 * yes > raisers:
        tally.change_state(ActionState.CONFIRMED, event.time)
    elif yes < len(verdict_of):
        tally.change_state(ActionState.REOPENED, event.time, event.person)
    # Else only more raisers, or a further "yes": a report alone reopens nothing.
