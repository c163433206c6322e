"""The method `rehearse`: shows people, before they vote on a measure, how often the measure would
open a matter (R-06.20).
"""

from copy import copy

from meshcoop.api.beside.rehearsal_process import Rehearsal, RehearsalProcess
from meshcoop.api.beside.rehearsed_points import OwnPoints, find_own_points
from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import USAGE_ERROR, Params
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.errors import Mistake
from protocol.errors import Refused
from protocol.fold.registry import declared_of
from protocol.kinds.services.measures import TARGETS, Measure
from protocol.loops.points import COUNT, SHARE
from protocol.loops.rehearsal import (
    FEWEST_POINTS,
    Case,
    Process,
    Range,
    Summary,
)
from protocol.loops.target_check import USUAL_SHARE
from protocol.wire import calls

_MOST_ANSWERS = 100  # assumed in a window; more make the exact tails slow
_MOST_INCIDENTS = 40
_MOST_PERCENT = 100


class RehearsalMethods:
    """Answers calls of the method `rehearse` at one node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node
        self._process = RehearsalProcess()

    def table(self) -> dict[str, Method[calls.Rehearse]]:
        """Returns the methods of this class, by name."""
        return by_name(Method(calls.Rehearse, self._rehearse))

    async def _rehearse(self, call: calls.Rehearse) -> Params:
        measure, own = self._find_points(call)
        case = _make_case(call, measure, own)
        rehearsal = await self._process.work_out(case, min(call.resamplings, calls.ALL_RESAMPLINGS))
        done = min(call.resamplings, len(rehearsal.outcomes))
        summary = Summary(case, rehearsal.outcomes[:done])
        return {
            "measure": measure.id.hex(),
            "target": measure.target,
            "share": None if case.scale == COUNT else case.aim,
            "window": case.days,
            "points": own.total,
            "source": own.source.id.hex(),
            "assumed": case.assumed is not None,
            "rate": call.rate,
            "answers": call.answers,
            "resamplings": done,
            "of": calls.ALL_RESAMPLINGS,
            "replayed": None if case.assumed else _show_replay(own, rehearsal),
            "alarms": _show_range(summary.alarms),
            "by_chance": _show_range(summary.by_chance),
            "detects": _show_delay(case, summary),
        }

    def _find_points(self, call: calls.Rehearse) -> tuple[Measure, OwnPoints]:
        """Returns two things: the measure, changed as the call asks, and the neighbourhood's own
        answers to it, counted window by window.
        """
        membership = self._node.require_membership()
        now = self._node.now()
        resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
        record_id = resolver.resolve_record(call.measure)
        followed = membership.loop_cache.loops_for(record_id, now)
        measure = followed.views.get(record_id) if followed else None
        authority = membership.state.authority
        if followed is None or authority is None or not isinstance(measure, Measure):
            raise Mistake(
                "{id} is no measure; `meshcoop list measures` shows them.",
                USAGE_ERROR,
                id=call.measure,
            )
        changed = _change_measure(call, measure)
        return changed, find_own_points(followed, changed, authority, membership.loop_cache, now)


def _change_measure(call: calls.Rehearse, measure: Measure) -> Measure:
    """Returns a copy of `measure` with the target, the share and the window that a call names.

    Raises Refused or Mistake if no measure may have such values.
    """
    changed = copy(measure)
    fields = declared_of(Measure).fields
    for name in ("share", "window"):
        value = getattr(call, name)
        if value is not None:
            fields[name].check(name, value)
            setattr(changed, name, value)
    if call.share is not None and measure.scale == COUNT:
        raise Mistake("A measure of incidents has no share; leave it out.", USAGE_ERROR)
    if call.target is not None:
        allowed = TARGETS[measure.scale]
        if call.target not in allowed:
            raise Mistake(
                "The target must be a number from {least} to {most}.",
                USAGE_ERROR,
                least=allowed[0],
                most=allowed[-1],
            )
        changed.target = call.target
    return changed


def _make_case(call: calls.Rehearse, measure: Measure, own: OwnPoints) -> Case:
    """Returns what is rehearsed. If the call assumes how people answer, the windows are drawn by
    this assumption. Otherwise the windows are drawn from the neighbourhood's own points.

    Raises Refused if there are too few own points, and the call assumes nothing (R-20.8i).
    """
    is_count = measure.scale == COUNT
    target = measure.target
    assert target is not None, "a measure that counts has a target on its scale (R-22.1)"
    assumed = _read_assumed(call, own.least, is_count=is_count)
    if assumed is None and own.total < FEWEST_POINTS:
        raise Refused(
            "R-20.8i",
            "there are {points} points, and a rehearsal needs {needed}; assume a rate instead"
            if is_count
            else "there are {points} points, and a rehearsal needs {needed}; assume a rate and a "
            "number of answers instead",
            points=own.total,
            needed=FEWEST_POINTS,
        )
    return Case(
        COUNT if is_count else SHARE,
        target if is_count else measure.share or USUAL_SHARE,
        measure.calendar.days,
        own.entries if assumed is None else (),
        assumed,
    )


def _read_assumed(call: calls.Rehearse, least: int, *, is_count: bool) -> Process | None:
    """Returns how the call assumes that people answer: a rate, and a number of answers in a window.
    Returns None if the call makes no such assumption.

    Raises Mistake if these numbers are too small or too large. For example, a window counts only
    with at least `least` answers.
    """
    if call.rate is None and call.answers is None:
        return None
    if is_count and call.answers is not None:
        raise Mistake(
            "A measure of incidents needs no number of answers; leave it out.", USAGE_ERROR
        )
    if call.rate is None or (call.answers is None and not is_count):
        raise Mistake("Give both a rate and a number of answers in a window.", USAGE_ERROR)
    most_rate = _MOST_INCIDENTS if is_count else _MOST_PERCENT
    if call.rate > most_rate:
        raise Mistake(
            "The rate must be at most {most} incidents in a window."
            if is_count
            else "The rate must be at most {most} percent of good answers.",
            USAGE_ERROR,
            most=most_rate,
        )
    if call.answers is None:
        return Process(call.rate, 1)
    if not least <= call.answers <= _MOST_ANSWERS:
        raise Mistake(
            "The answers in a window must be {least} to {most}.",
            USAGE_ERROR,
            least=least,
            most=_MOST_ANSWERS,
        )
    return Process(call.rate, call.answers)


def _show_replay(own: OwnPoints, rehearsal: Rehearsal) -> Params:
    """Shows how many matters the neighbourhood's own answers would have opened, and in which
    windows.
    """
    first_days = [own.calendar.first_day(own.first_window + place) for place in rehearsal.places]
    return {"windows": len(own.entries), "matters": len(first_days), "opened": first_days}


def _show_range(shown: Range | None) -> Params | None:
    return None if shown is None else shown._asdict()


def _show_delay(case: Case, summary: Summary) -> Params | None:
    """Shows which change the rules notice, and after how many windows."""
    change = case.worsening
    if change is None or summary.delay is None:
        return None
    return {"before": change.before, "after": change.after, **summary.delay._asdict()}
