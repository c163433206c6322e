"""Quotas of a device and claimed day (specs/03 R-03.15).

The charter's figures say what folds, and may change by decision; what is stored goes by twice the
most that was ever allowed, which only grows with the set.
"""

from typing import NamedTuple

from meshcoop.store.logs import Log
from meshcoop.store.quota_counts import QuotaCounts
from protocol.authority.authority import Authority
from protocol.record import envelope as record
from protocol.record.envelope import Header

_STORED = 2  # times the quota


class Share(NamedTuple):
    """How much of the quota is used with a record; `stored`: of what is stored at all."""

    used: float
    stored: float

    @property
    def over(self) -> bool:
        """Whether the record does not fold."""
        return self.used > 1

    @property
    def ends(self) -> bool:
        """Whether the record is the last of its log."""
        return self.stored > _STORED


def share(authority: Authority | None, fields: Header, known: Log) -> Share:
    """The share of its claimed day that a log has used with its next record."""
    same_day = fields.time // record.DAY_MS == known.day
    records, size = (known.records, known.bytes) if same_day else (0, 0)
    return _share(authority, records + 1, size + fields.size)


def figures(authority: Authority | None) -> tuple[int, ...]:
    """What the shares depend on."""
    if authority is None:
        return ()
    return (
        authority.charter["quota_records"],
        authority.charter["quota_bytes"],
        *authority.room,
    )


def recount(counts: QuotaCounts, authority: Authority) -> tuple[set[int], set[bytes]]:
    """Counts every log anew after the figures changed. Returns the threads with a record that folds
    now and did not, or the other way round, and the devices whose logs go on.
    """
    threads: set[int] = set()
    longer: set[bytes] = set()
    for log, device, fork, ended in counts.logs():
        day, records, size, last = -1, 0, 0, None
        for n, root, over, header in counts.records_before_fork(log, fork):
            fields = record.read_header(header)
            if fields.time // record.DAY_MS != day:
                day, records, size = fields.time // record.DAY_MS, 0, 0
            records, size = records + 1, size + fields.size
            now = _share(authority, records, size)
            if now.over != over:
                counts.set_over(n, over=now.over)
                threads.update([] if root is None else [root])
            last = fields.seq if now.ends and last is None else last
        if fork is None and last != ended:
            counts.set_end(log, last)
            longer.add(device)
    return threads, longer


def _share(authority: Authority | None, records: int, size: int) -> Share:
    if authority is None:
        return Share(0, 0)
    by_count, by_size = authority.room
    return Share(
        max(records / authority.charter["quota_records"], size / authority.charter["quota_bytes"]),
        max(records / by_count, size / by_size),
    )
