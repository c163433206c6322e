"""Finds the neighbourhood's own points for the rehearsal of a measure (R-20.8, R-20.8k). A point is
the counted answers of a window that has enough of them.
"""

from collections.abc import Iterator
from copy import copy
from typing import NamedTuple

from meshcoop.fold.loop_cache import FollowedService, LoopCache
from meshcoop.fold.slices import run_beside
from protocol.authority.authority import Authority
from protocol.kinds.services.loop import inputs_of, loop_rules, measure_context
from protocol.kinds.services.measures import SERVED, Measure
from protocol.loops.counted_answers import MeasureContext, Window, count_windows
from protocol.loops.matters import MeasureInputs
from protocol.loops.rehearsal import FEWEST_POINTS
from protocol.loops.street_draw import Entry
from protocol.loops.windows import Calendar

_MOST_WINDOWS = 260  # the latest ones; five years of weeks say enough about a neighbourhood


class OwnPoints(NamedTuple):
    """The counted answers of the measure `source`, window by window. The rules of the rehearsed
    measure say how these answers are counted.
    """

    source: Measure  # the measure whose answers they are
    calendar: Calendar
    first_window: int  # the number of the first window
    entries: tuple[Entry, ...]  # a window without a point is None
    least: int  # the fewest people whose answers make a point

    @property
    def total(self) -> int:
        """The number of windows that have enough answers to count."""
        return sum(entry is not None for entry in self.entries)


def find_own_points(
    followed: FollowedService,
    measure: Measure,
    authority: Authority,
    loops: LoopCache,
    now: int,
) -> OwnPoints:
    """Returns the counted answers (the points) with which a measure is rehearsed.

    Usually they are the measure's own points. If the measure has too few, other measures of the
    same service and scale are tried, and the one with the most points gives its points. `measure`
    may have other rules than the measure in the thread.
    """
    own = _judge(followed, measure, measure, authority, loops, now)
    if own.total >= FEWEST_POINTS:
        return own
    others = (
        _judge(followed, other, measure, authority, loops, now)
        for other in _similar_measures(followed, measure)
    )
    return max([own, *others], key=lambda points: points.total)


def _similar_measures(followed: FollowedService, measure: Measure) -> Iterator[Measure]:
    for other in followed.views_of(Measure):
        if other.id != measure.id and other.scale == measure.scale:
            yield other


def _judge(
    followed: FollowedService,
    source: Measure,
    measure: Measure,
    authority: Authority,
    loops: LoopCache,
    now: int,
) -> OwnPoints:
    """Counts the answers to `source`, window by window, by the rules of `measure`."""
    asked = copy(measure)
    asked.id = source.id
    if asked.offset is None:  # no decision has adopted it yet
        asked.offset = authority.charter["offset"] if source.offset is None else source.offset
        asked.cycle = source.cycle
    served = loops.find_served() if asked.who == SERVED else {}
    rules = loop_rules(authority.charter)
    context = measure_context(
        asked, followed.party_since, authority.members, served, rules.settle_ms
    )
    inputs = inputs_of(asked, followed.views.values()).until(now)
    windows = run_beside(_count_windows, context, inputs)
    least = max(rules.smallest_group, asked.min_answers or 1)
    points = {
        number: window.point(context.scale, least)
        for number, window in windows.items()
        if context.settles_at(number) <= now
    }
    with_point = [number for number, point in points.items() if point is not None]
    if not with_point:
        return OwnPoints(source, context.calendar, 0, (), least)
    last = max(with_point)
    first = max(min(with_point), last - _MOST_WINDOWS + 1)
    entries = tuple(points.get(number) for number in range(first, last + 1))
    return OwnPoints(source, context.calendar, first, entries, least)


def _count_windows(context: MeasureContext, inputs: MeasureInputs) -> dict[int, Window]:
    return count_windows(context, inputs.feedback, inputs.merges)
