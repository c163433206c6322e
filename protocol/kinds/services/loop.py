"""Computes the loop of a measure: its signals, and the matters that they open.

The loop is computed from the views in the thread of the measure's service.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from protocol.fold.view import View
from protocol.kinds.services.actions import Action, Done, Verdict
from protocol.kinds.services.measures import SERVED, Feedback, Measure, SameAs
from protocol.kinds.services.services import Service
from protocol.loops.counted_answers import MeasureContext
from protocol.loops.matters import Loop, LoopRules, MeasureInputs, follow_measure

HOUR_MS = 3_600_000

V = TypeVar("V", bound=View)
DaysServed = Mapping[bytes, Collection[int]]  # person → the days on which they were served


def loop_rules(charter: Mapping[str, Any]) -> LoopRules:
    """Returns a charter's rules for the loops of measures."""
    return LoopRules(charter["smallest_group"], charter["settle_hours"] * HOUR_MS)


def loop_of(
    measure: Measure,
    views: Iterable[View],
    service: Service,
    rules: LoopRules,
    members: Collection[bytes],
    served: DaysServed,
    now: int,
) -> Loop:
    """Returns the signals and the matters of a measure that is in use.

    They depend on the current time `now` (ms). `views` are the views of the service's thread. Views
    that do not concern the measure may be among them.
    """
    context = measure_context(measure, service, members, served)
    return follow_measure(context, inputs_of(measure, list(views)), rules, now)


def measure_context(
    measure: Measure, service: Service, members: Collection[bytes], served: DaysServed
) -> MeasureContext:
    """Returns a measure with all the facts that decide which of its answers count."""
    return MeasureContext(
        measure,
        measure.calendar,
        frozenset(service.parties),
        members,
        served if measure.who == SERVED else None,
        measure.cycle or 1,
    )


def inputs_of(measure: Measure, views: Collection[View]) -> MeasureInputs:
    """Picks the views that are about the measure, or about its feedback or its actions."""
    feedback = _views_about({measure.id}, Feedback, views)
    actions = _views_about({measure.id}, Action, views)
    reports = {report.id for report in feedback}
    acted = {action.id for action in actions}
    return MeasureInputs(
        feedback=feedback,
        merges=_views_about(reports, SameAs, views),
        actions=actions,
        done=_views_about(acted, Done, views),
        verdicts=_views_about(acted, Verdict, views),
    )


def _views_about(targets: Collection[bytes], view_type: type[V], views: Iterable[View]) -> list[V]:
    """Returns the views of one kind that are about any of the records `targets`."""
    return [view for view in views if isinstance(view, view_type) and view.about in targets]
