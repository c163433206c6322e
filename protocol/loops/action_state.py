"""The state of an action, from the reports of its owner and the verdicts of raisers (R-23.5).

Raisers are the people who said that something was wrong. A verdict says whether it is fixed.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

View = dict[str, Any]


@dataclass
class Tally:
    """An action with its state and the count of the verdicts on it. Times are in ms."""

    action: View
    state: str = "open"
    done_at: int | None = None  # when the action was last reported done
    fixed: dict[str, int] = field(default_factory=dict)  # verdict → how many raisers gave it
    since: int = 0  # when the action came into its present state
    reopened_at: list[int] = field(default_factory=list)  # when the action was reopened

    def change_state(self, state: str, time: int) -> None:
        """Moves the action into `state` at `time`. If it already is in `state`, nothing changes."""
        if state == self.state:
            return
        self.state = state
        self.since = time
        if state == "reopened":
            self.reopened_at.append(time)


def tally_action(
    action: View,
    done: Iterable[View],
    verdicts: Iterable[View],
    raisers: Collection[bytes],
    smallest_group: int,
    until: int,
) -> Tally:
    """Counts the verdicts on an action and finds its state at the time `until`, in ms (R-23.5).

    A report says that the action is done. Only verdicts after the latest such report count. Of each
    raiser, only the latest verdict counts.
    """
    tally = Tally(action, since=action["created"])
    needed = min(smallest_group, max(1, len(raisers)))
    verdict_of: dict[bytes, str] = {}
    statements = sorted((*done, *verdicts), key=_statement_order)
    for view in statements:
        time = view["created"]
        if time > until:
            break
        if view["kind"] == "done":
            # The raisers judge again: their verdicts on an earlier report no longer count.
            verdict_of = {}
            tally.done_at = time
            tally.change_state("reported done", time)
        elif tally.done_at is not None and view["author"] in raisers:
            verdict_of[view["author"]] = view["fixed"]
            tally.change_state(_judge(verdict_of, needed), time)
    tally.fixed = dict(Counter(verdict_of.values()))
    return tally


def _statement_order(view: View) -> tuple[int, str, bytes]:
    return view["created"], view["kind"], view["id"]


def _judge(verdict_of: dict[bytes, str], needed: int) -> str:
    """Returns the state of an action that was reported done, judged by the raisers' verdicts.

    `verdict_of` maps each raiser to their verdict. The action can be confirmed only if at least
    `needed` raisers have given a verdict.
    """
    yes = sum(verdict == "yes" for verdict in verdict_of.values())
    if 2 * yes > len(verdict_of) and len(verdict_of) >= needed:
        return "confirmed"
    return "reported done" if yes == len(verdict_of) else "reopened"
