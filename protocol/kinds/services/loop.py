"""Computes the loop of a measure: its signals, and the matters that they open.

The loop is computed from the views in the thread of the measure's service.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from protocol.authority.witnesses import RecordTimes
from protocol.fold.view import View
from protocol.kinds.services.actions import Action, Done, Verdict
from protocol.kinds.services.measures import SERVED, Feedback, Measure, SameAs
from protocol.kinds.services.services import Link, Service
from protocol.loops.counted_answers import MeasureContext
from protocol.loops.matters import Loop, LoopRules, MeasureInputs, follow_measure

HOUR_MS = 3_600_000

V = TypeVar("V", bound=View)
# Returns the times of a record: its id, claimed time, author, and the parties of its service.
FindTimes = Callable[[bytes, int, bytes | None, Collection[bytes]], RecordTimes]
PartySince = Mapping[bytes, int]  # person → the time (ms) from which they are a party of a service
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

    The result depends on the current time `now` (ms). `views` are the views of the service's
    thread. Views that do not concern the measure may be among them.
    """
    views = list(views)
    party_since = find_parties(service, views, now)
    context = measure_context(measure, party_since, members, served, rules.settle_ms)
    return follow_measure(context, inputs_of(measure, views), rules, now)


def find_parties(
    service: Service, views: Iterable[View], now: int, find_times: FindTimes | None = None
) -> PartySince:
    """Returns the parties of a service, and the time (ms) from which each of them is a party
    (R-24.12).

    `views` are the views of the service's thread. `find_times` finds the times at which records
    count. If it is None, every accept counts at its claimed time.
    """
    party_since = {service.answers_for: 0}
    links = [view for view in views if isinstance(view, Link) and view.since is not None]
    for link in sorted(links, key=lambda link: (link.since, link.accepted_in)):
        assert link.since is not None, "only accepted links are left"
        at: int | None = link.since
        if find_times is not None:
            parties = parties_at(party_since, link.since)
            times = find_times(link.accepted_in or b"", link.since, link.to, parties)
            at = times.stands_at(now)
        if at is not None and at < party_since.get(link.to, at + 1):
            party_since[link.to] = at
    return party_since


def parties_at(party_since: PartySince, time: int) -> frozenset[bytes]:
    """Returns the people who are parties of a service at a time (ms)."""
    return frozenset(person for person, since in party_since.items() if since <= time)


def measure_context(
    measure: Measure,
    party_since: PartySince,
    members: Collection[bytes],
    served: DaysServed,
    settle_ms: int,
) -> MeasureContext:
    """Returns a measure with all the facts that decide which of its answers count."""
    return MeasureContext(
        measure,
        measure.calendar,
        party_since,
        members,
        served if measure.who == SERVED else None,
        measure.cycle or 1,
        settle_ms,
        measure.last_window,
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
