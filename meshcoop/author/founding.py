"""Founds a neighbourhood: signs its charter and the founder's profile."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from meshcoop.author.author import Author
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.state import State
from meshcoop.fold.thread_fold import Report
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.store import Store
from protocol.fold.content import pack_content
from protocol.fold.registry import DeclaredKind, declared_of
from protocol.kinds.neighbourhood import Charter, Device
from protocol.kinds.people import Profile
from protocol.local_clock import LocalClock, standard_offset
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record import signature
from protocol.record.envelope import Header, Record
from protocol.record.root_statement import FOUNDING_PLACE
from protocol.time_zones import find_zone


@dataclass(frozen=True)
class Identity:
    """The keys of a person and of one of their devices."""

    root_seed: bytes  # written down as the recovery words
    device_seed: bytes
    person: bytes  # the public root key
    device: bytes  # the device's public key
    statement: bytes  # the certificate of the device, signed with the root key

    @classmethod
    def new(cls, random: Callable[[int], bytes], place: bytes = FOUNDING_PLACE) -> "Identity":
        """Makes a new person with a new device.

        `place` is the beginning of the id of the neighbourhood that the person will join. Without
        `place`, the person will found a neighbourhood.
        """
        return cls.of(random(32), random, place)

    @classmethod
    def of(cls, root_seed: bytes, random: Callable[[int], bytes], place: bytes) -> "Identity":
        """Makes a new device for a person. `root_seed` is the seed of the person's root key.
        `place` is the beginning of the neighbourhood's id.
        """
        device_seed = random(32)
        box = seal.device_box_key(device_seed).public
        certificate = statement.certify_device(root_seed, device_seed, box, place)
        person = signature.public_key(root_seed)
        device = signature.public_key(device_seed)
        return cls(root_seed, device_seed, person, device, certificate)


def sign_charter(identity: Identity, fields: dict[str, Any], now: int) -> Record:
    """Makes and signs the charter, the record that founds a neighbourhood. The charter's id is also
    the id of the neighbourhood.
    """
    values = {**fields, "founders": [identity.statement]}
    return _first(declared_of(Charter), values, identity.device_seed, record.FOUNDING_ID, now)


def sign_introduction(seed: bytes, certificate: bytes, neighbourhood: bytes, now: int) -> Record:
    """Makes the first record of a further device of a member. This record carries the device's
    certificate (R-03.31).
    """
    return _first(declared_of(Device), {"statement": certificate}, seed, neighbourhood, now)


def _first(
    kind: DeclaredKind, fields: dict[str, Any], seed: bytes, neighbourhood: bytes, now: int
) -> Record:
    """Makes the first record of a device that other homes have not seen yet."""
    kind.check_fields(fields)
    content = pack_content(kind.name, fields)
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
        record.content_digest(content),
    )
    return record.sign(header, content, neighbourhood, seed)


def open_state(
    store: Store,
    neighbourhood: bytes,
    devices: dict[bytes, bytes],
    now: Callable[[], int],
    boxes: Iterable[tuple[bytes, bytes]] = (),
    *,
    report: Report | None = None,
) -> State:
    """Opens the state of `neighbourhood` in `store`.

    `devices` maps device keys to seeds. `boxes` holds a pair for each earlier device: the key of
    the device, and the secret of its box. The state opens sealed records with the keys from
    `devices` and from `boxes`. `report` is called while the state makes its views again; see
    `State`.
    """
    current = [(device, seal.device_box_key(seed)) for device, seed in devices.items()]
    earlier = [(device, seal.box_key_from_secret(secret)) for device, secret in boxes]
    return State(store, neighbourhood, KeyRing([*current, *earlier]), now, report)


def found_neighbourhood(
    store: Store,
    identity: Identity,
    fields: dict[str, Any],
    name: str,
    now: Callable[[], int],
    random: Callable[[int], bytes],
) -> Author:
    """Founds a neighbourhood in an empty store. `name` is the founder's name in their profile.

    `fields` are the charter's fields, without the founders.
    """
    first = sign_charter(identity, _with_offset(fields, now()), now())
    devices = {identity.device: identity.device_seed}
    state = open_state(store, first.id, devices, now)
    author = Author(Inbox(state), devices, now, random)
    with store.transaction():
        author.inbox.ingest([first], durable=True)
        author.write(declared_of(Profile), {"name": name})
    return author


def _with_offset(fields: dict[str, Any], now: int) -> dict[str, Any]:
    """Adds the standard offset of the charter's time zone to its fields. If the fields have an
    offset already, changes nothing. The offset says when the days of measures begin (R-11.1f).
    """
    zone = find_zone(fields.get("timezone"))
    if zone is None or fields.get("offset") is not None:
        return fields
    year = int(LocalClock(now, zone).today[: len("2026")])
    return {**fields, "offset": standard_offset(zone, year)}
