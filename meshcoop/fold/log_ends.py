"""Reads the first and the last records of a device's log. The records between them are left out,
because a log may be very long.
"""

from collections.abc import Iterable, Iterator

from meshcoop.store.store import Store
from protocol.record.envelope import DAY_MS, Record
from protocol.record.log import Head

MOST_DAYS = 2

_LOOKED_AT = 64  # records at each end of a log


class LogEnds:
    """Reads both ends of logs. Remembers on which days a log was written, until the log changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._days: dict[bytes, tuple[Head, frozenset[int]]] = {}  # device → its head, its days

    def records(self, device: bytes) -> Iterator[Record]:
        """Yields the first records of a log, and then the last records."""
        log = self._store.logs.find(device)
        if log is not None:
            yield from self._records_to(log.head, device, _LOOKED_AT)

    def count_days(self, devices: Iterable[bytes]) -> int:
        """Counts the days on which these devices wrote something, up to MOST_DAYS. Records that
        software signed by itself do not count.
        """
        days: set[int] = set()
        for device in devices:
            days |= self._days_of(device)
            if len(days) >= MOST_DAYS:
                return MOST_DAYS
        return len(days)

    def _days_of(self, device: bytes) -> frozenset[int]:
        log = self._store.logs.find(device)
        if log is None:
            return frozenset()
        head, days = self._days.get(device, (None, frozenset[int]()))
        if head != log.head:
            days = self._read_days(log.head, device)
            self._days[device] = (log.head, days)
        return days

    def _read_days(self, head: Head, device: bytes) -> frozenset[int]:
        days: set[int] = set()
        # The ends of a log mostly lie on different days. More is read only if they do not.
        for count in (1, _LOOKED_AT):
            for record in self._records_to(head, device, count):
                if not record.header.is_automatic:
                    days.add(record.header.time // DAY_MS)
                if len(days) == MOST_DAYS:
                    return frozenset(days)
        return frozenset(days)

    def _records_to(self, head: Head, device: bytes, count: int) -> Iterator[Record]:
        """Yields the first `count` records of a log, and then the last `count`."""
        yield from self._store.records.of_log(device, 1, count)
        last = max(count + 1, head.seq - count + 1)
        yield from self._store.records.of_log(device, last, count)
