"""Test vectors of whole neighbourhoods: founding, admission, an exchange, and two homes in sync.

The stories run through the same code that a home runs, with a clock and randomness of their own.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from meshcoop.api.methods.records import set_hash
from meshcoop.author import automatic as duties
from meshcoop.author import founding
from meshcoop.author.author import Author
from meshcoop.dev.specs import vectors
from meshcoop.dev.specs.vectors import MINUTE_MS, START_MS, Keys, keys, plain, sign
from meshcoop.store.store import Store
from protocol.authority import authority
from protocol.authority.authority import Authority
from protocol.authority.records import Act
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.record import envelope as record
from protocol.record.envelope import Record
from protocol.wire import bundle, frames
from protocol.wire import membership_proof as hello
from protocol.wire import sync_events as events
from protocol.wire import sync_session as sync
from protocol.wire.bundle import BUNDLE, HAVE, PIECE
from protocol.wire.have_map import SHORT, Heads, Held, digest, have_map

_PEERS = ("12D3KooWAna", "12D3KooWBen")
_HALF_HOUR = 30
_LASTING = record.OPEN | record.LASTING


def generate() -> dict[str, Any]:
    """The generated vector files: name in specs/vectors/ → document."""
    return {"story": story(), "authority": _authority(), "sync": _sync(), "bundle": _bundle()}


# -- a neighbourhood ------------------------------------------------------------------------------


class _Household:
    """Ana founds, and admits Ben; both use one node, whose clock moves a minute a record."""

    def __init__(self) -> None:
        self._time = START_MS
        self._drawn = 0
        self.ana, self.ben = keys("Ana"), keys("Ben")
        first = founding.Identity(*self.ana[:4], self.ana.certificate())
        self.store = Store(":memory:")
        self.author: Author = founding.found(
            self.store, first, {"name": "Ash Street"}, "Ana", self.now, self.random
        )
        self._admit_ben()

    def now(self) -> int:
        return self._time

    def random(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_128(b"meshcoop story %d" % self._drawn).digest(count)

    def post(self, kind: str, who: Keys, about: Record | None, /, **fields: Any) -> Record:
        self._time += MINUTE_MS
        return self.author.write(
            KINDS[kind],
            fields,
            about=about.id if about else None,
            signer=self.author.signer_of(who.person),
        )

    def _admit_ben(self) -> None:
        ben, place = self.ben, self.author.state.neighbourhood
        self.post("admit", self.ana, None, person=ben.person, statement=ben.certificate(place))
        self.author.devices[ben.device] = ben.device_seed
        self.author.state.ring.add_box(ben.device, ben.box)
        duties.offer_epochs(self.author, self.author.state.ring.all(), ben.device)
        self._time += MINUTE_MS
        duties.accept_charter(self.author)
        self.post("profile", ben, None, name="Ben", assets=["bicycles"])


def story() -> dict[str, Any]:
    """Founding, admission and an exchange, with what every home then knows."""
    home = _Household()
    ana, ben = home.ana, home.ben
    wish = home.post("request", ana, None, title="A lift to the clinic", minutes=_HALF_HOUR)
    answer = home.post("response", ben, wish, text="I can drive")
    terms = home.post("agreement", ana, answer)
    given = home.post("receipt", ben, terms, on="2026-09-22", note="It rained")
    confirmed = home.post("confirm", ana, given)
    home.post("confirm", ben, confirmed)
    offer = home.post("offer", ben, None, title="Bicycle repair", tags=["bicycles"])
    home.post("retract", ben, offer)
    refused = home.post("request", ben, None, title="A ladder for a day")
    home.post("close", ben, refused, as_state="withdrawn", why="found one")
    state = home.author.state
    ids = list(home.store.records.ids())
    records = [row.record for one in ids if (row := home.store.records.find(one))]
    records.sort(key=lambda one: (one.fields.time, one.fields.device, one.fields.seq))
    known = state.authority
    assert known is not None
    views = [view for one in ids if (view := state.views.get(one))]
    return {
        "now": home.now(),
        "devices": {
            name: {"device_seed": one.device_seed.hex(), "person": one.person.hex()}
            for name, one in (("Ana", ana), ("Ben", ben))
        },
        "neighbourhood": state.neighbourhood.hex(),
        "epoch_keys": [
            {"number": one.number, "key_id": one.id.hex(), "key": one.key.hex()}
            for one in state.ring.all()
        ],
        "records": [_record(one, state.contents.open) for one in records],
        "authority": authority_told(known),
        "views": [plain(view) for view in views],
        "set_hash": set_hash(ids).hex(),
        "state_hash": state.views.state_hash().hex(),
        "balances": [
            {"person": person.hex(), "given": one.given, "received": one.received}
            for person, one in sorted(state.views.balances().items())
        ],
    }


def _record(one: Record, opened: Callable[[Record], bytes | None]) -> dict[str, Any]:
    content = opened(one)
    kind = schema.read_content(content)[0] if content else None
    return {"kind": kind, "id": one.id.hex(), "wire": one.wire.hex()}


def authority_told(known: Authority) -> dict[str, Any]:
    """Members, those who wait and devices, as the vectors write them."""
    return {
        "members": [
            {"person": one.person.hex(), "since": one.since, "admits": plain(list(one.admits))}
            for one in sorted(known.members.values(), key=lambda one: one.person)
        ],
        "waiting": [
            {"person": person.hex(), "vouched": sorted(one.hex() for one in vouchers)}
            for person, vouchers in sorted(known.waiting.items())
        ],
        "devices": [
            {"device": one.key.hex(), "person": one.person.hex(), "revoked": one.revoked}
            for one in sorted(known.devices.values(), key=lambda one: one.key)
        ],
    }


# -- authority ------------------------------------------------------------------------------------


def act_of(one: Record) -> Act:
    """An open record as authority reads it."""
    assert one.content is not None
    name, fields = schema.read_content(one.content)
    return Act(one.id, one.fields.device, one.fields.seq, one.fields.time, name, fields)


def _authority() -> list[dict[str, Any]]:
    """Vectors 1 and 2 of the rules of authority: V = 2, with two founders and with one."""
    ana, ben, cai, dee = (keys(name) for name in ("Ana", "Ben", "Cai", "Dee"))
    two = _Rolls([ana, ben])
    one = _Rolls([ana])
    return [
        two.told("founders A and B, V = 2: A admits X", [(ana, cai)]),
        two.told("founders A and B, V = 2: A and B admit X", [(ana, cai), (ben, cai)]),
        one.told("founder F, V = 2: F admits X", [(ana, cai)]),
        one.told("founder F, V = 2: F admits X, X alone admits Y", [(ana, cai), (cai, dee)]),
        one.told("F admits X, X and F admit Y", [(ana, cai), (cai, dee), (ana, dee)]),
        one.told("F admits X with a statement for elsewhere", [(ana, cai)], vectors.seed("away")),
    ]


class _Rolls:
    """A charter with these founders and V = 2."""

    def __init__(self, founders: list[Keys]) -> None:
        fields = {
            "name": "Elm Row",
            "founders": [one.certificate() for one in founders],
            "vouchers": 2,
        }
        content = schema.content("charter", fields)
        place = record.FOUNDING
        self._charter = sign(
            founders[0], None, content, neighbourhood=place, time=START_MS, audience=_LASTING
        )

    def told(
        self, name: str, admissions: list[tuple[Keys, Keys]], place: bytes | None = None
    ) -> dict[str, Any]:
        """What these admissions make of it; `place`: where their statements are for, if not here."""
        records = [self._charter]
        for voucher, newcomer in admissions:
            certificate = newcomer.certificate(place or self._charter.id)
            fields = {"person": newcomer.person, "statement": certificate}
            own = [one for one in records if one.fields.device == voucher.device]
            records.append(
                sign(
                    voucher,
                    own[-1] if own else None,
                    schema.content("admit", fields),
                    neighbourhood=self._charter.id,
                    time=START_MS + len(records) * MINUTE_MS,
                    audience=_LASTING,
                )
            )
        known = authority.fold(act_of(self._charter), [act_of(one) for one in records[1:]], {})
        return {
            "name": name,
            "neighbourhood": self._charter.id.hex(),
            "records": [{"id": one.id.hex(), "wire": one.wire.hex()} for one in records],
            "authority": authority_told(known),
        }


# -- sync -----------------------------------------------------------------------------------------


def _sync() -> dict[str, Any]:
    ana, place = keys("Ana"), vectors.seed("neighbourhood")
    log = _log(ana, place, 3)
    other = sign(ana, log[1], b"other", neighbourhood=place, time=START_MS + 2 * MINUTE_MS)
    forked = tuple(sorted((log[2].id, other.id)))
    proofs = {ana.device: Held(2, log[1].id, forked)}
    stores: dict[str, tuple[list[Record], list[Record]]] = {
        "equal stores": (log, log),
        "one record is missing": (log, log[:2]),
        "a log forked at its third record": (log, [*log[:2], other]),
    }
    return {
        "neighbourhood": place.hex(),
        "peers": list(_PEERS),
        "hello": _hello(place, ana, log[:1]),
        "rounds": [
            *(_round(name, _heads(a), _heads(b), (a, b)) for name, (a, b) in stores.items()),
            _round("the same fork, known to both", proofs, proofs, ([], [])),
        ],
    }


def _log(author: Keys, place: bytes, length: int) -> list[Record]:
    log: list[Record] = []
    for n in range(length):
        before = log[-1] if log else None
        time = START_MS + n * MINUTE_MS
        log.append(sign(author, before, bytes([n]), neighbourhood=place, time=time))
    return log


def _hello(place: bytes, author: Keys, chain: list[Record]) -> dict[str, Any]:
    signature = hello.prove(author.device_seed, place, *_PEERS)
    frame = sync.Session().hello(place, author.device, signature, [one.wire for one in chain])
    return {"device": author.device.hex(), "signature": signature.hex(), "frame": frame.hex()}


def _heads(held: list[Record]) -> dict[bytes, Held]:
    return {one.fields.device: Held(one.fields.seq, one.id) for one in held}


def _round(
    name: str, ours: Heads, theirs: Heads, stores: tuple[list[Record], list[Record]]
) -> dict[str, Any]:
    """One round, begun by the first side; each step is what one side sends at once."""
    sides = [sync.Session(), sync.Session()]
    for one in sides:
        one.admit()
    heads = (ours, theirs)
    waiting: list[tuple[int, bytes]] = [(0, sides[0].begin(ours))]
    steps: list[dict[str, Any]] = []
    while waiting:
        side, data = waiting.pop(0)
        if data:
            steps.append({"side": "ab"[side], "sends": data.hex()})
            other = 1 - side
            out = b"".join(
                _answer(sides[other], event, heads[other], stores[other])
                for event in sides[other].receive(data)
            )
            waiting.append((other, out))
    return {
        "name": name,
        "heads": [[_held(device, one) for device, one in side.items()] for side in heads],
        "digests": [digest(side).hex() for side in heads],
        "records": [[one.wire.hex() for one in side] for side in stores],
        "steps": steps,
    }


def _held(device: bytes, one: Held) -> dict[str, Any]:
    fork = [each.hex() for each in one.fork]
    return {"device": device.hex(), "seq": one.seq, "id": one.id.hex(), "fork": fork}


def _answer(side: sync.Session, event: events.Event, heads: Heads, store: list[Record]) -> bytes:
    if isinstance(event, events.Compare):
        return side.compare(heads)[0]
    if isinstance(event, events.Lacks):
        wires = [one.wire for log in event.logs for one in _after(log, store)]
        return side.records(wires) + side.end()[0]
    if isinstance(event, events.Received):
        return side.taken(event.size)
    return b""


def _after(lacked: tuple[bytes, int, bytes], store: list[Record]) -> list[Record]:
    """What follows the peer's head, or the whole log where ours has another record there."""
    device, seq, short = lacked
    own = [one for one in store if one.fields.device == device]
    known = any(one.fields.seq == seq and one.id[:SHORT] == short for one in own)
    return [one for one in own if not known or one.fields.seq > seq]


# -- bundles --------------------------------------------------------------------------------------


def _bundle() -> dict[str, Any]:
    place = vectors.seed("neighbourhood")
    held = [*_log(keys("Ana"), place, 3), *_log(keys("Ben"), place, 1)]
    held[1] = held[1]._replace(content=None)
    wires, heads = [one.wire for one in held], _heads(held)
    lists = {BUNDLE: frames.batches(wires, PIECE), HAVE: have_map(heads)}
    files = {sort: b"".join(bundle.encode(sort, place, some)) for sort, some in lists.items()}
    return {
        "neighbourhood": place.hex(),
        "records": [wire.hex() for wire in wires],
        "bundle": files[BUNDLE].hex(),
        "heads": [_held(device, one) for device, one in heads.items()],
        "have": files[HAVE].hex(),
    }
