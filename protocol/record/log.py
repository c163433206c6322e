"""Logs: the records of one device, numbered and chained (specs/01-records.md, R-01.12 to R-01.15).

A log that was continued twice from one number is *forked*: a provable fault. Which of its records
are kept is a function of the set of records, so that stores which merge in any order agree.
"""

from collections.abc import Iterable
from typing import NamedTuple

from protocol.errors import Refused
from protocol.record.envelope import Record

PROOFS = 2


class Head(NamedTuple):
    """The last record of an unforked log, or of its part before the fork. Number 0: none yet."""

    seq: int
    id: bytes | None
    time: int


START = Head(0, None, 0)


def follows(head: Head, record: Record) -> None:
    """R-01.12: the record is the next of its log. The caller has ruled out gaps and forks."""
    if record.fields.prev != head.id:
        raise Refused("R-01.12", "the record names another one before it than the log holds")
    if record.fields.time < head.time:
        raise Refused("R-01.13", "time never falls along a log")


class Kept(NamedTuple):
    """A record of a forked log, as far as keeping it depends on it. `named`: another device does;
    `about`: the record that it answers.
    """

    seq: int
    id: bytes
    named: bool
    about: bytes | None = None


def kept(fork: int, records: Iterable[Kept]) -> set[bytes]:
    """R-01.14: what stays of a log forked at number `fork`, by id.

    Everything before the fork, the two lowest ids at it as proof, and from there on what a kept
    record of another device names as a parent, with all that this answers: or a receipt that the
    other party has confirmed would hang from nothing.
    """
    rows = {row.id: row for row in records}
    proofs = sorted(row.id for row in rows.values() if row.seq == fork)[:PROOFS]
    keep = {row.id for row in rows.values() if row.seq < fork} | set(proofs)
    walked: set[bytes] = set()
    for row in rows.values():
        above: Kept | None = row if row.named else None
        while above is not None and above.id not in walked:
            walked.add(above.id)
            above = rows.get(above.about) if above.about else None
    return keep | walked
