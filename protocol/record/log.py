"""Logs: the records of one device, numbered and chained (specs/01-records.md, R-01.12 to R-01.15).

A log that was continued twice from one number is *forked*: a provable fault. Which of its records
are kept is a function of the set of records, so that stores which merge in any order agree.
"""

from collections.abc import Iterable
from typing import NamedTuple

from protocol.errors import Refused
from protocol.record.envelope import Record

PROOFS = 2  # records kept at the number of a fork, to show it


class Head(NamedTuple):
    """The last record of a log, or of its part before a fork: its number, its id and its time
    (milliseconds). Number 0 and no id: there is none yet.
    """

    seq: int
    id: bytes | None
    time: int


LOG_START = Head(0, None, 0)  # of a log that holds nothing


def check_follows(head: Head, record: Record) -> None:
    """Raises Refused unless `record` continues the log that ends with `head` (R-01.12, R-01.13).

    The caller has ruled out gaps and forks: the record has the number after the head's.
    """
    if record.header.prev != head.id:
        raise Refused("R-01.12", "the record names another one before it than the log holds")
    if record.header.time < head.time:
        raise Refused("R-01.13", "time never falls along a log")


class ForkedRecord(NamedTuple):
    """A record of a forked log. `about`: the id of the record that it answers.

    `is_named`: a record of another device, before the fork of that one's log, names it as a parent.
    """

    seq: int
    id: bytes
    is_named: bool
    about: bytes | None = None


def kept_ids(fork: int, records: Iterable[ForkedRecord]) -> set[bytes]:
    """The ids of the records that stay of a log forked at number `fork` (R-01.14).

    Everything before the fork stays, the two lowest ids at it as proof, and from there on each
    record that a kept record of another device names as a parent.
    """
    record_by_id = {record.id: record for record in records}
    before = {record.id for record in record_by_id.values() if record.seq < fork}
    at_fork = [record.id for record in record_by_id.values() if record.seq == fork]
    proofs = set(sorted(at_fork)[:PROOFS])
    # What a named record answers stays with it, and what that answers, and so on: a receipt that the
    # other party has confirmed would hang from nothing otherwise.
    countersigned: set[bytes] = set()
    for record in record_by_id.values():
        above: ForkedRecord | None = record if record.is_named else None
        while above is not None and above.id not in countersigned:
            countersigned.add(above.id)
            above = record_by_id.get(above.about) if above.about else None
    return before | proofs | countersigned
