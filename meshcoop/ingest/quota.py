"""Quotas of a device and claimed day (specs/03 R-03.15).

The charter's figures say what folds, and may change by decision; what is stored goes by twice the
most that was ever allowed, which only grows with the set.
"""

from typing import NamedTuple

from meshcoop.store.logs import DeviceLog
from meshcoop.store.quota_counts import CountedLog, QuotaCounts
from protocol.authority.authority import Authority
from protocol.record import envelope as record
from protocol.record.envelope import Header

_STORED = 2  # times the quota


class Share(NamedTuple):
    """How much of its quota a device has used with a record, 1 for all of it."""

    used: float  # of what folds, by the charter as it is now
    stored: float  # of the most that was ever allowed

    @property
    def over(self) -> bool:
        """Whether the record does not fold."""
        return self.used > 1

    @property
    def ends(self) -> bool:
        """Whether the record is the last of its log."""
        return self.stored > _STORED


def share(authority: Authority | None, fields: Header, log: DeviceLog) -> Share:
    """The share of its claimed day that a log has used with its next record."""
    is_same_day = fields.time // record.DAY_MS == log.day
    records = log.records if is_same_day else 0
    size = log.bytes if is_same_day else 0
    return _share(authority, records + 1, size + fields.size)


def figures(authority: Authority | None) -> tuple[int, ...]:
    """The figures on which shares depend; none while there is no authority."""
    if authority is None:
        return ()
    return (
        authority.charter["quota_records"],
        authority.charter["quota_bytes"],
        *authority.largest_quotas,
    )


def recount(counts: QuotaCounts, authority: Authority) -> tuple[set[int], set[bytes]]:
    """Counts all logs once more after the figures changed.

    Returns the threads (rows of their roots) with a record that folds now and did not, or the other
    way round, and the devices whose logs end at another number.
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
    """The number at which a log ends now, and the threads in which a record of it changed."""
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
