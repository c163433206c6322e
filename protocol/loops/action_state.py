"""What becomes of an action: what its owner says, and what those who raised the matter say (R-23.5)."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

View = dict[str, Any]


@dataclass
class Tally:
    """An action as it stands. `done`: when it was last reported done; `since`: since when it is so."""

    action: View
    state: str = "open"
    done: int | None = None
    fixed: dict[str, int] = field(default_factory=dict)
    since: int = 0
    reopened: list[int] = field(default_factory=list)  # when it was


def tally_action(
    action: View,
    done: Iterable[View],
    verdicts: Iterable[View],
    raisers: Collection[bytes],
    smallest_group: int,
    until: int,
) -> Tally:
    """R-23.5: each raiser's latest verdict after the latest report that it is done counts; of all
    that was said `until` then.
    """
    found = Tally(action, since=action["created"])
    needed = min(smallest_group, max(1, len(raisers)))
    said: dict[bytes, str] = {}
    events = sorted((one["created"], one["kind"], one["id"], one) for one in (*done, *verdicts))
    for time, kind, _, view in events:
        if time > until:
            break
        if kind == "done":
            found.done, said = time, {}
            _becomes(found, "reported done", time)
        elif found.done is not None and view["author"] in raisers:
            said[view["author"]] = view["fixed"]
            _becomes(found, _state(said, needed), time)
    found.fixed = dict(Counter(said.values()))
    return found


def _state(said: dict[bytes, str], needed: int) -> str:
    yes = sum(one == "yes" for one in said.values())
    if 2 * yes > len(said) and len(said) >= needed:
        return "confirmed"
    return "reported done" if yes == len(said) else "reopened"


def _becomes(found: Tally, state: str, time: int) -> None:
    if state == "reopened" and found.state != state:
        found.reopened.append(time)
    if state != found.state:
        found.state, found.since = state, time
