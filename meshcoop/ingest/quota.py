"""The quota of each device for one claimed day (specs/03 R-03.15).

The charter's quota decides which records fold; the neighbourhood may change it. Records are stored
up to twice the highest quota that was ever allowed. That limit only grows.
"""

from typing import NamedTuple

from meshcoop.store.logs import DeviceLog
from meshcoop.store.quota_counts import CountedLog, QuotaCounts
from protocol.authority.authority import Authority
from protocol.record import envelope as record
from protocol.record.envelope import Header

_STORED = 2  # times the quota


class Share(NamedTuple):
    """The part of its quota that a device has used, together with a record. 1 is the
    whole quota.
    """

    used: float  # of the quota in the charter now
    stored: float  # of the highest quota ever allowed

    @property
    def over(self) -> bool:
        """Whether the record is above the quota and does not fold."""
        return self.used > 1

    @property
    def ends(self) -> bool:
        """Whether the record is the last of its log."""
        return self.stored > _STORED


def share(authority: Authority | None, fields: Header, log: DeviceLog) -> Share:
    """Returns the share that a log has used of the claimed day's quota, with its next record
    counted.
    """
    is_same_day = fields.time // record.DAY_MS == log.day
    records = log.records if is_same_day else 0
    size = log.bytes if is_same_day else 0
    return _share(authority, records + 1, size + fields.size)


def figures(authority: Authority | None) -> tuple[int, ...]:
    """Returns the numbers from which shares are computed, or none if there is no authority."""
    if authority is None:
        return ()
    return (
        authority.charter["quota_records"],
        authority.charter["quota_bytes"],
        *authority.largest_quotas,
    )


def recount(counts: QuotaCounts, authority: Authority) -> tuple[set[int], set[bytes]]:
    """Counts all logs again after the quotas have changed.

    Returns the threads (rows of their roots) in which a record now folds and did not before, or the
    reverse. Returns too the devices whose logs now end at another number.
    """
    threads: set[int] = set()
    devices: set[bytes] = set()
    for log in counts.logs():
        ended, log_threads = _recount_log(counts, authority, log)
        threads |= log_threads
        if log.fork is None and ended != log.ended:
            counts.set_end(log.n, ended)
            devices.add(log.device)
    return threads, devices


def _recount_log(
    counts: QuotaCounts, authority: Authority, log: CountedLog
) -> tuple[int | None, set[int]]:
    """Counts one log. Returns the number at which it ends, or None, and the threads with changed
    records.
    """
    threads: set[int] = set()
    ended: int | None = None
    day = -1
    records = 0
    size = 0
    for row in counts.records_before_fork(log.n, log.fork):
        fields = record.read_header(row.header)
        if fields.time // record.DAY_MS != day:
            day = fields.time // record.DAY_MS
            records = 0
            size = 0
        records += 1
        size += fields.size
        used = _share(authority, records, size)
        if used.over != row.over:
            counts.set_over(row.n, over=used.over)
            if row.root is not None:
                threads.add(row.root)
        if used.ends and ended is None:
            ended = fields.seq
    return ended, threads


def _share(authority: Authority | None, records: int, size: int) -> Share:
    if authority is None:
        return Share(0, 0)
    by_count, by_size = authority.largest_quotas
    return Share(
        max(records / authority.charter["quota_records"], size / authority.charter["quota_bytes"]),
        max(records / by_count, size / by_size),
    )
