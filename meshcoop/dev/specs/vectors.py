"""Makes the test vectors of the specs. They show what another program must read and write, byte for
byte.

All vectors come from fixed seeds and times. So developers can make the files in specs/vectors/
again and compare them. In these files, hexadecimal digits stand for bytes. Four modules make more
vectors: `kind_vectors` makes contents of each kind, `authority_vectors` shows who belongs,
`witness_vectors` shows what witnesses saw, and `story_vectors` makes whole neighbourhoods.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from protocol.authority.epochs import digest_lists, name_gone
from protocol.fold import content as contents
from protocol.record import codec, envelope, root_statement, sealing
from protocol.record.envelope import Header, Record
from protocol.record.sealing import BoxKey, EpochKey
from protocol.wire import door, gossip, invitation
from protocol.wire.door import Ends
from protocol.wire.invitation import Invitation, Knock

START_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z, when every story begins
MINUTE_MS = 60_000

# The values that a vector file can contain.
Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
Document: TypeAlias = Mapping[str, Json]

_SAFE_INTEGER = 2**53  # some JSON readers round greater integers


class KeySet(NamedTuple):
    """The keys of a person and their first device. The person's name determines all seeds."""

    root_seed: bytes
    device_seed: bytes
    person: bytes
    device: bytes
    box: BoxKey

    def certificate(self, neighbourhood: bytes = envelope.FOUNDING_ID) -> bytes:
        """Certifies the device for a neighbourhood. Without an argument, certifies the device for
        founding a new neighbourhood.
        """
        place = neighbourhood[: root_statement.PLACE_SIZE]
        return root_statement.certify_device(
            self.root_seed, self.device_seed, self.box.public, place
        )


def seed_of(name: str) -> bytes:
    """Returns 32 bytes for the purpose `name`. They are the SHA-256 hash of "meshcoop vector " and
    the name.
    """
    return hashlib.sha256(b"meshcoop vector " + name.encode()).digest()


def keys_of(name: str) -> KeySet:
    """Returns the keys of the person called `name` in the vectors."""
    root_seed = seed_of(f"{name} root")
    device_seed = seed_of(f"{name} device")
    return KeySet(
        root_seed,
        device_seed,
        envelope.device_key(root_seed),
        envelope.device_key(device_seed),
        sealing.device_box_key(device_seed),
    )


def sign_next(
    author: KeySet,
    previous: Record | None,
    content: bytes,
    *,
    neighbourhood: bytes,
    time: int,
    parents: tuple[bytes, ...] = (),
    audience: int = envelope.OPEN,
    expiry: int | None = None,
) -> Record:
    """Signs the record that follows `previous` in the log of `author`.

    If `previous` is None, signs the first record of the log.
    """
    header = Header(
        envelope.VERSION,
        author.device,
        previous.header.seq + 1 if previous else 1,
        previous.id if previous else None,
        time,
        expiry,
        list(parents),
        audience,
        len(content),
        envelope.content_digest(content),
    )
    return envelope.sign(header, content, neighbourhood, author.device_seed)


def make_documents() -> Document:
    """Makes the vector files of this module. Returns a map from file names in specs/vectors/ to
    contents.
    """
    return {
        "codec": _codec(),
        "records": _records(),
        "sealing": _sealing(),
        "statements": _statements(),
        "gossip": _gossip(),
        "invitation": _invitation(),
        "door": _door(),
    }


def to_json(value: Any) -> Any:
    """Converts a value to a form that JSON can hold.

    Bytes become {"hex": …}. An integer that needs more than 53 bits becomes {"integer": …}.
    """
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: to_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(element) for element in value]
    if type(value) is int and abs(value) >= _SAFE_INTEGER:
        return {"integer": str(value)}
    return value


def from_json(written: Any) -> Any:
    """Converts the result of `to_json` back to the original value. A tuple becomes a list."""
    if isinstance(written, dict):
        if written.keys() == {"hex"}:
            return bytes.fromhex(written["hex"])
        if written.keys() == {"integer"}:
            return int(written["integer"])
        return {key: from_json(member) for key, member in written.items()}
    if isinstance(written, list):
        return [from_json(element) for element in written]
    return written


