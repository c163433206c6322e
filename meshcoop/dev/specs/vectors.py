"""Test vectors of the specs: what another program must read and write, byte for byte.

Everything here comes from fixed seeds and times, so that the files in specs/vectors/ can be made
again and compared. Bytes are hexadecimal. `meshcoop.vectors_kinds` has the contents of each kind,
`meshcoop.vectors_story` whole neighbourhoods.
"""

import hashlib
from typing import Any, NamedTuple

from protocol.fold import kind as schema
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import Header, Record
from protocol.record.sealing import BoxKey, EpochKey
from protocol.wire import gossip, invitation

START_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z, when every story begins
MINUTE_MS = 60_000

_SAFE_INTEGER = 2**53  # above this, some JSON readers round


class Keys(NamedTuple):
    """A person and their first device, from seeds that a name determines."""

    root_seed: bytes
    device_seed: bytes
    person: bytes
    device: bytes
    box: BoxKey

    def certificate(self, neighbourhood: bytes = record.FOUNDING) -> bytes:
        """The device's root statement for a neighbourhood, or for one that is being founded."""
        place = neighbourhood[: statement.PLACE]
        return statement.certify(self.root_seed, self.device_seed, self.box.public, place)


def seed(name: str) -> bytes:
    """32 bytes for one purpose: SHA-256 of "meshcoop vector " and the name."""
    return hashlib.sha256(b"meshcoop vector " + name.encode()).digest()


def keys(name: str) -> Keys:
    """The keys of the person called `name` in the vectors."""
    root_seed, device_seed = seed(f"{name} root"), seed(f"{name} device")
    person, device = record.device_key(root_seed), record.device_key(device_seed)
    return Keys(root_seed, device_seed, person, device, seal.box_key(device_seed))


def sign(
    author: Keys,
    before: Record | None,
    content: bytes,
    *,
    neighbourhood: bytes,
    time: int,
    parents: tuple[bytes, ...] = (),
    audience: int = record.OPEN,
    expiry: int | None = None,
) -> Record:
    """The record of `author` after `before` in their log."""
    header = Header(
        record.VERSION,
        author.device,
        before.fields.seq + 1 if before else 1,
        before.id if before else None,
        time,
        expiry,
        list(parents),
        audience,
        len(content),
        record.digest(content),
    )
    return record.sign(header, content, neighbourhood, author.device_seed)


def generate() -> dict[str, Any]:
    """The generated vector files: name in specs/vectors/ → document."""
    return {
        "codec": _codec(),
        "records": _records(),
        "sealing": _sealing(),
        "statements": _statements(),
        "gossip": _gossip(),
        "invitation": _invitation(),
    }


