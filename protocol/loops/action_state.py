"""The state of an action, from what its owner and the raisers of the matter say of it (R-23.5)."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

View = dict[str, Any]


@dataclass
class Tally:
    """An action and the verdicts on it. Times are in ms."""

    action: View
    state: str = "open"
    done_at: int | None = None  # when it was last reported done
    fixed: dict[str, int] = field(default_factory=dict)  # word → how many raisers say it
    since: int = 0  # when it came into its state
    reopened_at: list[int] = field(default_factory=list)  # when it was reopened

    def change_state(self, state: str, time: int) -> None:
        """Moves the action into a state at `time`.

        If it is in that state already, nothing changes.
        """
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
    """Tallies the verdicts on an action up to `until`, in ms (R-23.5).

    The verdicts after the latest report that the action is done count. Of each raiser the latest
    one counts.
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
            # The raisers look again: their verdicts on an earlier report do not count any more.
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
    """Returns the state that follows from the raisers' verdicts.

    The action can only be confirmed if at least `needed` raisers have given a verdict.
    """
    yes = sum(verdict == "yes" for verdict in verdict_of.values())
    if 2 * yes > len(verdict_of) and len(verdict_of) >= needed:
        return "confirmed"
    return "reported done" if yes == len(verdict_of) else "reopened"
