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
from protocol.record import envelope
from protocol.record.envelope import Record

_LENGTH = struct.Struct(">I")

Claims = list[tuple[bytes, bytes]]


class Verified(NamedTuple):
    """Records whose signatures hold, and a refusal for each of the others."""

    genuine: list[Record]
    refused: list[Refusal]


def verify(records: list[Record], neighbourhood: bytes) -> Verified:
    """R-01.10 for several records."""
    return part_by_verdict(
        records, starmap(envelope.is_signature_valid, claims(records, neighbourhood))
    )


def claims(records: Iterable[Record], neighbourhood: bytes) -> Claims:
    """The claims of the signatures of these records, to be verified."""
    before_founding = envelope.FOUNDING_ID  # the charter is signed before there is a neighbourhood
    return [
        envelope.signature_claim(
            record, before_founding if record.id == neighbourhood else neighbourhood
        )
        for record in records
    ]


def part_by_verdict(records: Iterable[Record], verdicts: Iterable[bool]) -> Verified:
    """The records, parted by whether their claims are true."""
    verified = Verified([], [])
    for record, is_true in zip(records, verdicts, strict=True):
        if is_true:
            verified.genuine.append(record)
        else:
            verified.refused.append(Refusal.of(envelope.signature_refusal()))
    return verified


def pack_claims(asked: Claims) -> bytes:
    """Claims as the process reads them."""
    body: bytes = msgpack.packb(asked)
    return _LENGTH.pack(len(body)) + body


def _answer(asked: BinaryIO, answers: BinaryIO) -> None:
    """Writes a byte for each signature, until the node ends, by a crash too."""
    while len(head := asked.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        body = asked.read(length)
        if len(body) < length:
            break
        answers.write(bytes(starmap(envelope.is_signature_valid, msgpack.unpackb(body))))
        answers.flush()


if __name__ == "__main__":
    _answer(sys.stdin.buffer, sys.stdout.buffer)
