"""Makes neighbourhoods for benches, with devices, signed records and stores on disk."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nacl.bindings

from meshcoop.author.author import Author
from meshcoop.author.founding import Identity, found_neighbourhood, open_state
from meshcoop.author.key_giving import give_by_record
from meshcoop.ingest.inbox import Inbox
from meshcoop.store import sqlite_connection
from meshcoop.store.store import Store
from protocol.fold.content import pack_content
from protocol.fold.registry import declared_of
from protocol.kinds.exchange.exchange import Request
from protocol.kinds.neighbourhood import Admit, Device
from protocol.record import envelope, root_statement, sealing
from protocol.record.envelope import EPOCH, Header, Record
from protocol.record.log import LOG_START, Head

_LOGS = 10  # the number of neighbours who write the records, each in a log of their own
STORE_KEY = bytes(48)
CHARTER = {"name": "Rushey Lane", "quota_records": 1_000_000, "quota_bytes": 2**30}
_TEXT = "Please, on Thursday morning, with a walking frame and a bag. " * 2


def now() -> int:
    """Returns the milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@contextmanager
def store_mode(*, is_encrypted: bool) -> Iterator[None]:
    """Makes the code in the block of a `with` statement open stores with encryption, or without it.

    Only a bench opens stores without encryption, to show what encryption costs.
    """
    if is_encrypted:
        yield
        return
    with patch.object(sqlite_connection, "_set_key", lambda *_: None):
        yield


@dataclass(frozen=True)
class Street:
    """A neighbourhood for a bench.

    `chain` is the log of the founder. The founder admits everybody. `logs` holds the log of each
    neighbour.
    """

    neighbourhood: bytes
    homes: list[Identity]
    chain: list[bytes]
    logs: list[list[bytes]]

    @property
    def wires(self) -> list[bytes]:
        """The encoded records of all neighbours, one log after the other. A sync sends records in
        this form.
        """
        return [wire for log in self.logs for wire in log]

    def write_store(self, path: Path, wires: Iterable[bytes] = ()) -> None:
        """Writes the store of a home. The store holds no keys, only the founder's log and the
        encoded records `wires`.
        """
        store = Store(path, STORE_KEY)
        inbox = Inbox(open_state(store, self.neighbourhood, {}, now))
        inbox.ingest_wires([*self.chain, *wires])
        store.close()


def build_street(records: int, homes: int, *, with_keys: bool) -> Street:
    """Builds a neighbourhood with `homes` homes. Its founder has one device at each home, and the
    first device is at the first home.

    The neighbours write the records. If `with_keys` is set, the homes and the neighbours have the
    epoch keys.
    """
    founder = Identity.new(os.urandom)
    author = found_neighbourhood(Store(":memory:"), founder, CHARTER, "Ada", now, os.urandom)
    at_homes = [founder, *(_add_device(author, founder) for _ in range(homes - 1))]
    writers = [admit_neighbour(author) for _ in range(min(_LOGS, records))]
    if with_keys:
        for identity in (*at_homes[1:], *writers):
            give_by_record(author, identity.device, author.state.ring.all())
    # The neighbours write in turn, so the first logs may be longer by one record.
    sizes = [len(range(number, records, _LOGS)) for number in range(len(writers))]
    logs = [_write_log(author, *part) for part in zip(writers, sizes, strict=True)]
    store = author.inbox.store
    founder_log = store.records.of_log(founder.device, 1, store.records.count())
    chain = [record.wire for record in founder_log]
    store.close()
    return Street(author.state.neighbourhood, at_homes, chain, logs)


def measure_verifying(records: list[Record], neighbourhood: bytes) -> float:
    """Measures how many records per second one core verifies with PyNaCl. Meanwhile the core does
    nothing else.

    The benches use this speed as the limit of their results.
    """
    prefix = b"meshcoop record 2 sign\0" + neighbourhood
    signed = [
        (record.signature + prefix + record.header_bytes, record.header.device)
        for record in records
    ]
    began = time.perf_counter()
    for message, key in signed:
        nacl.bindings.crypto_sign_open(message, key)
    return len(signed) / (time.perf_counter() - began)


def _add_device(author: Author, founder: Identity) -> Identity:
    """Adds one more device of the founder, by a record in the founder's log."""
    seed = os.urandom(32)
    place = author.state.neighbourhood[: root_statement.PLACE_SIZE]
    box = sealing.device_box_key(seed).public
    certificate = root_statement.certify_device(founder.root_seed, seed, box, place)
    author.write(declared_of(Device), {"statement": certificate})
    device = envelope.device_key(seed)
    return replace(founder, device_seed=seed, device=device, statement=certificate)


def admit_neighbour(author: Author) -> Identity:
    """Makes a new person, whom the founder admits."""
    neighbour = Identity.new(os.urandom, author.state.neighbourhood[: root_statement.PLACE_SIZE])
    author.write(declared_of(Admit), {"person": neighbour.person, "statement": neighbour.statement})
    return neighbour


def _write_log(author: Author, writer: Identity, size: int) -> list[bytes]:
    head = LOG_START
    wires = []
    for number in range(size):
        request = _sign_request(author, writer, head, f"A lift number {number} to the clinic")
        head = Head(request.header.seq, request.id, request.header.time)
        wires.append(request.wire)
    return wires


def _sign_request(author: Author, writer: Identity, head: Head, title: str) -> Record:
    fields = {"title": title, "text": _TEXT, "minutes": 60, "tags": ["lift", "health"]}
    return sign_record(author, writer, head, now(), declared_of(Request).name, fields)


def sign_record(
    author: Author,
    writer: Identity,
    head: Head,
    time_ms: int,
    kind: str,
    fields: dict[str, Any],
    about: Record | None = None,
) -> Record:
    """Signs the next record of a log without reading the store.

    A bench makes thousands of records, so reading would take too long.
    """
    state = author.state
    seq = head.seq + 1
    plain = pack_content(kind, fields)
    epoch = state.epochs.current_key()
    assert epoch is not None, "the founder has made the first key"
    context = sealing.content_context(state.neighbourhood, writer.device, seq)
    content = sealing.seal_epoch_content(epoch, plain, context, os.urandom(32))
    header = Header(
        envelope.VERSION,
        writer.device,
        seq,
        head.id,
        time_ms,
        None,
        [about.id] if about is not None else [],
        EPOCH,
        len(content),
        envelope.content_digest(content),
    )
    return envelope.sign(header, content, state.neighbourhood, writer.device_seed)
