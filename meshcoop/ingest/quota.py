"""How much a device may write in one day: its quota of records and bytes (specs/03 R-03.15).

A record uses the quota of the day on which it was written, according to its header. Records that
software signed by itself have a second quota of the same size (R-03.15i). All days before the
author belonged to the neighbourhood share one quota. So nobody gets room for days long past.

The charter's quota decides which records fold. The neighbourhood may change this quota. The store
takes more: up to twice the highest quota that was ever in force. So a change of the charter's quota
never lowers the store's limit.
"""

from typing import NamedTuple

from meshcoop.store.logs import DeviceLog, Used
from meshcoop.store.quota_counts import CountedRecord, QuotaCounts
from protocol.authority.authority import Authority
from protocol.record import envelope as record
from protocol.record.envelope import Header

_STORED = 2  # times the quota
_AT_ONCE = 200  # records that are counted again in one step


class Share(NamedTuple):
    """How much of a day's quota a device has used after one more record. People's records use one
    quota. Records that software signs by itself use another.

    In `used` and `stored`, the value 1 stands for the whole quota. `day` is the day whose quota the
    record uses, counted since 1970.
    """

    used: float  # the part of the quota that the charter has now
    stored: float  # the part of the highest quota ever allowed
    day: int

    @property
    def over(self) -> bool:
        """Whether this last record is above the quota, so that it does not fold."""
        return self.used > 1

    @property
    def ends(self) -> bool:
        """Whether this last record brings the device above twice the highest quota. If so, the
        device's log ends with this record.
        """
        return self.stored > _STORED


def share(authority: Authority | None, fields: Header, log: DeviceLog) -> Share:
    """Returns how much of a day's quota a log has used after its next record.

    `fields` is the header of that next record. The time in this header says which day it is.
    """
    day = _day_of(authority, fields.device, fields.time)
    return _share(authority, log.used_with(fields, day), day)


def figures(authority: Authority | None) -> tuple[int, ...]:
    """Returns the quotas of the charter, and the largest quotas that were ever allowed. Returns an
    empty tuple if there is no authority.
    """
    if authority is None:
        return ()
    return (
        authority.charter["quota_records"],
        authority.charter["quota_bytes"],
        *authority.largest_quotas,
    )


def changed_devices(before: Authority, after: Authority) -> set[bytes]:
    """Returns the devices whose quota use must be counted again (R-03.15k): their owner has
    changed, or the day from which the owner's records are stored.
    """
    return {
        device
        for device, person in after.owners.items()
        if before.owners.get(device) != person
        or before.stored_from.get(person) != after.stored_from.get(person)
    }


class LogRecount:
    """Counts the quota use of one log again, some records at a time. This is needed after the
    quotas or the days of the log have changed.
    """

    def __init__(self, log_n: int) -> None:
        self.is_done = False
        self.changed: bytes | None = None  # the device, if its log now ends at another number
        self._log_n = log_n
        self._last = 0  # the number of the record counted last
        self._ended: int | None = None
        self._day = -1
        self._used: dict[bool, Used] = {}  # by software itself, or not → what the day has used

    def count_next(self, counts: QuotaCounts, authority: Authority) -> set[int]:
        """Counts the next records. If some of them now go above the quota or come back below it,
        returns the threads of these records, as rows of roots.
        """
        log = counts.find_log(self._log_n)
        if log is None:
            self.is_done = True
            return set()
        rows = counts.records_before_fork(log, self._last, _AT_ONCE)
        threads = {row.root for row in rows if self._count(counts, row, authority)}
        if len(rows) < _AT_ONCE:
            self.is_done = True
            by_person = self._used.get(False, Used())
            by_software = self._used.get(True, Used())
            counts.set_use(log.n, max(self._day, 0), by_person, by_software)
            if self._ended != log.ended:
                counts.set_end(log.n, self._ended)
                self.changed = log.device
        return {root for root in threads if root is not None}

    def _count(self, counts: QuotaCounts, row: CountedRecord, authority: Authority) -> bool:
        """Counts a record, and notes whether the record is above the quota. Returns whether this
        note differs from the earlier one.
        """
        fields = record.read_header(row.header)
        day = _day_of(authority, fields.device, fields.time)
        if day != self._day:
            self._day = day
            self._used = {}
        earlier = self._used.get(fields.is_automatic, Used())
        self._used[fields.is_automatic] = earlier.plus(fields)
        self._last = fields.seq
        used = _share(authority, self._used[fields.is_automatic], day)
        if used.ends and self._ended is None:
            self._ended = fields.seq
        if used.over == row.over:
            return False
        counts.set_over(row.n, over=used.over)
        return True


def _day_of(authority: Authority | None, device: bytes, time: int) -> int:
    """Returns the day whose quota a record uses (R-03.15k)."""
    person = authority.owners.get(device, b"") if authority is not None else b""
    first = authority.stored_from.get(person, 0) if authority is not None else 0
    return max(time, first) // record.DAY_MS


def _share(authority: Authority | None, used: Used, day: int) -> Share:
    if authority is None:
        return Share(0, 0, day)
    by_count, by_size = authority.largest_quotas
    quota_records, quota_bytes = (
        authority.charter["quota_records"],
        authority.charter["quota_bytes"],
    )
    return Share(
        max(used.records / quota_records, used.bytes / quota_bytes),
        max(used.records / by_count, used.bytes / by_size),
        day,
    )
