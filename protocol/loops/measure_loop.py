"""The loop of a measure out of the views of its service's thread."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from protocol.loops.counted_answers import Asked
from protocol.loops.matters import Loop, LoopRules, MeasureInputs, follow_measure
from protocol.loops.windows import Calendar

HOUR_MS = 3_600_000

View = dict[str, Any]
Served = Mapping[bytes, Collection[int]]  # person → the days on which they were served


def loop_of(
    measure: View,
    views: Iterable[View],
    service: View,
    charter: Mapping[str, Any],
    members: Collection[bytes],
    served: Served,
    now: int,
) -> Loop:
    """What a measure in use comes to at `now` (ms). `views`: those of its thread, or more."""
    kinds: dict[str, list[View]] = {}
    for view in views:
        kinds.setdefault(view["kind"], []).append(view)
    feedback = [one for one in kinds.get("feedback", ()) if one["about"] == measure["id"]]
    actions = [one for one in kinds.get("action", ()) if one["about"] == measure["id"]]
    own = {one["id"] for one in (*feedback, *actions)}
    about_them = (
        [one for one in kinds.get(kind, ()) if one["about"] in own]
        for kind in ("same_as", "done", "verdict")
    )
    merges, done, verdicts = about_them
    calendar = Calendar(measure["window"] or 7, measure["offset"] or 0)
    asked = Asked(
        measure,
        calendar,
        frozenset(service["parties"]),
        members,
        served if measure["who"] == "served" else None,
    )
    rules = LoopRules(charter["smallest_group"], charter["settle_hours"] * HOUR_MS)
    return follow_measure(
        asked, MeasureInputs(feedback, merges, actions, done, verdicts), rules, now
    )
