"""The pool of records that cannot be placed in a log yet.

There are three reasons to wait: the record's device is unknown, earlier records of its log are
missing (R-01.12a), or the record claims a time more than a day ahead (R-03.18). The pool has a
limited size and is only in memory. If the pool loses a record, the next round of sync brings that
record again.
"""

from collections import Counter, defaultdict
from collections.abc import Callable

from protocol.record.envelope import Record

MAX_RECORDS = 4096
MAX_BYTES = 8 * 1024 * 1024


class WaitingPool:
    """Waiting records, grouped by device.

    If the pool is too full, the device with the largest part of the pool loses a record: the one
    that has waited longest.
    """

    def __init__(self, max_records: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        self._by_device: dict[bytes, dict[bytes, Record]] = defaultdict(dict)
        self._ids: set[bytes] = set()
        self._bytes = 0
        self._bytes_by_device: Counter[bytes] = Counter()
        self._max_records = max_records
        self._max_bytes = max_bytes

    def __contains__(self, record_id: bytes) -> bool:
        return record_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def devices(self) -> set[bytes]:
        """Returns the devices that have waiting records."""
        return set(self._by_device)

    def parents(self) -> set[bytes]:
        """Returns the record ids that waiting records name as parents."""
        waiting = (record for records in self._by_device.values() for record in records.values())
        return {parent for record in waiting for parent in record.header.parents}

    def add(self, record: Record) -> None:
        """Adds a record to the pool. If the pool is then too full, removes other records."""
        if record.id in self._ids:
            return
        self._by_device[record.header.device][record.id] = record
        self._ids.add(record.id)
        self._bytes += _size(record)
        self._bytes_by_device[record.header.device] += _size(record)
        while len(self._ids) > self._max_records or self._bytes > self._max_bytes:
            has_too_many_bytes = self._bytes > self._max_bytes
            measure = self._bytes_by_device.__getitem__ if has_too_many_bytes else self._count_of
            fullest = max(self._by_device, key=measure)
            self._remove(next(iter(self._by_device[fullest].values())))

    def take_ready(
        self, can_place: Callable[[Record], bool], most: int = MAX_RECORDS
    ) -> list[Record]:
        """Removes from the pool the records that can now be placed, at most `most` of them. Returns
        these records. The records of each log are in the order of their numbers.
        """
        ready: list[Record] = []
        for records in list(self._by_device.values()):
            if len(ready) >= most:
                break
            last = 0  # the number of the record taken last
            for record in sorted(records.values(), key=lambda record: record.header.seq):
                # After a record is placed, the next record of its log can be placed too.
                is_next = last > 0 and record.header.seq <= last + 1
                if not is_next and not can_place(record):
                    break  # later records of this log cannot be placed either
                ready.append(record)
                last = record.header.seq
        taken = ready[:most]
        for record in taken:
            self._remove(record)
        return taken

    def _remove(self, record: Record) -> None:
        device = record.header.device
        del self._by_device[device][record.id]
        self._bytes_by_device[device] -= _size(record)
        if not self._by_device[device]:
            del self._by_device[device]
            del self._bytes_by_device[device]
        self._ids.discard(record.id)
        self._bytes -= _size(record)

    def _count_of(self, device: bytes) -> int:
        return len(self._by_device[device])


def _size(record: Record) -> int:
    return len(record.header_bytes) + len(record.signature) + len(record.content or b"")
