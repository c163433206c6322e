"""Founding: a new neighbourhood begins with a charter, its first epoch key and a profile."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from meshcoop.author.author import Author
from meshcoop.author.automatic import offer_epochs
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.state import State
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.store import Store
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS, Kind
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import Header, Record
from protocol.record.root_statement import FOUNDING
from protocol.record.sealing import EpochKey


@dataclass(frozen=True)
class Identity:
    """A person's keys at their first device. `root_seed` goes to the recovery words."""

    root_seed: bytes
    device_seed: bytes
    person: bytes
    device: bytes
    statement: bytes

    @classmethod
    def new(cls, random: Callable[[int], bytes], place: bytes = FOUNDING) -> "Identity":
        """A new person with a new device, to found a neighbourhood or to join the one at `place`."""
        return cls.of(random(32), random, place)

    @classmethod
    def of(cls, root_seed: bytes, random: Callable[[int], bytes], place: bytes) -> "Identity":
        """A new device of the person with this root key."""
        device_seed = random(32)
        box = seal.box_key(device_seed).public
        certificate = statement.certify(root_seed, device_seed, box, place)
        known = statement.read(certificate)
        return cls(root_seed, device_seed, known.person, known.device, certificate)


def charter(identity: Identity, fields: dict[str, Any], now: int) -> Record:
    """The record that founds a neighbourhood; its id is the neighbourhood's."""
    values = {**fields, "founders": [identity.statement]}
    return _first(KINDS["charter"], values, identity.device_seed, record.FOUNDING, now)


def introduction(seed: bytes, certificate: bytes, neighbourhood: bytes, now: int) -> Record:
    """R-03.31: with this record a member's further device, of which nobody knows, brings itself."""
    return _first(KINDS["device"], {"statement": certificate}, seed, neighbourhood, now)


def _first(
    kind: Kind, fields: dict[str, Any], seed: bytes, neighbourhood: bytes, now: int
) -> Record:
    """Number 1 of a log, of a device that nobody knows yet."""
    kind.check(fields)
    content = schema.content(kind.name, fields)
    header = Header(
        record.VERSION,
        record.device_key(seed),
        1,
        None,
        now,
        None,
        [],
        kind.audience_code,
        len(content),
        record.digest(content),
    )
    return record.sign(header, content, neighbourhood, seed)


def open_state(
    store: Store,
    neighbourhood: bytes,
    devices: dict[bytes, bytes],
    now: Callable[[], int],
    boxes: Iterable[tuple[bytes, bytes]] = (),
) -> State:
    """The state of `neighbourhood` in `store`, readable with these devices (key → seed), and with
    the `boxes` of earlier ones (key → box secret).
    """
    mine = [(key, seal.box_key(seed)) for key, seed in devices.items()]
    ring = KeyRing([*mine, *((key, seal.box_of(secret)) for key, secret in boxes)])
    return State(store, neighbourhood, ring, now)


def found(
    store: Store,
    identity: Identity,
    fields: dict[str, Any],
    name: str,
    now: Callable[[], int],
    random: Callable[[int], bytes],
) -> Author:
    """Founds a neighbourhood in an empty store, with `name` as the founder's profile."""
    first = charter(identity, fields, now())
    devices = {identity.device: identity.device_seed}
    author = Author(Inbox(open_state(store, first.id, devices, now)), devices, now, random)
    with store.transaction():
        author.inbox.take([first], durable=True)
        offer_epochs(author, [EpochKey.of(1, random(32))], identity.device)
        author.write(KINDS["profile"], {"name": name})
    return author
