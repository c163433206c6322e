"""Verifies the signatures of several records. Run as a program, this module is the verifier
process.

It imports few modules of the node, so that the process is small and starts fast.
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
    """The records with valid signatures, and a refusal for each of the other records."""

    genuine: list[Record]
    refused: list[Refusal]


def verify(records: list[Record], neighbourhood: bytes) -> Verified:
    """Verifies the signatures of several records. Separates the records with valid signatures from
    the others (R-01.10).
    """
    return part_by_verdict(
        records, starmap(envelope.is_signature_valid, claims(records, neighbourhood))
    )


def claims(records: Iterable[Record], neighbourhood: bytes) -> Claims:
    """Returns two byte strings for each record. The first is the signature with the signed bytes,
    and the second is the key. These two are the arguments of `envelope.is_signature_valid`.
    """
    before_founding = envelope.FOUNDING_ID  # the charter is signed before there is a neighbourhood
    return [
        envelope.signature_claim(
            record, before_founding if record.id == neighbourhood else neighbourhood
        )
        for record in records
    ]


def part_by_verdict(records: Iterable[Record], verdicts: Iterable[bool]) -> Verified:
    """Separates genuine records from refused ones. `verdicts` says for each record whether its
    signature is valid.
    """
    verified = Verified([], [])
    for record, is_true in zip(records, verdicts, strict=True):
        if is_true:
            verified.genuine.append(record)
        else:
            verified.refused.append(Refusal.of(envelope.signature_refusal()))
    return verified


def pack_claims(asked: Claims) -> bytes:
    """Packs claims into the bytes that the verifier process reads."""
    body: bytes = msgpack.packb(asked)
    return _LENGTH.pack(len(body)) + body


def _answer(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answers each batch of claims with one byte for each signature: 1 if the signature is valid,
    otherwise 0.

    Ends when the node has ended, even if the node crashed.
    """
    while len(head := asked.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        body = asked.read(length)
        if len(body) < length:
            break
        answers.write(bytes(starmap(envelope.is_signature_valid, msgpack.unpackb(body))))
        answers.flush()


if __name__ == "__main__":
    _answer(sys.stdin.buffer, sys.stdout.buffer)