def plain(value: Any) -> Any:
    """A value as JSON has it: bytes as {"hex": …}, integers beyond 53 bits as {"integer": …}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if type(value) is int and abs(value) >= _SAFE_INTEGER:
        return {"integer": str(value)}
    return value


def value_of(written: Any) -> Any:
    """The value that `plain` wrote."""
    if isinstance(written, dict):
        if written.keys() == {"hex"}:
            return bytes.fromhex(written["hex"])
        if written.keys() == {"integer"}:
            return int(written["integer"])
        return {key: value_of(one) for key, one in written.items()}
    if isinstance(written, list):
        return [value_of(one) for one in written]
    return written


def _codec() -> list[dict[str, Any]]:
    edges = [0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53, 2**64 - 1]
    negative = [-1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**63)]
    texts = ["", "a", "é", "日本語", "👩‍👧", "x" * 31, "x" * 32, "x" * 256]
    raw = [b"", b"\x00", b"x" * 255, b"x" * 256]
    nested: list[Any] = [[], {}, [1, [2, [3, [4, [5, [6]]]]]], list(range(16)), [None] * 64]
    maps = [{"a": 1}, {"b": 1, "a": 2}, {"é": 1, "z": 2, "zz": 3}, {"a": {"b": [b"c", "d", True]}}]
    values: list[Any] = [None, False, True, *edges, *negative, *texts, *raw, *nested, *maps]
    return [{"value": plain(value), "hex": codec.pack(value).hex()} for value in values]


def _records() -> list[dict[str, Any]]:
    ana, place = keys("Ana"), seed("neighbourhood")
    first = sign(
        ana,
        None,
        schema.content("charter", {}),
        neighbourhood=bytes(32),
        time=START_MS,
        audience=record.OPEN | record.LASTING,
    )
    second = sign(ana, first, b"", neighbourhood=place, time=START_MS, parents=(first.id,))
    third = sign(
        ana,
        second,
        bytes(range(256)),
        neighbourhood=place,
        time=START_MS + MINUTE_MS,
        parents=tuple(seed(f"parent {n}") for n in range(record.MAX_PARENTS)),
        audience=record.EPOCH,
        expiry=START_MS + record.DAY_MS,
    )
    erased = third._replace(content=None)
    lasting = sign(
        ana,
        second,
        b"relied on",
        neighbourhood=place,
        time=START_MS + MINUTE_MS,
        audience=record.EPOCH | record.LASTING,
    )
    return [
        _told(name, one, place, ana)
        for name, one, place in (
            ("the first of a log, signed for no neighbourhood yet", first, bytes(32)),
            ("the next, about the first, empty content", second, place),
            ("eight parents, an expiry, epoch audience", third, place),
            ("the same, its content erased", erased, place),
            ("epoch audience, and others rely on it", lasting, place),
        )
    ]


def _told(name: str, one: Record, place: bytes, author: Keys) -> dict[str, Any]:
    return {
        "name": name,
        "device_seed": author.device_seed.hex(),
        "neighbourhood": place.hex(),
        "fields": plain(one.fields._asdict()),
        "content": None if one.content is None else one.content.hex(),
        "header": one.header.hex(),
        "signature": one.signature.hex(),
        "id": one.id.hex(),
        "wire": one.wire.hex(),
    }


def _sealing() -> dict[str, Any]:
    ana, ben, place = keys("Ana"), keys("Ben"), seed("neighbourhood")
    epoch = EpochKey.of(1, seed("epoch key"))
    words = codec.pack(["thanks", {"text": "for the lift"}])
    at = seal.context(place, ana.device, 7)
    field_at = seal.private_context(place, ana.device, 7, "note")
    note = codec.pack("the key is under the pot")
    boxes = [ana.box.public, ben.box.public]
    return {
        "devices": [
            {
                "device_seed": one.device_seed.hex(),
                "box_secret": one.box.secret.hex(),
                "box": one.box.public.hex(),
            }
            for one in (ana, ben)
        ],
        "epoch": {
            "number": epoch.number,
            "key": epoch.key.hex(),
            "key_id": epoch.id.hex(),
            "context": at.hex(),
            "seed": seed("epoch seal").hex(),
            "plain": words.hex(),
            "sealed": seal.seal_epoch(epoch, words, at, seed("epoch seal")).hex(),
        },
        "slot": {
            "key": epoch.key.hex(),
            "to": ben.box.public.hex(),
            "seed": seed("slot seal").hex(),
            "slot": seal.seal_key(epoch.key, ben.box.public, seed("slot seal")).hex(),
        },
        "private": {
            "boxes": [one.hex() for one in boxes],
            "context": field_at.hex(),
            "seed": seed("private seal").hex(),
            "plain": note.hex(),
            "sealed": seal.seal_for(boxes, note, field_at, seed("private seal")).hex(),
        },
        "record": _private_record(boxes, at),
    }


def _private_record(boxes: list[bytes], at: bytes) -> dict[str, Any]:
    content = schema.private_content("message", {"text": "at nine, by the pond"}, seed("circle"))
    crowd = seal.with_decoys(boxes, seed("decoys"))
    return {
        "boxes": [one.hex() for one in boxes],
        "context": at.hex(),
        "decoy_seed": seed("decoys").hex(),
        "seed": seed("record seal").hex(),
        "plain": content.hex(),
        "key": seal.derive(seed("record seal"), "private key").hex(),
        "sealed": seal.seal_for(crowd, seal.cover(content), at, seed("record seal")).hex(),
    }


def _statements() -> list[dict[str, Any]]:
    ana, here = keys("Ana"), seed("neighbourhood")[: statement.PLACE]
    ended = statement.revoke(ana.root_seed, ana.device, 12, here)
    certificates = [
        (f"a device certified by its person and by itself, {where}", place)
        for where, place in (("to found", statement.FOUNDING), ("for one neighbourhood", here))
    ]
    return [
        *(
            {
                "name": name,
                "root_seed": ana.root_seed.hex(),
                "device_seed": ana.device_seed.hex(),
                "says": plain(["certify", place, ana.person, ana.device, ana.box.public]),
                "statement": ana.certificate(place).hex(),
            }
            for name, place in certificates
        ),
        {
            "name": "the device revoked after its record 12",
            "root_seed": ana.root_seed.hex(),
            "says": plain(["revoke", here, ana.person, ana.device, 12]),
            "statement": ended.hex(),
        },
    ]


def _gossip() -> dict[str, Any]:
    ana, place = keys("Ana"), seed("neighbourhood")
    epoch = EpochKey.of(1, seed("epoch key"))
    one = sign(ana, None, b"\xc0", neighbourhood=place, time=START_MS, audience=record.EPOCH)
    return {
        "neighbourhood": place.hex(),
        "topic": gossip.topic(place),
        "epoch_key": epoch.key.hex(),
        "gossip_key": gossip.gossip_key(epoch).hex(),
        "wire": one.wire.hex(),
        "frame": gossip.frame(one.wire, gossip.gossip_key(epoch)).hex(),
    }


def _invitation() -> dict[str, Any]:
    ana = keys("Ana")
    addresses = ("/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/4001")
    one = invitation.Invitation(
        seed("neighbourhood")[:16], seed("peer"), seed("secret")[:16], addresses
    )
    text = invitation.encode(one)
    joiner, inviter = "12D3KooWJoiner", "12D3KooWInviter"
    shown = invitation.proof(one.secret, joiner, inviter, ana.person)
    signature = invitation.signed(shown, ana.device_seed)
    certificate = ana.certificate(one.neighbourhood)
    knock = invitation.Knock(one.id, shown, signature, certificate, "Ana")
    return {
        "neighbourhood": one.neighbourhood.hex(),
        "peer": one.peer.hex(),
        "secret": one.secret.hex(),
        "addresses": list(invitation.decode(text).addresses),
        "text": text,
        "id": one.id.hex(),
        "proof": {
            "joiner": joiner,
            "inviter": inviter,
            "person": ana.person.hex(),
            "proof": shown.hex(),
            "device_seed": ana.device_seed.hex(),
            "signature": signature.hex(),
        },
        "knock": codec.pack(knock.frame()).hex(),
    }
