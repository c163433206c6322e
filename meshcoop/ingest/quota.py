"""How much a device may write in one day: its quota of records and bytes (specs/03 R-03.15).

The header of a record says when the record was written. This time gives the day whose quota it uses.

The charter's quota decides which records fold. The neighbourhood may change this quota. The store
takes up to twice the highest quota that was ever allowed. That second limit only grows.
"""

from typing import NamedTuple

from meshcoop.store.logs import DeviceLog
from meshcoop.store.quota_counts import CountedLog, QuotaCounts
from protocol.authority.authority import Authority
from protocol.record import envelope as record
from protocol.record.envelope import Header

_STORED = 2  # times the quota


class Share(NamedTuple):
    """Tells how much of its quota a device has used, with one more record counted.

    In both fields, the value 1 stands for the whole quota.
    """

    used: float  # the part of the quota that the charter has now
    stored: float  # the part of the highest quota ever allowed

    @property
    def over(self) -> bool:
        """Whether the counted record is above the quota, so that it does not fold."""
        return self.used > 1

    @property
    def ends(self) -> bool:
        """Whether the counted record takes the device above twice the highest quota. The record is
        then the last of its log.
        """
        return self.stored > _STORED


def share(authority: Authority | None, fields: Header, log: DeviceLog) -> Share:
    """Returns how much of the day's quota a log has used, with its next record counted.

    `fields` is the header of that next record. The time in the header says which day it is.
    """
    is_same_day = fields.time // record.DAY_MS == log.day
    records = log.records if is_same_day else 0
    size = log.bytes if is_same_day else 0
    return _share(authority, records + 1, size + fields.size)


def figures(authority: Authority | None) -> tuple[int, ...]:
    """Returns the quotas from which shares are computed. Returns () if there is no authority."""
    if authority is None:
        return ()
    return (
        authority.charter["quota_records"],
        authority.charter["quota_bytes"],
        *authority.largest_quotas,
    )


def recount(counts: QuotaCounts, authority: Authority) -> tuple[set[int], set[bytes]]:
    """Counts the quota use of all logs again, after the quotas have changed.

    Returns two sets. The first has threads, as the rows of their roots. In these threads, a record
    went above the quota or came back below it. The second has the devices whose logs now end at
    another number.
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
    """Counts the quota use of one log again.

    Returns the number at which the log ends, or None. Also returns the threads that have changed,
    as the rows of their roots.
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
