"""Postpones records that are dated too far ahead of this home's clock. The home folds such a record
when the date has come. A record that is dated still further ahead is not even stored.
"""

from collections.abc import Callable, Iterable, Mapping

from meshcoop.store.database import Database
from meshcoop.store.postponed_threads import PostponedThreads
from meshcoop.store.records import StoredRecord
from protocol.record.envelope import DAY_MS, Header

DRIFT_MS = 10 * 60_000  # a record may be this far ahead of the clock and still fold at once
STORED_AHEAD_MS = DAY_MS  # a record may be this far ahead of the clock and still be stored at once


class ClockLimit:
    """Postpones records that are dated too far ahead of the clock. The function `now` returns the
    time in milliseconds.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._postponed = PostponedThreads(database)
        self._now = now
        self._kept_out: dict[bytes, int] = {}  # device → the time that its first such record claims

    def keeps_out(self, header: Header) -> bool:
        """R-03.18: returns whether a record is dated so far ahead of the clock that this home does
        not store it yet.

        If so, remembers the record's device, so that this home can name the device.
        """
        if header.time <= self._now() + STORED_AHEAD_MS:
            return False
        self._kept_out.setdefault(header.device, header.time)
        return True

    def take_awaited(self) -> bool:
        """Returns whether a record that was dated too far ahead may be stored now. Forgets the
        devices of such records.
        """
        limit = self._now() + STORED_AHEAD_MS
        awaited = [device for device, time in self._kept_out.items() if time <= limit]
        for device in awaited:
            del self._kept_out[device]
        return bool(awaited)

    @property
    def kept_out(self) -> Mapping[bytes, int]:
        """The devices with records that are dated too far ahead, and so are not stored yet. Maps
        each device to the time that the first of these records claims.
        """
        return self._kept_out

    def postpones(self, time: int, row: int) -> bool:
        """Returns whether `time` (ms) is too far ahead of the clock. If so, postpones the record in
        row `row` until `time`.
        """
        if time <= self._now() + DRIFT_MS:
            return False
        self._postponed.add(row, time)
        return True

    def postpone_all(self, rows: Iterable[StoredRecord]) -> None:
        """Postpones the records that are dated too far ahead of the clock."""
        latest = self._now() + DRIFT_MS  # a thread may have very many records
        for row in rows:
            if row.record.header.time > latest:
                self._postponed.add(row.n, row.record.header.time)

    def due(self, now: int) -> list[int]:
        """Returns the rows of the postponed records that are due at `now` (ms)."""
        return self._postponed.due(now + DRIFT_MS)

    def forget_due(self, now: int) -> None:
        """Forgets the postponed records that are due at `now` (ms). The caller folds these records
        again.
        """
        self._postponed.forget_due(now + DRIFT_MS)

    def put_off(self, rows: Iterable[int]) -> None:
        """Postpones records that could be folded now. They are folded later, as soon as possible.
        `rows` are rows of records, and the row of a root stands for its whole thread.
        """
        self._postponed.add_due(rows)

    def forget(self, rows: Iterable[int]) -> None:
        """Removes records from the postponed ones, because the caller folds these records now."""
        self._postponed.forget(rows)
