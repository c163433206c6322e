"""Follows the measures of one service. A later measure can continue the points of an earlier
measure, if both have the same scale (R-22.12). A point is the counted answers of one window.
"""

from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from meshcoop.fold.service_views import ServiceViews
from meshcoop.fold.slices import run_beside
from protocol.authority.authority import Authority
from protocol.kinds.services.loop import (
    DaysServed,
    inputs_of,
    loop_rules,
    measure_context,
    parties_at,
)
from protocol.kinds.services.measures import DAYS_BACK, SERVED, Measure
from protocol.loops.continued_points import MOST_TOGETHER, continues
from protocol.loops.counted_answers import MeasureContext, Window
from protocol.loops.matters import Continuation, Loop, follow_windows, matter_id
from protocol.loops.windows import DAY_MS, Calendar
from protocol.spelling import fold_text


class ServiceLoops:
    """The feedback loops of the measures of one service, at the time `now` (ms).

    `find_served` returns the days on which each person was served. `find_seen_at` takes a matter
    and some people. It returns when half of the witnesses, without these people, had named the
    matter.
    """

    def __init__(
        self,
        thread: ServiceViews,
        authority: Authority,
        find_served: Callable[[], DaysServed],
        find_seen_at: Callable[[bytes, Collection[bytes]], int | None],
        now: int,
    ) -> None:
        self._thread = thread
        self._authority = authority
        self._find_served = find_served
        self._find_seen_at = find_seen_at
        self._now = now
        self._rules = loop_rules(authority.charter)
        adopted = {Measure.State.IN_USE, Measure.State.RETIRED}
        self._measures = sorted(
            (measure for measure in thread.measures if measure.state in adopted),
            key=lambda measure: measure.order,
        )
        self._loops: dict[bytes, Loop] = {}
        self.matter_ids: set[bytes] = set()  # of all matters that the measures followed can have

    @property
    def in_use(self) -> Iterator[Measure]:
        """The measures in use. The earliest measure comes first."""
        return (measure for measure in self._measures if measure.state == Measure.State.IN_USE)

    def follow(self) -> dict[bytes, Loop]:
        """Returns the feedback loop of each measure in use. The result is a map by the measure's
        id.
        """
        return {measure.id: self._loop_of(measure) for measure in self.in_use}

    @cached_property
    def continued(self) -> dict[bytes, Measure]:
        """A map from the id of a measure to the earlier measure that it continues. Measures with
        the same question are paired first. No measure is continued twice (R-22.12b).
        """
        pairs: dict[bytes, Measure] = {}
        for only_same in (True, False):
            for later in self._measures:
                if later.id in pairs:
                    continue
                taken = {earlier.id for earlier in pairs.values()}
                candidates = [
                    earlier
                    for earlier in self._measures
                    if earlier.id not in taken
                    and (not only_same or _is_same_question(earlier, later))
                    and self._continues(later, earlier)
                ]
                if candidates:
                    pairs[later.id] = candidates[-1]
        return pairs

    def _continues(self, later: Measure, earlier: Measure) -> bool:
        if earlier.order >= later.order or earlier.scale != later.scale:
            return False
        calendar = later.calendar
        own = self._people_by_window(self._context(later), later)
        posted = calendar.window_at(later.created)
        if earlier.state == Measure.State.IN_USE:
            end = _move_window(earlier.last_window, earlier.calendar, calendar)
            if end >= min(own, default=posted) + MOST_TOGETHER:
                return False  # both are asked side by side
        old = self._people_by_window(self._context(later), earlier)
        return continues(old, own, posted, calendar)

    def _loop_of(self, measure: Measure) -> Loop:
        loop = self._loops.get(measure.id)
        if loop is None:
            context = self._context(measure)
            statements = inputs_of(measure, self._thread.others)
            seen = self._find_seen(measure)
            inputs = statements._replace(seen_matters=seen).until(self._now)
            windows = self._all_windows(context, measure)
            taken = self._taken_by(measure)
            loop = run_beside(
                follow_windows, context, windows, inputs, self._rules, self._now, taken
            )
            self._loops[measure.id] = loop
        return loop

    def _find_seen(self, measure: Measure) -> dict[int, int]:
        """Returns the times (ms) at which half of the witnesses had named the matters of a measure.
        The key of each time is the window that opened the matter.
        """
        calendar = measure.calendar
        party_since = self._thread.standing.party_since
        first = calendar.window_at(measure.created - DAYS_BACK * DAY_MS)
        seen: dict[int, int] = {}
        for number in range(first, calendar.window_at(self._now) + 2):
            record_id = matter_id(measure.id, number)
            self.matter_ids.add(record_id)
            parties = parties_at(party_since, calendar.window_start(number + 1))
            time = self._find_seen_at(record_id, parties)
            if time is not None:
                seen[number] = time
        return seen

    def _taken_by(self, measure: Measure) -> Continuation | None:
        """Returns what a measure takes over from the earlier measure that it continues. Returns
        None if it continues no measure.
        """
        earlier = self.continued.get(measure.id)
        if earlier is None:
            return None
        loop = self._loop_of(earlier)

        def move(number: int | None) -> int | None:
            if number is None:
                return None
            return _move_window(number, earlier.calendar, measure.calendar)

        return Continuation(
            self._begin_of(measure),
            move(loop.phase),
            move(loop.pooled_from),
            move(loop.better_from),
        )

    def _all_windows(self, context: MeasureContext, measure: Measure) -> dict[int, Window]:
        """Returns the windows of a measure. Before these come the windows of the measures that it
        continues. `context` counts all answers, so the target of the latest measure applies to
        every window.
        """
        windows = self._thread.windows_of(context, measure.id)
        earlier = self.continued.get(measure.id)
        if earlier is None:
            return windows
        begin = _move_window(self._begin_of(measure), measure.calendar, context.calendar)
        old = self._all_windows(context, earlier)
        return {
            **{number: window for number, window in old.items() if number < begin},
            **{number: window for number, window in windows.items() if number >= begin},
        }

    def _begin_of(self, measure: Measure) -> int:
        """Returns the first window that counts the answers to the measure itself. The windows
        before this one belong to the earlier measure that the measure continues. If the measure has
        no point yet, returns the next window.
        """
        own_from = self._own_from(measure)
        return measure.calendar.window_at(self._now) + 1 if own_from is None else own_from

    def _own_from(self, measure: Measure) -> int | None:
        """Returns the first window in which enough people have answered a measure (R-22.12j). The
        window need not have settled.
        """
        return min(self._people_by_window(self._context(measure), measure), default=None)

    def _people_by_window(self, context: MeasureContext, measure: Measure) -> dict[int, int]:
        """Returns how many people have answered a measure in each window. Leaves out the windows in
        which they are too few for a point.
        """
        least = max(self._rules.smallest_group, context.measure.min_answers or 1)
        windows = self._thread.windows_of(context, measure.id)
        return {
            number: len(window.people)
            for number, window in windows.items()
            if window.point(context.scale, least) is not None
        }

    def _context(self, measure: Measure) -> MeasureContext:
        served = self._find_served() if measure.who == SERVED else {}
        party_since = self._thread.standing.party_since
        members = self._authority.members
        return measure_context(measure, party_since, members, served, self._rules.settle_ms)


def _is_same_question(earlier: Measure, later: Measure) -> bool:
    """Returns True if two measures ask the same question (R-22.12g)."""
    if earlier.question is None or later.question is None:
        return False  # the words are hidden
    return fold_text(earlier.question) == fold_text(later.question)


def _move_window(number: int, calendar: Calendar, other: Calendar) -> int:
    """Returns a window of the calendar `other`: the number of the window in which the window
    `number` of `calendar` begins.
    """
    return other.window_at(calendar.window_start(number))
