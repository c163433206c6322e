"""Signatures of several records at once; run as a program, the process that checks them.

Without the rest of the node, so that the process is small and soon there.
"""

import struct
import sys
from collections.abc import Iterable
from itertools import starmap
from typing import BinaryIO, NamedTuple

import msgpack

from meshcoop.ingest.result import Refusal
from protocol.record import envelope as record
from protocol.record.envelope import Record

_LENGTH = struct.Struct(">I")

Claims = list[tuple[bytes, bytes]]


class Verified(NamedTuple):
    """Records whose signatures hold, and a refusal for each of the others."""

    genuine: list[Record]
    refused: list[Refusal]


def verify(records: list[Record], neighbourhood: bytes) -> Verified:
    """R-01.10 for several records."""
    return judged(records, starmap(record.holds, claims(records, neighbourhood)))


def claims(records: Iterable[Record], neighbourhood: bytes) -> Claims:
    """What the signatures of these records claim."""
    return [
        record.claim(one, record.FOUNDING if one.id == neighbourhood else neighbourhood)
        for one in records
    ]


def judged(records: Iterable[Record], verdicts: Iterable[bool]) -> Verified:
    """The records, told apart by whether their claims are true."""
    verified = Verified([], [])
    for one, true in zip(records, verdicts, strict=True):
        if true:
            verified.genuine.append(one)
        else:
            verified.refused.append(Refusal.of(record.forged()))
    return verified


def question(asked: Claims) -> bytes:
    """These claims, as the process reads them."""
    body: bytes = msgpack.packb(asked)
    return _LENGTH.pack(len(body)) + body


def _answer(asked: BinaryIO, answers: BinaryIO) -> None:
    """A byte a signature, until the node ends, however it does."""
    while len(head := asked.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        body = asked.read(length)
        if len(body) < length:
            break
        answers.write(bytes(starmap(record.holds, msgpack.unpackb(body))))
        answers.flush()


if __name__ == "__main__":
    _answer(sys.stdin.buffer, sys.stdout.buffer)
