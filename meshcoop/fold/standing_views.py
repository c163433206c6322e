"""Gives the views of a service their places in time, according to when witnesses saw the records
(specs/24-witnesses.md).
"""

from collections.abc import Callable, Iterable, Mapping
from copy import copy

from protocol.authority.witnesses import RecordTimes
from protocol.fold.kind import Kind
from protocol.fold.view import View
from protocol.kinds.services.loop import FindTimes, PartySince, parties_at
from protocol.kinds.services.services import Service

NEVER = 2**62  # stands for the time (ms) at which a record stands that stands nowhere

Change = Callable[[Iterable[int], Mapping[int, View]], None]


class StandingViews:
    """The views of a service's thread, by row. Also holds the times at which witnesses saw the
    records of these views.

    The time of a view becomes the time at which its record stands, because the loops count by this
    time (R-24.9). If a record stands nowhere, its view gets a time that never comes.
    """

    def __init__(self, find_times: FindTimes, party_since: PartySince, now: int) -> None:
        self.times: dict[bytes, RecordTimes] = {}
        self.party_since = party_since
        self._find_times = find_times
        self._now = now
        self._rows: dict[int, View] = {}
        self._row_of: dict[bytes, int] = {}
        self._ends: dict[
            int, int
        ] = {}  # row of an unseen record → the last time at which it stands

    @property
    def next_time(self) -> int | None:
        """The earliest time (ms) at which an unseen record no longer stands anywhere, or None."""
        end = min(self._ends.values(), default=None)
        return None if end is None else end + 1

    def change(self, changed: Iterable[int], views: Mapping[int, View]) -> dict[int, View]:
        """Replaces the views in the rows `changed`. Returns the new views with the times at which
        they stand.
        """
        for row in changed:
            old = self._rows.pop(row, None)
            if old is not None:
                self._row_of.pop(old.id, None)
                self.times.pop(old.id, None)
            self._ends.pop(row, None)
            if row in views:
                self._rows[row] = views[row]
                self._row_of[views[row].id] = row
        return {row: self._stand(row) for row in views}

    def see(self, find_times: FindTimes, named: Iterable[bytes]) -> dict[int, View]:
        """Returns the views of the records `named` with their new times. Witnesses have named these
        records since the last call.
        """
        self._find_times = find_times
        rows = [self._row_of[record_id] for record_id in named if record_id in self._row_of]
        return {row: self._stand(row) for row in rows}

    def move_to(self, now: int) -> dict[int, View]:
        """Sets the time to `now` (ms). Returns the views that now stand at another time, or nowhere
        any more.
        """
        is_back = now < self._now  # somebody has set the clock back
        self._now = now
        rows = [row for row, end in self._ends.items() if is_back or end < now]
        return {row: self._stand(row) for row in rows}

    def _stand(self, row: int) -> View:
        view = self._rows[row]
        if not isinstance(view, Kind) or not view.witnessed or isinstance(view, Service):
            return view
        parties = parties_at(self.party_since, view.created)
        times = self._find_times(view.id, view.created, view.author, parties)
        self.times[view.id] = times
        self._ends.pop(row, None)
        if times.seen is None and self._now <= times.claimed + times.settle_ms:
            self._ends[row] = times.claimed + times.settle_ms
        at = times.stands_at(self._now)
        if at == view.created:
            return view
        standing = copy(view)
        standing.created = NEVER if at is None else at
        return standing
