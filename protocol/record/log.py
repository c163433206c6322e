"""Logs: the numbered and chained records of one device (specs/01, R-01.12 to R-01.15).

A log is *forked* if its device signed two records with the same number. Anybody can prove a fork.
Which records of a forked log are kept depends only on the set of records. So all stores keep the
same records, no matter in which order they receive them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from protocol.errors import Refused
from protocol.record.envelope import Record

PROOFS = 2  # so many records at the number of a fork are kept, to prove the fork


class Head(NamedTuple):
    """The last record of a log. In a forked log, it is the last record before the fork.

    `time` is in milliseconds. If there is no such record, `seq` is 0 and `id` is None.
    """

    seq: int
    id: bytes | None
    time: int


LOG_START = Head(0, None, 0)  # the head of an empty log


def check_follows(head: Head, record: Record) -> None:
    """Raises Refused if `record` cannot come next in a log that ends with `head`.

    The record must name the id of `head` as the record before (R-01.12), and must not be earlier
    than `head` (R-01.13). The caller has already checked that the record has the next number.
    """
    if record.header.prev != head.id:
        raise Refused("R-01.12", "the record names another one before it than the log holds")
    if record.header.time < head.time:
        raise Refused("R-01.13", "time never falls along a log")


class ForkedRecord(NamedTuple):
    """A record of a forked log. `about` is the id of the record that it answers.

    `is_named` is True if another device's record names this record as a parent. If the log of that
    other device is forked too, only its records before the fork are considered. If a log is checked
    in parts, `is_named` is True also if a record in another part of the log answers this record.
    """

    seq: int
    id: bytes
    is_named: bool
    about: bytes | None = None


def kept_ids(fork: int, records: Iterable[ForkedRecord], *, has_proof: bool = True) -> set[bytes]:
    """Returns the ids of the records that are kept if a log forks at number `fork` (R-01.14).

    All records before the fork are kept. At the fork, the records with the two lowest ids are kept
    as proof. If the log ends at `fork` because of a removal's cut, there is no proof to keep, and
    `has_proof` is False. A record with `is_named` is kept even at or after the fork, and with it
    the records of this log that it answers.
    """
    record_by_id = {record.id: record for record in records}
    before = {record.id for record in record_by_id.values() if record.seq < fork}
    at_fork = [record.id for record in record_by_id.values() if record.seq == fork]
    proofs = set(sorted(at_fork)[:PROOFS]) if has_proof else set()
    # If another device names a record, the records that this record answers are kept too. Otherwise
    # a receipt that the other party has confirmed could lose its agreement.
    countersigned: set[bytes] = set()
    for record in record_by_id.values():
        above: ForkedRecord | None = record if record.is_named else None
        while above is not None and above.id not in countersigned:
            countersigned.add(above.id)
            above = record_by_id.get(above.about) if above.about else None
    return before | proofs | countersigned
