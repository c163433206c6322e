"""Logs: the records of one device, numbered and chained (specs/01-records.md, R-01.12 to R-01.15).

A log is *forked* if its device continued it twice from one number: a fault that can be proved. The
set of records alone decides which records of a forked log are kept. So stores that merge in any
order agree.
"""

from collections.abc import Iterable
from typing import NamedTuple

from protocol.errors import Refused
from protocol.record.envelope import Record

PROOFS = 2  # records kept at the number of a fork, to show it


class Head(NamedTuple):
    """The last record of a log, or of the part before its fork.

    `time` is in milliseconds. If there is no record yet, `seq` is 0 and `id` is None.
    """

    seq: int
    id: bytes | None
    time: int


LOG_START = Head(0, None, 0)  # the head of an empty log


def check_follows(head: Head, record: Record) -> None:
    """Raises Refused unless `record` continues the log that ends with `head` (R-01.12, R-01.13).

    The caller has already ruled out gaps and forks: the number of `record` is the next one.
    """
    if record.header.prev != head.id:
        raise Refused("R-01.12", "the record names another one before it than the log holds")
    if record.header.time < head.time:
        raise Refused("R-01.13", "time never falls along a log")


class ForkedRecord(NamedTuple):
    """A record of a forked log. `about`: the id of the record that it answers.

    `is_named`: True if a record of another device names it as a parent. That record must lie before
    the fork of its own log, if it has one.
    """

    seq: int
    id: bytes
    is_named: bool
    about: bytes | None = None


def kept_ids(fork: int, records: Iterable[ForkedRecord]) -> set[bytes]:
    """Returns the ids of the records that are kept of a log forked at number `fork` (R-01.14).

    All records before the fork are kept. At the fork the two lowest ids are kept as proof. From the
    fork on, a record is kept if a kept record of another device names it as a parent.
    """
    record_by_id = {record.id: record for record in records}
    before = {record.id for record in record_by_id.values() if record.seq < fork}
    at_fork = [record.id for record in record_by_id.values() if record.seq == fork]
    proofs = set(sorted(at_fork)[:PROOFS])
    # A named record stays with all records above it in its thread. Otherwise a receipt that the
    # other party has confirmed would hang from nothing.
    countersigned: set[bytes] = set()
    for record in record_by_id.values():
        above: ForkedRecord | None = record if record.is_named else None
        while above is not None and above.id not in countersigned:
            countersigned.add(above.id)
            above = record_by_id.get(above.about) if above.about else None
    return before | proofs | countersigned
