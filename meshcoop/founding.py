"""Founding: a new neighbourhood begins with a charter, its first epoch key and a profile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from meshcoop.author import Author
from meshcoop.duties import offer_epochs
from meshcoop.epochs import KeyRing
from meshcoop.inbox import Inbox
from meshcoop.state import State
from meshcoop.store import Store
from protocol import record, schema, seal, statement
from protocol.record import Header, Record
from protocol.schema import KINDS
from protocol.seal import EpochKey
from protocol.statement import FOUNDING


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
        root_seed, device_seed = random(32), random(32)
        box = seal.box_key(device_seed).public
        certificate = statement.certify(root_seed, device_seed, box, place)
        known = statement.read(certificate)
        return cls(root_seed, device_seed, known.person, known.device, certificate)


def charter(identity: Identity, fields: dict[str, Any], now: int) -> Record:
    """The record that founds a neighbourhood; its id is the neighbourhood's."""
    kind = KINDS["charter"]
    values = {**fields, "founders": [identity.statement]}
    kind.check(values)
    content = schema.content(kind.name, values)
    header = Header(
        record.VERSION,
        identity.device,
        1,
        None,
        now,
        None,
        [],
        kind.audience_code,
        len(content),
        record.digest(content),
    )
    return record.sign(header, content, record.FOUNDING, identity.device_seed)


def open_state(
    store: Store, neighbourhood: bytes, devices: dict[bytes, bytes], now: Callable[[], int]
) -> State:
    """The state of `neighbourhood` in `store`, readable with these devices (key → seed)."""
    ring = KeyRing((key, seal.box_key(seed)) for key, seed in devices.items())
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
