"""What benches are made of: a neighbourhood, its devices and signed records, for stores on disk."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import nacl.bindings

from meshcoop.author.author import Author
from meshcoop.author.automatic import offer_epochs
from meshcoop.author.founding import Identity, found, open_state
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.store import Store
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import EPOCH, Header, Record
from protocol.record.log import START, Head

_LOGS = 10  # neighbours who wrote the records, a log each
_CHARTER = {"name": "Rushey Lane", "quota_records": 1_000_000, "quota_bytes": 2**30}
_TEXT = "Please, on Thursday morning, with a walking frame and a bag. " * 2


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Street:
    """`chain`: the founder's log, which brings in everybody; `logs`: the records, by device."""

    neighbourhood: bytes
    homes: list[Identity]
    chain: list[bytes]
    logs: list[list[bytes]]

    @property
    def wires(self) -> list[bytes]:
        """The records as a sync brings them: one log after the other."""
        return [one for log in self.logs for one in log]

    def store(self, path: Path, wires: Iterable[bytes] = ()) -> None:
        """A closed store of a home without keys that holds the chain and these records."""
        store = Store(path)
        inbox = Inbox(open_state(store, self.neighbourhood, {}, now))
        inbox.take_wires([*self.chain, *wires])
        store.close()


def build(records: int, homes: int, *, reading: bool) -> Street:
    """A street whose founder has a device at each of so many homes; `reading`: those have the key.

    The founder's own device is the first home's. The records are by neighbours.
    """
    founder = Identity.new(os.urandom)
    author = found(Store(":memory:"), founder, _CHARTER, "Ada", now, os.urandom)
    at_homes = [founder, *(_device(author, founder) for _ in range(homes - 1))]
    writers = [_neighbour(author) for _ in range(min(_LOGS, records))]
    if reading:
        for one in (*at_homes[1:], *writers):
            offer_epochs(author, author.state.ring.all(), one.device)
    sizes = [len(range(at, records, _LOGS)) for at in range(len(writers))]
    logs = [_log(author, one, size) for one, size in zip(writers, sizes, strict=True)]
    store = author.inbox.store
    chain = [one.wire for one in store.records.of_log(founder.device, 1, store.records.count())]
    store.close()
    return Street(author.state.neighbourhood, at_homes, chain, logs)


def verifying(records: list[Record], neighbourhood: bytes) -> float:
    """Records a second that one core verifies with PyNaCl, doing nothing else: the limit."""
    prefix = b"meshcoop record 1 sign\0" + neighbourhood
    signed = [(one.signature + prefix + one.header, one.fields.device) for one in records]
    began = time.perf_counter()
    for message, key in signed:
        nacl.bindings.crypto_sign_open(message, key)
    return len(signed) / (time.perf_counter() - began)


def _device(author: Author, founder: Identity) -> Identity:
    """A further device of the founder, certified by an act in the founder's log."""
    seed = os.urandom(32)
    place = author.state.neighbourhood[: statement.PLACE]
    box = seal.box_key(seed).public
    certificate = statement.certify(founder.root_seed, seed, box, place)
    author.write(KINDS["device"], {"statement": certificate})
    device = record.device_key(seed)
    return replace(founder, device_seed=seed, device=device, statement=certificate)


def _neighbour(author: Author) -> Identity:
    """Somebody whom the founder admits."""
    one = Identity.new(os.urandom, author.state.neighbourhood[: statement.PLACE])
    author.write(KINDS["admit"], {"person": one.person, "statement": one.statement})
    return one


def _log(author: Author, writer: Identity, size: int) -> list[bytes]:
    head, wires = START, []
    for number in range(size):
        one = _request(author, writer, head, f"A lift number {number} to the clinic")
        head = Head(one.fields.seq, one.id, one.fields.time)
        wires.append(one.wire)
    return wires


def _request(author: Author, writer: Identity, head: Head, title: str) -> Record:
    """The next record of a log, without a look at the store: a bench makes thousands."""
    state, kind, seq = author.state, KINDS["request"], head.seq + 1
    fields = {"title": title, "text": _TEXT, "minutes": 60, "tags": ["lift", "health"]}
    plain = schema.content(kind.name, fields)
    epoch = state.ring.current()
    assert epoch is not None
    place = seal.context(state.neighbourhood, writer.device, seq)
    content = seal.seal_epoch(epoch, plain, place, os.urandom(32))
    what = (EPOCH, len(content), record.digest(content))
    header = Header(record.VERSION, writer.device, seq, head.id, now(), None, [], *what)
    return record.sign(header, content, state.neighbourhood, writer.device_seed)