def _codec() -> list[Document]:
    edges = [0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53, 2**64 - 1]
    negative = [-1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**63)]
    texts = ["", "a", "é", "日本語", "👩‍👧", "x" * 31, "x" * 32, "x" * 256]
    raw = [b"", b"\x00", b"x" * 255, b"x" * 256]
    nested: list[Any] = [[], {}, [1, [2, [3, [4, [5, [6]]]]]], list(range(16)), [None] * 64]
    maps = [{"a": 1}, {"b": 1, "a": 2}, {"é": 1, "z": 2, "zz": 3}, {"a": {"b": [b"c", "d", True]}}]
    values: list[Any] = [None, False, True, *edges, *negative, *texts, *raw, *nested, *maps]
    return [{"value": to_json(value), "hex": codec.pack(value).hex()} for value in values]


def _records() -> list[Document]:
    ana = keys_of("Ana")
    place = seed_of("neighbourhood")
    first = sign_next(
        ana,
        None,
        contents.pack_content("charter", {}),
        neighbourhood=bytes(32),
        time=START_MS,
        audience=envelope.OPEN | envelope.LASTING,
    )
    second = sign_next(ana, first, b"", neighbourhood=place, time=START_MS, parents=(first.id,))
    third = sign_next(
        ana,
        second,
        bytes(range(256)),
        neighbourhood=place,
        time=START_MS + MINUTE_MS,
        parents=tuple(seed_of(f"parent {number}") for number in range(envelope.MAX_PARENTS)),
        audience=envelope.EPOCH,
        expiry=START_MS + envelope.DAY_MS,
    )
    erased = third._replace(content=None)
    lasting = sign_next(
        ana,
        second,
        b"relied on",
        neighbourhood=place,
        time=START_MS + MINUTE_MS,
        audience=envelope.EPOCH | envelope.LASTING,
    )
    automatic = sign_next(
        ana,
        second,
        b"nobody was asked",
        neighbourhood=place,
        time=START_MS + MINUTE_MS,
        audience=envelope.OPEN | envelope.LASTING | envelope.AUTOMATIC,
    )
    return [
        _describe_record(
            "the first of a log, signed for no neighbourhood yet", first, bytes(32), ana
        ),
        _describe_record("the next, about the first, empty content", second, place, ana),
        _describe_record("eight parents, an expiry, epoch audience", third, place, ana),
        _describe_record("the same, its content erased", erased, place, ana),
        _describe_record("epoch audience, and others rely on it", lasting, place, ana),
        _describe_record("open, lasting, signed by software alone", automatic, place, ana),
    ]


def _describe_record(name: str, record: Record, place: bytes, author: KeySet) -> Document:
    return {
        "name": name,
        "device_seed": author.device_seed.hex(),
        "neighbourhood": place.hex(),
        "fields": to_json(record.header._asdict()),
        "content": None if record.content is None else record.content.hex(),
        "header": record.header_bytes.hex(),
        "signature": record.signature.hex(),
        "id": record.id.hex(),
        "wire": record.wire.hex(),
    }


def _sealing() -> Document:
    ana = keys_of("Ana")
    ben = keys_of("Ben")
    place = seed_of("neighbourhood")
    lists = digest_lists([name_gone(seed_of("gone"))])
    epoch = EpochKey.from_key(sealing.key_origin(ana.device, lists), seed_of("epoch key"))
    thanks = codec.pack(["thanks", {"text": "for the lift"}])
    context = sealing.content_context(place, ana.device, 7)
    field_context = sealing.private_field_context(place, ana.device, 7, "note")
    note = codec.pack("the key is under the pot")
    boxes = [ana.box.public, ben.box.public]
    return {
        "devices": [
            {
                "device_seed": keys.device_seed.hex(),
                "box_secret": keys.box.secret.hex(),
                "box": keys.box.public.hex(),
            }
            for keys in (ana, ben)
        ],
        "epoch": {
            "maker": ana.device.hex(),
            "lists": lists.hex(),
            "key": epoch.key.hex(),
            "key_id": epoch.id.hex(),
            "context": context.hex(),
            "seed": seed_of("epoch seal").hex(),
            "plain": thanks.hex(),
            "sealed": sealing.seal_epoch_content(
                epoch, thanks, context, seed_of("epoch seal")
            ).hex(),
        },
        "slot": {
            "key": epoch.key.hex(),
            "to": ben.box.public.hex(),
            "slot": sealing.seal_key(epoch.key, ben.box.public).hex(),
        },
        "private": {
            "boxes": [box.hex() for box in boxes],
            "context": field_context.hex(),
            "seed": seed_of("private seal").hex(),
            "plain": note.hex(),
            "sealed": sealing.seal_private_content(
                boxes, note, field_context, seed_of("private seal")
            ).hex(),
        },
        "record": _private_record(boxes, context),
    }


