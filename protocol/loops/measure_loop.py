"""Computes the loop of a measure from the views of its service's thread."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from protocol.loops.counted_answers import MeasureContext
from protocol.loops.matters import Loop, LoopRules, MeasureInputs, follow_measure
from protocol.loops.windows import Calendar

HOUR_MS = 3_600_000

View = dict[str, Any]
DaysServed = Mapping[bytes, Collection[int]]  # person → the days on which they were served


def loop_of(
    measure: View,
    views: Iterable[View],
    service: View,
    charter: Mapping[str, Any],
    members: Collection[bytes],
    served: DaysServed,
    now: int,
) -> Loop:
    """Returns the loop of a measure in use at the time `now` (ms): its signals and matters.

    `views` are the views of the service's thread. Views that do not concern the measure do no harm.
    """
    context = MeasureContext(
        measure,
        Calendar(measure["window"] or 7, measure["offset"] or 0),
        frozenset(service["parties"]),
        members,
        served if measure["who"] == "served" else None,
    )
    rules = LoopRules(charter["smallest_group"], charter["settle_hours"] * HOUR_MS)
    return follow_measure(context, _inputs_of(measure, views), rules, now)


def _inputs_of(measure: View, views: Iterable[View]) -> MeasureInputs:
    """Picks the views that are about the measure, or about its feedback or its actions."""
    by_kind: dict[str, list[View]] = defaultdict(list)
    for view in views:
        by_kind[view["kind"]].append(view)
    feedback = _about(by_kind["feedback"], {measure["id"]})
    actions = _about(by_kind["action"], {measure["id"]})
    answered = {view["id"] for view in (*feedback, *actions)}
    return MeasureInputs(
        feedback=feedback,
        merges=_about(by_kind["same_as"], answered),
        actions=actions,
        done=_about(by_kind["done"], answered),
        verdicts=_about(by_kind["verdict"], answered),
    )


def _about(views: Iterable[View], targets: Collection[bytes]) -> list[View]:
    return [view for view in views if view["about"] in targets]
