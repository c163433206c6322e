"""The views of one service's thread in memory, and the counted answers to its measures.

After a change, only the changed views are read again, and only the windows in which they lie are
counted again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from meshcoop.fold.slices import run_beside
from meshcoop.fold.standing_views import StandingViews
from protocol.fold.view import View
from protocol.kinds.services.loop import FindTimes
from protocol.kinds.services.measures import Feedback, Measure, SameAs
from protocol.kinds.services.services import Service
from protocol.loops.counted_answers import MeasureContext, Window, WindowCounter

_MOST_STALE = 4  # windows that are counted again on the loop


class ServiceViews:
    """The views of the thread of a service. Feedback that claims a time after `now` (ms) does not
    count yet.
    """

    def __init__(self, views: Mapping[int, View], standing: StandingViews, now: int) -> None:
        """`views` are the views of the thread, by the rows of their records. `standing` holds the
        times at which the records of these views stand.
        """
        self.standing = standing
        self._now = now
        self._rows: dict[int, View] = {}
        self._by_id: dict[bytes, View] = {}
        self._feedback: dict[bytes, dict[int, Feedback]] = defaultdict(dict)  # by its target
        self._others: dict[int, View] = {}
        self._ahead: dict[int, View] = {}  # feedback and merges that claim a later time
        # By the measure for which the answers count, and the measure to which they were given.
        self._counters: dict[tuple[bytes, bytes], WindowCounter] = {}
        self._change_count = 0
        self.change(views, views)

    def __contains__(self, row: int) -> bool:
        return row in self._rows

    @property
    def service(self) -> Service | None:
        """The service, or None if its view is gone."""
        return next((view for view in self._others.values() if isinstance(view, Service)), None)

    @property
    def measures(self) -> Iterator[Measure]:
        """The measures of the service."""
        return (view for view in self._others.values() if isinstance(view, Measure))

    @property
    def others(self) -> Sequence[View]:
        """The views of the thread that are not feedback."""
        return list(self._others.values())

    @property
    def next_time(self) -> int | None:
        """The next time (ms) at which the counted feedback changes. None if no such time is set
        yet.
        """
        times = [view.created for view in self._ahead.values()]
        if self.standing.next_time is not None:
            times.append(self.standing.next_time)
        return min(times, default=None)

    def by_id(self) -> dict[bytes, View]:
        """Returns a map with all views, by the ids of their records. The map does not change when
        the views change later.
        """
        return dict(self._by_id)

    def change(self, changed: Iterable[int], views: Mapping[int, View]) -> None:
        """Replaces the views in the rows `changed`. `views` holds the new views. If a row is
        missing in `views`, its record has no view any more.
        """
        changed = list(changed)
        self._replace(changed, self.standing.change(changed, views))

    def see(self, find_times: FindTimes, named: Iterable[bytes]) -> bool:
        """Gives the records `named` the times at which they stand, now that witnesses have named
        them. Returns whether any of these records is in the thread.
        """
        moved = self.standing.see(find_times, named)
        self._replace(moved, moved)
        return bool(moved)

    def move_to(self, now: int) -> None:
        """Sets the time to `now` (ms). Feedback that claims a time up to `now` counts from
        then on.
        """
        moved = self.standing.move_to(now)
        self._replace(moved, moved)
        if now < self._now:  # somebody has set the clock back
            self._now = now
            self._counters.clear()
            self._ahead = {row: view for row, view in self._rows.items() if self._is_ahead(view)}
            return
        self._now = now
        due = [row for row, view in self._ahead.items() if not self._is_ahead(view)]
        self._replace(due, {row: self._rows[row] for row in due})

    def windows_of(self, context: MeasureContext, answered: bytes) -> dict[int, Window]:
        """Returns the windows of the answers to the measure `answered`, as `context` counts these
        answers. If the context is the same as before, counts only the windows that have changed.
        """
        key = (context.measure.id, answered)
        counter = self._counters.get(key)
        if counter is None or counter.context != context or counter.stale_count > _MOST_STALE:
            change_count = self._change_count
            merges = [view for view in self._others.values() if isinstance(view, SameAs)]
            views = [*self._feedback[answered].values(), *merges]
            counted = [view for view in views if not self._is_ahead(view)]
            counter = run_beside(_count_all, context, counted)
            if self._change_count == change_count:  # others may work meanwhile
                self._counters[key] = counter
        return counter.count()

    def _replace(self, changed: Iterable[int], views: Mapping[int, View]) -> None:
        for row in list(changed):
            old = self._rows.pop(row, None)
            if old is not None:
                self._remove(row, old)
            if row in views:
                self._add(row, views[row])

    def _is_ahead(self, view: View) -> bool:
        return isinstance(view, Feedback | SameAs) and view.created > self._now

    def _remove(self, row: int, view: View) -> None:
        del self._by_id[view.id]
        self._ahead.pop(row, None)
        if isinstance(view, Feedback):
            del self._feedback[view.about or b""][row]
        else:
            del self._others[row]
        for counter in self._counters_of(view):
            _set(counter, view, is_gone=True)

    def _add(self, row: int, view: View) -> None:
        self._rows[row] = view
        self._by_id[view.id] = view
        if isinstance(view, Feedback):
            self._feedback[view.about or b""][row] = view
        else:
            self._others[row] = view
        if self._is_ahead(view):
            self._ahead[row] = view
            return
        for counter in self._counters_of(view):
            _set(counter, view)

    def _counters_of(self, view: View) -> Iterable[WindowCounter]:
        """Returns the counters that depend on a view, and so must be changed with it."""
        self._change_count += 1
        if isinstance(view, SameAs):
            return self._counters.values()
        if not isinstance(view, Feedback):
            return []
        return [
            counter for (_, answered), counter in self._counters.items() if answered == view.about
        ]


def _count_all(context: MeasureContext, views: Iterable[View]) -> WindowCounter:
    counter = WindowCounter(context)
    for view in views:
        _set(counter, view)
    counter.count()
    return counter


def _set(counter: WindowCounter, view: View, *, is_gone: bool = False) -> None:
    if isinstance(view, Feedback):
        counter.set_feedback(view.id, None if is_gone else view)
    elif isinstance(view, SameAs):
        counter.set_merge(view.id, None if is_gone else view)