def _private_record(boxes: list[bytes], context: bytes) -> Document:
    content = contents.pack_private_content(
        "message", {"text": "at nine, by the pond"}, seed_of("circle")
    )
    crowd = sealing.add_decoys(boxes, seed_of("decoys"))
    return {
        "boxes": [box.hex() for box in boxes],
        "context": context.hex(),
        "decoy_seed": seed_of("decoys").hex(),
        "seed": seed_of("record seal").hex(),
        "plain": content.hex(),
        "key": sealing.derive_key(seed_of("record seal"), "private key").hex(),
        "sealed": sealing.seal_private_content(
            crowd, sealing.pad(content), context, seed_of("record seal")
        ).hex(),
    }


def _statements() -> list[Document]:
    ana = keys_of("Ana")
    here = seed_of("neighbourhood")[: root_statement.PLACE_SIZE]
    revocation = root_statement.revoke_device(ana.root_seed, ana.device, 12, here)
    leave = root_statement.state_leave(ana.root_seed, 1, {ana.device: 12}, here)
    return [
        _describe_certificate("to found", ana, root_statement.FOUNDING_PLACE),
        _describe_certificate("for one neighbourhood", ana, here),
        {
            "name": "the device revoked after its record 12",
            "root_seed": ana.root_seed.hex(),
            "says": to_json(["revoke", here, ana.person, ana.device, 12]),
            "statement": revocation.hex(),
        },
        {
            "name": "the person leaves; the device counts up to its record 12",
            "root_seed": ana.root_seed.hex(),
            "says": to_json(["leave", here, ana.person, 1, [[ana.device, 12]]]),
            "statement": leave.hex(),
        },
    ]


def _describe_certificate(purpose: str, keys: KeySet, place: bytes) -> Document:
    return {
        "name": f"a device certified by its person and by itself, {purpose}",
        "root_seed": keys.root_seed.hex(),
        "device_seed": keys.device_seed.hex(),
        "says": to_json(["certify", place, keys.person, keys.device, keys.box.public]),
        "statement": keys.certificate(place).hex(),
    }


def _gossip() -> Document:
    ana = keys_of("Ana")
    place = seed_of("neighbourhood")
    epoch = EpochKey.from_key(sealing.key_origin(ana.device, b""), seed_of("epoch key"))
    record = sign_next(
        ana, None, b"\xc0", neighbourhood=place, time=START_MS, audience=envelope.EPOCH
    )
    return {
        "neighbourhood": place.hex(),
        "topic": gossip.topic_name(place),
        "maker": ana.device.hex(),
        "epoch_key": epoch.key.hex(),
        "gossip_key": gossip.gossip_key(epoch).hex(),
        "wire": record.wire.hex(),
        "frame": gossip.encode_frame(record.wire, gossip.gossip_key(epoch)).hex(),
    }


def _invitation() -> Document:
    ana = keys_of("Ana")
    addresses = ("/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/4001")
    sample = Invitation(seed_of("peer"), seed_of("secret")[:16], addresses)
    text = invitation.encode(sample)
    ends = Ends(opener="12D3KooWJoiner", answerer="12D3KooWInviter")
    neighbourhood = seed_of("neighbourhood")
    knock = Knock.sign(ends, ana.device_seed, ana.certificate(neighbourhood), "Ana")
    return {
        "peer": sample.peer.hex(),
        "secret": sample.secret.hex(),
        "addresses": list(invitation.decode(text).addresses),
        "text": text,
        "place": codec.pack([invitation.PLACE, neighbourhood[: root_statement.PLACE_SIZE]]).hex(),
        "knock": {
            "joiner": ends.opener,
            "inviter": ends.answerer,
            "neighbourhood": neighbourhood.hex(),
            "person": ana.person.hex(),
            "device_seed": ana.device_seed.hex(),
            "signature": knock.signature.hex(),
            "frame": codec.pack(knock.frame()).hex(),
        },
    }


def _door() -> Document:
    secret = seed_of("neighbourhood")
    key = door.door_key(secret)
    ends = Ends(opener="12D3KooWOpener", answerer="12D3KooWAnswerer")
    challenge = seed_of("nonce of the answerer")
    proof = door.prove_opener(key, ends, challenge, seed_of("nonce of the opener"))
    return {
        "secret": secret.hex(),
        "key": key.hex(),
        "opener": ends.opener,
        "answerer": ends.answerer,
        "answerer_sends": challenge.hex(),
        "opener_sends": proof.hex(),
        "then_answerer_sends": door.prove_answerer(key, ends, challenge, proof).hex(),
    }
