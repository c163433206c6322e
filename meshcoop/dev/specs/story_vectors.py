"""Makes test vectors of whole neighbourhoods.

The vectors show founding, admission, an exchange, a sync of two homes, and a bundle. They are made
by the same code that a home runs. Only the clock and the random numbers are fixed.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from meshcoop.api.methods.status import hash_record_ids
from meshcoop.author import automatic, founding
from meshcoop.author.author import Author
from meshcoop.author.folding import fold_at_once
from meshcoop.author.key_giving import give_by_record
from meshcoop.dev.specs import vectors
from meshcoop.dev.specs.authority_vectors import describe_authority
from meshcoop.dev.specs.vectors import (
    MINUTE_MS,
    START_MS,
    Document,
    KeySet,
    keys_of,
    sign_next,
    to_json,
)
from meshcoop.store.store import Store
from protocol.fold import content as contents
from protocol.fold.registry import KINDS
from protocol.record.envelope import Record
from protocol.wire import bundle_file, frames, membership_proof, sync_events
from protocol.wire.bundle_file import BUNDLE, HAVE_FILE, LIST_BYTES
from protocol.wire.have_map import PREFIX_SIZE, Heads, LogHead, digest_heads, have_map_lists
from protocol.wire.sync_session import SyncSession

_PEERS = ("12D3KooWAna", "12D3KooWBen")
_HALF_HOUR = 30


def make_documents() -> Document:
    """Makes the vector files of this module. Returns a map from file names in specs/vectors/ to
    contents.
    """
    return {
        "story": _tell_story(),
        "sync": _make_sync(),
        "bundle": _make_bundle(),
    }


# -- A neighbourhood ------------------------------------------------------------------------------


class _Household:
    """One node that two people use: the founder Ana and the member Ben.

    With each record, the node's clock moves forward by a minute.
    """

    def __init__(self) -> None:
        self._time = START_MS
        self._draws = 0
        self.ana = keys_of("Ana")
        self.ben = keys_of("Ben")
        founder = founding.Identity(*self.ana[:4], self.ana.certificate())
        self.store = Store(":memory:")
        self.author: Author = founding.found_neighbourhood(
            self.store, founder, {"name": "Ash Street"}, "Ana", self.now, self.random
        )
        self._admit_ben()

    def now(self) -> int:
        return self._time

    def random(self, count: int) -> bytes:
        self._draws += 1
        return hashlib.shake_128(b"meshcoop story %d" % self._draws).digest(count)

    def post(self, kind: str, author: KeySet, about: Record | None, /, **fields: Any) -> Record:
        self._time += MINUTE_MS
        return self.author.write(
            KINDS[kind],
            fields,
            about=about.id if about else None,
            signer=self.author.signer_of(author.person),
        )

    def _admit_ben(self) -> None:
        ben = self.ben
        place = self.author.state.neighbourhood
        self.post("admit", self.ana, None, person=ben.person, statement=ben.certificate(place))
        self.author.devices[ben.device] = ben.device_seed
        self.author.state.ring.add_box(ben.device, ben.box)
        give_by_record(self.author, ben.device, self.author.state.ring.all())
        self._time += MINUTE_MS
        fold_at_once(self.author.state, automatic.accept_charter(self.author))
        self.post("profile", ben, None, name="Ben", assets=["bicycles"])


def _tell_story() -> Document:
    """Acts out founding, admission and an exchange. Describes the home at the end of this story."""
    home = _Household()
    ana = home.ana
    ben = home.ben
    request = home.post("request", ana, None, title="A lift to the clinic", minutes=_HALF_HOUR)
    response = home.post("response", ben, request, text="I can drive")
    agreement = home.post("agreement", ana, response)
    receipt = home.post("receipt", ben, agreement, on="2026-09-21", note="It rained")
    confirmation = home.post("confirm", ana, receipt)
    home.post("confirm", ben, confirmation)
    offer = home.post("offer", ben, None, title="Bicycle repair", tags=["bicycles"])
    home.post("retract", ben, offer)
    withdrawn = home.post("request", ben, None, title="A ladder for a day")
    home.post("close", ben, withdrawn, as_state="withdrawn", why="found one")
    return _describe_home(home)


def _describe_home(home: _Household) -> Document:
    state = home.author.state
    record_ids = list(home.store.records.ids())
    rows = [home.store.records.find(record_id) for record_id in record_ids]
    records = [row.record for row in rows if row]
    records.sort(key=lambda record: (record.header.time, record.header.device, record.header.seq))
    views = [state.views.find(record_id) for record_id in record_ids]
    assert state.authority is not None, "the charter has been read"
    return {
        "now": home.now(),
        "devices": {
            name: {"device_seed": keys.device_seed.hex(), "person": keys.person.hex()}
            for name, keys in (("Ana", home.ana), ("Ben", home.ben))
        },
        "neighbourhood": state.neighbourhood.hex(),
        "epoch_keys": [
            {"key_id": epoch.id.hex(), "origin": epoch.origin.hex(), "key": epoch.key.hex()}
            for epoch in state.ring.all()
        ],
        "records": [_describe_record(record, state.contents.open) for record in records],
        "authority": describe_authority(state.authority),
        "views": [to_json(vars(view)) for view in views if view],
        "set_hash": hash_record_ids(record_ids).hex(),
        "state_hash": state.views.state_hash().hex(),
        "balances": [
            {"person": person.hex(), "given": balance.given, "received": balance.received}
            for person, balance in sorted(state.views.balances().items())
        ],
    }


def _describe_record(record: Record, open_content: Callable[[Record], bytes | None]) -> Document:
    content = open_content(record)
    kind = contents.read_content(content)[0] if content else None
    return {"kind": kind, "id": record.id.hex(), "wire": record.wire.hex()}


# -- Sync -----------------------------------------------------------------------------------------


def _make_sync() -> Document:
    ana = keys_of("Ana")
    place = vectors.seed_of("neighbourhood")
    log = _sign_log(ana, place, 3)
    other = sign_next(ana, log[1], b"other", neighbourhood=place, time=START_MS + 2 * MINUTE_MS)
    fork = tuple(sorted((log[2].id, other.id)))
    heads = {ana.device: LogHead(2, log[1].id, fork)}
    stores: dict[str, tuple[list[Record], list[Record]]] = {
        "equal stores": (log, log),
        "one record is missing": (log, log[:2]),
        "a log forked at its third record": (log, [*log[:2], other]),
    }
    return {
        "neighbourhood": place.hex(),
        "peers": list(_PEERS),
        "hello": _describe_hello(place, ana, log[:1]),
        "rounds": [
            *(
                _describe_round(name, (_heads_of(ours), _heads_of(theirs)), (ours, theirs))
                for name, (ours, theirs) in stores.items()
            ),
            _describe_round("the same fork, known to both", (heads, heads), ([], [])),
        ],
    }


def _sign_log(author: KeySet, place: bytes, length: int) -> list[Record]:
    log: list[Record] = []
    for index in range(length):
        previous = log[-1] if log else None
        time = START_MS + index * MINUTE_MS
        log.append(sign_next(author, previous, bytes([index]), neighbourhood=place, time=time))
    return log


def _describe_hello(place: bytes, author: KeySet, chain: list[Record]) -> Document:
    signature = membership_proof.prove_membership(author.device_seed, place, *_PEERS)
    frame = SyncSession().send_hello(author.device, signature, [record.wire for record in chain])
    return {"device": author.device.hex(), "signature": signature.hex(), "frame": frame.hex()}


def _heads_of(store: list[Record]) -> dict[bytes, LogHead]:
    """Returns the last record of every log in a store."""
    return {record.header.device: LogHead(record.header.seq, record.id) for record in store}


def _describe_round(
    name: str, heads: tuple[Heads, Heads], stores: tuple[list[Record], list[Record]]
) -> Document:
    """Describes the messages of one round of sync. The first side begins.

    A step of the round holds everything that one side sends at once.
    """
    sessions = (SyncSession(), SyncSession())
    for session in sessions:
        session.admit()
    steps: list[Document] = []
    side = 0
    data = sessions[0].begin_round(heads[0])
    # The sides take turns. The round is over when one side has nothing to answer.
    while data:
        steps.append({"side": "ab"[side], "sends": data.hex()})
        side = 1 - side
        answers = [
            _answer_event(sessions[side], event, heads[side], stores[side])
            for event in sessions[side].receive(data)
        ]
        data = b"".join(answers)
    return {
        "name": name,
        "heads": [_describe_heads(side_heads) for side_heads in heads],
        "digests": [digest_heads(side_heads).hex() for side_heads in heads],
        "records": [_wires_in_hex(store) for store in stores],
        "steps": steps,
    }


def _describe_heads(heads: Heads) -> list[Document]:
    return [
        {
            "device": device.hex(),
            "seq": head.seq,
            "id": head.id.hex(),
            "fork": [fork_id.hex() for fork_id in head.fork],
        }
        for device, head in heads.items()
    ]


def _wires_in_hex(records: list[Record]) -> list[str]:
    return [record.wire.hex() for record in records]


def _answer_event(
    session: SyncSession, event: sync_events.SyncEvent, heads: Heads, store: list[Record]
) -> bytes:
    """Returns the bytes with which a home answers an event of sync.

    `store` holds the records of this home.
    """
    if isinstance(event, sync_events.DigestReceived):
        return session.answer_digest(heads)[0]
    if isinstance(event, sync_events.PeerLacks):
        wires = [record.wire for log in event.logs for record in _records_after(log, store)]
        return session.send_records(wires) + session.send_end()[0]
    if isinstance(event, sync_events.RecordsReceived):
        return session.credit_taken(event.size)
    return b""


def _records_after(head: tuple[bytes, int, bytes], store: list[Record]) -> list[Record]:
    """Returns the records of a log that come after the record `head`. A peer already has this log
    up to `head`.

    If the store lacks the record `head`, returns the whole log.
    """
    device, seq, id_prefix = head
    log = [record for record in store if record.header.device == device]
    has_head = any(
        record.header.seq == seq and record.id[:PREFIX_SIZE] == id_prefix for record in log
    )
    return [record for record in log if not has_head or record.header.seq > seq]


# -- Bundles --------------------------------------------------------------------------------------


def _make_bundle() -> Document:
    place = vectors.seed_of("neighbourhood")
    records = [*_sign_log(keys_of("Ana"), place, 3), *_sign_log(keys_of("Ben"), place, 1)]
    records[1] = records[1]._replace(content=None)
    heads = _heads_of(records)
    batches = frames.batch_records([record.wire for record in records], LIST_BYTES)
    return {
        "neighbourhood": place.hex(),
        "records": _wires_in_hex(records),
        "salt": vectors.seed_of("salt").hex(),
        "bundle": b"".join(
            bundle_file.encode_file(BUNDLE, place, vectors.seed_of("salt"), batches)
        ).hex(),
        "heads": _describe_heads(heads),
        "have": b"".join(
            bundle_file.encode_file(
                HAVE_FILE, place, vectors.seed_of("salt"), have_map_lists(heads)
            )
        ).hex(),
    }
