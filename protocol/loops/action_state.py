"""Finds the state of an action from its owner's reports and from raisers' verdicts (R-23.5).

Raisers are the people who said that something was wrong. A raiser's verdict says whether the action
has fixed the problem.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from protocol.loops.escalation import Reopening
from protocol.loops.statements import ActionView, StatementView, VerdictView, stands_at

YES = "yes"  # the verdict that the action has fixed it


class ActionState(StrEnum):
    """The states of an action. None of them says whether the action is overdue."""

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

    def change_state(self, state: ActionState, time: int, by: bytes | None = None) -> None:
        """Moves the action into `state` at `time`, by a statement of the person `by`. If it already
        is in `state`, nothing changes.
        """
        if state == self.state:
            return
        self.state = state
        self.since = time
        if state == ActionState.REOPENED:
            self.reopened.append(Reopening(time, by))


class _Statement(NamedTuple):
    """A report that an action is done, or a verdict on the action."""

    view: StatementView
    verdict: str | None  # None: a report that the action is done

    @property
    def order(self) -> tuple[int, str, bytes]:
        return stands_at(self.view), self.view.kind, self.view.id


def tally_action(
    action: ActionView,
    done: Iterable[StatementView],
    verdicts: Iterable[VerdictView],
    raisers: Collection[bytes],
    smallest_group: int,
    until: int,
) -> Tally:
    """Counts the verdicts on an action and finds its state at the time `until`, in ms (R-23.5).

    `done` has the reports that the action is done. Only verdicts after the latest of these reports
    count. If a raiser gave several verdicts, only the latest one counts.
    """
    tally = Tally(action, since=stands_at(action))
    needed = min(smallest_group, max(1, len(raisers)))
    verdict_of: dict[bytes, str] = {}
    statements = [_Statement(report, None) for report in done]
    statements += [_Statement(verdict, verdict.fixed) for verdict in verdicts]
    for view, verdict in sorted(statements, key=lambda statement: statement.order):
        time = stands_at(view)
        if time > until:
            break
        if verdict is None:
            # The raisers judge again: their verdicts on an earlier report no longer count.
            verdict_of = {}
            tally.done_at = time
            tally.change_state(ActionState.REPORTED_DONE, time)
        elif tally.done_at is not None and view.author in raisers:
            verdict_of[view.author] = verdict
            tally.change_state(_judge(verdict_of, needed), time, view.author)
    tally.fixed = dict(Counter(verdict_of.values()))
    return tally


def _judge(verdict_of: dict[bytes, str], needed: int) -> ActionState:
    """Returns the state of an action that was reported done, judged by the raisers' verdicts.

    `verdict_of` maps each raiser to their verdict. The action can be confirmed only if at least
    `needed` raisers have given a verdict.
    """
    yes = sum(verdict == YES for verdict in verdict_of.values())
    if 2 * yes > len(verdict_of) and len(verdict_of) >= needed:
        return ActionState.CONFIRMED
    return ActionState.REPORTED_DONE if yes == len(verdict_of) else ActionState.REOPENED
