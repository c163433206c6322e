import random

import nacl.bindings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import kinds
from protocol.errors import Refused
from protocol.fold import content as schema
from protocol.fold.registry import KINDS
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import EPOCH, FOUNDING_ID, OPEN, PRIVATE, Header
from protocol.wire import gossip

assert kinds  # registers every kind
SEED = bytes(range(32))
DEVICE = nacl.bindings.crypto_sign_seed_keypair(SEED)[0]
HERE, ELSEWHERE = b"h" * 32, b"e" * 32
PLACE = HERE[: statement.PLACE_SIZE]
EPOCH_KEY = seal.EpochKey.from_key(b"m" * 32, b"k" * 32)

ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL_ORDER = [
    bytes.fromhex(one)
    for one in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    )
]


def header(content=b"", **changed):
    fields = {
        "version": record.VERSION,
        "device": DEVICE,
        "seq": 2,
        "prev": b"p" * 32,
        "time": 1_795_000_000_000,
        "expiry": None,
        "parents": [],
        "audience": OPEN,
        "size": len(content),
        "digest": record.content_digest(content),
    }
    return Header(**fields | changed)


def signed(content=b"", neighbourhood=HERE, **changed):
    return record.sign(header(content, **changed), content, neighbourhood, SEED)


def wire_of(one_header, content=b"", neighbourhood=HERE):
    """Makes a record with a valid signature from a header that `sign` would refuse. Returns the
    bytes of the record.
    """
    packed = codec.pack(list(one_header))
    _, secret = nacl.bindings.crypto_sign_seed_keypair(SEED)
    message = b"meshcoop record 2 sign\0" + neighbourhood + packed
    signature = nacl.bindings.crypto_sign(message, secret)[:64]
    return record.assemble(packed, signature, content)


def samples():
    """Makes valid records of several kinds, audiences and sizes."""
    certificate = statement.certify_device(b"r" * 32, SEED, seal.device_box_key(SEED).public)
    plain = [
        schema.pack_content("admit", {"person": b"m" * 32, "statement": certificate}),
        schema.pack_content("retract", {}),
        schema.pack_content(
            "offer", {"title": "Bread", "minutes": 60, "tags": ["food", "évening"]}
        ),
        schema.pack_content("profile", {"name": "Ada", "about": "x" * 1000}),
        schema.pack_content("request", {"title": "A lift", "text": "\U0001f600" * 2000}),
        b"",
    ]
    found = []
    for n, one in enumerate(plain):
        place = seal.content_context(HERE, DEVICE, n + 2)
        sealed = seal.seal_epoch_content(EPOCH_KEY, one, place, bytes([n]) * 32)
        parents = [bytes([n, m]) * 16 for m in range(n)]
        found.append(signed(one, seq=n + 2, parents=parents))
        found.append(signed(sealed, seq=n + 2, audience=EPOCH, parents=parents[:1]))
        private = seal.seal_private_content(
            [seal.device_box_key(SEED).public], one, place, bytes([n]) * 32
        )
        found.append(signed(private, audience=PRIVATE, expiry=2**47, parents=parents[:8]))
    found.append(signed(b"c", neighbourhood=FOUNDING_ID, seq=1, prev=None))
    return found


def test_a_record_is_what_was_signed():
    for one in samples():
        read = record.parse(one.wire)
        assert read == one
        assert read.wire == one.wire
        record.verify(read, FOUNDING_ID if one.header.seq == 1 else HERE)


def test_a_record_without_its_content_still_verifies_under_the_same_id():
    for one in samples():
        bare = record.parse(one._replace(content=None).wire)
        assert bare.id == one.id
        assert bare.content is None
        record.verify(bare, FOUNDING_ID if one.header.seq == 1 else HERE)


def test_10_000_seeded_mutations_are_all_refused():
    dice = random.Random(11)
    originals = samples()
    mutations = refused = 0
    while mutations < 10_000:
        original = dice.choice(originals)
        wire = bytearray(original.wire)
        for _ in range(dice.choice((1, 1, 1, 2, 8))):
            at = dice.randrange(len(wire))
            what = dice.randrange(4)
            if what == 0:
                wire[at] ^= 1 << dice.randrange(8)
            elif what == 1:
                wire[at] = dice.randrange(256)
            elif what == 2:
                wire.insert(at, dice.randrange(256))
            elif len(wire) > 1:
                del wire[at]
        if bytes(wire) == original.wire:
            continue
        mutations += 1
        neighbourhood = FOUNDING_ID if original.header.seq == 1 else HERE
        try:
            record.verify(record.parse(bytes(wire)), neighbourhood)
        except Refused:
            refused += 1
    assert refused == mutations == 10_000


def test_a_record_cannot_be_replayed_in_another_neighbourhood():
    one = signed(b"words")
    for place in (ELSEWHERE, FOUNDING_ID):
        with pytest.raises(Refused, match=r"R-01\.10"):
            record.verify(one, place)


def test_a_charter_cannot_be_replayed_inside_a_neighbourhood():
    with pytest.raises(Refused, match=r"R-01\.10"):
        record.verify(signed(b"c", neighbourhood=FOUNDING_ID), HERE)


def test_a_signature_cannot_be_moved_to_another_header():
    one, other = signed(b"one"), signed(b"other")
    swapped = record.parse(record.assemble(one.header_bytes, other.signature, b"one"))
    with pytest.raises(Refused, match=r"R-01\.10"):
        record.verify(swapped, HERE)


def test_content_cannot_be_swapped():
    one, other = signed(b"one"), signed(b"two")
    with pytest.raises(Refused, match=r"R-01\.9"):
        record.parse(record.assemble(one.header_bytes, one.signature, other.content))


def test_a_statement_is_no_record_signature():
    body = ["revoke", PLACE, DEVICE, b"d" * 32, 3]
    _, secret = nacl.bindings.crypto_sign_seed_keypair(SEED)
    foreign = nacl.bindings.crypto_sign(b"meshcoop record 2 sign\0" + codec.pack(body), secret)
    with pytest.raises(Refused, match=r"R-03\.2"):
        statement.read_statement(codec.pack([body, foreign[:64]]))


@pytest.mark.parametrize("key", SMALL_ORDER, ids=lambda key: key.hex()[:8] + key.hex()[-2:])
def test_small_order_and_non_canonical_keys_sign_nothing(key):
    content = b"forged"
    forged = [key + bytes(32), bytes(64), SMALL_ORDER[1] + bytes(32)]
    for signature in forged:
        for n in range(8):  # such a forgery could work for one message in eight
            packed = codec.pack(list(header(content, device=key, time=n)))
            one = record.parse(record.assemble(packed, signature, content))
            with pytest.raises(Refused, match=r"R-01\.10"):
                record.verify(one, HERE)


@pytest.mark.parametrize("key", SMALL_ORDER, ids=lambda key: key.hex()[:8] + key.hex()[-2:])
def test_small_order_keys_state_nothing(key):
    for signature in (key + bytes(32), bytes(64), SMALL_ORDER[1] + bytes(32)):
        for body in (["certify", PLACE, key, key, bytes(32)], ["revoke", PLACE, key, DEVICE, 0]):
            signatures = [signature] * (2 if body[0] == "certify" else 1)
            with pytest.raises(Refused, match=r"R-03\.2"):
                statement.read_statement(codec.pack([body, *signatures]))


def test_a_signature_is_not_malleable():
    for one in samples()[:6]:
        s = int.from_bytes(one.signature[32:], "little") + ORDER
        twin = one.signature[:32] + s.to_bytes(32, "little")
        with pytest.raises(Refused, match=r"R-01\.10"):
            record.verify(record.parse(record.assemble(one.header_bytes, twin, one.content)), HERE)


BAD_HEADERS = {
    "version 0": {"version": 0},
    "version 1": {"version": 1},
    "version 3": {"version": 3},
    "version true": {"version": True},
    "a short device key": {"device": DEVICE[:31]},
    "a device key as text": {"device": "d" * 32},
    "number 0": {"seq": 0},
    "number -1": {"seq": -1},
    "number 2^48+1": {"seq": 2**48 + 1},
    "number true": {"seq": True, "prev": None},
    "a first record after another": {"seq": 1},
    "a second record after none": {"prev": None},
    "a short id before": {"prev": b"p" * 31},
    "a negative time": {"time": -1},
    "a time beyond 2^48": {"time": 2**48 + 1},
    "nil as time": {"time": None},
    "expired when written": {"expiry": 1_795_000_000_000},
    "nine parents": {"parents": [bytes([n]) * 32 for n in range(9)]},
    "a parent twice": {"parents": [b"a" * 32, b"a" * 32]},
    "a short parent": {"parents": [b"a" * 31]},
    "parents as a map": {"parents": {}},
    "nil as parents": {"parents": None},
    "audience 3": {"audience": 3},
    "audience 7": {"audience": 7},
    "a lasting record that expires": {"audience": 5, "expiry": 2**47},
    "audience true": {"audience": True},
    "a negative size": {"size": -1},
    "a short hash": {"digest": b"d" * 31},
    "another size": {"size": 6},
    "another hash": {"digest": b"d" * 32},
}


@pytest.mark.parametrize("changed", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_header_outside_its_rules_is_refused(changed):
    with pytest.raises(Refused, match=r"R-01\."):
        record.parse(wire_of(header(b"words", **changed), b"words"))


def test_more_or_fewer_parts_are_no_record():
    one = signed(b"words")
    parts = [list(one.header), one.signature, one.content]
    for wrong in (parts[:2], [*parts, None], [parts], parts[::-1], {"a": 1}, None, 7):
        with pytest.raises(Refused):
            record.parse(codec.pack(wrong))
    with pytest.raises(Refused, match=r"R-01\.2"):
        record.parse(codec.pack([[*one.header, 0][:11][:9], one.signature, one.content]))


def test_a_record_of_more_than_16_kib_is_refused():
    with pytest.raises(Refused, match=r"R-02\.1"):
        signed(bytes(16 * 1024))


def test_signing_with_a_key_that_is_not_the_device_is_our_own_mistake():
    with pytest.raises(ValueError, match="device"):
        record.sign(header(), b"", HERE, b"x" * 32)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_and_nothing_else(data):
    key = gossip.gossip_key(EPOCH_KEY)
    name = gossip.name_gossip_key(key)
    keys = {name: key}
    for read in (
        record.parse,
        record.read_header,
        statement.read_statement,
        schema.read_content,
        lambda one: gossip.accept_frame(one, keys, HERE),
        lambda one: gossip.accept_frame(name + one, keys, HERE),
        lambda one: gossip.accept_frame(gossip.encode_frame(one, key), keys, HERE),
        lambda one: seal.open_epoch_content(EPOCH_KEY, one, b""),
        lambda one: seal.open_key(one, seal.device_box_key(SEED)),
    ):
        with pytest.raises(Refused):
            read(data)
    for count in (data, b"\x01" + data, b"\x01" + bytes(200) + data):
        try:
            assert seal.open_private_content(count, [seal.device_box_key(SEED)], b"") is None
        except Refused:
            continue


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.binary(max_size=70)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(["certify", "revoke", "offer", "charter", "epoch", "receipt"]),
    lambda inner: st.lists(inner, max_size=11) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=20,
)


@settings(deadline=None, max_examples=150)
@given(VALUES)
def test_well_formed_nonsense_is_refused_and_nothing_else(value):
    packed = codec.pack(value)
    for read in (record.parse, record.read_header, statement.read_statement, schema.read_content):
        try:
            read(packed)
        except Refused:
            continue


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_a_known_kind_with_any_values_is_read_or_refused(name, data):
    fields = {
        one: data.draw(VALUES, label=one) for one in KINDS[name].fields if data.draw(st.booleans())
    }
    try:
        read, values = schema.read_content(codec.pack([name, fields]))
    except Refused:
        return
    assert (read, values) == (name, fields)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2), st.data())
def test_mutated_statements_are_refused(which, data):
    certificate = statement.certify_device(b"r" * 32, SEED, seal.device_box_key(SEED).public, PLACE)
    valid = [certificate, statement.revoke_device(b"r" * 32, DEVICE, 7, PLACE)]
    valid.append(statement.revoke_device(SEED, DEVICE, 0, PLACE))
    wrong = bytearray(valid[which])
    wrong[data.draw(st.integers(0, len(wrong) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Refused):
        statement.read_statement(bytes(wrong))


def test_gossip_takes_its_own_frames_only():
    keys = [
        gossip.gossip_key(EPOCH_KEY),
        gossip.gossip_key(seal.EpochKey.from_key(b"m" * 32, b"l" * 32)),
    ]
    named = by_name(*keys)
    one = signed(b"words")
    for key in keys:
        assert gossip.accept_frame(gossip.encode_frame(one.wire, key), named, HERE) == one
    frame = gossip.encode_frame(one.wire, keys[0])
    with pytest.raises(Refused, match=r"R-04\.3"):
        gossip.accept_frame(frame, by_name(keys[1]), HERE)
    with pytest.raises(Refused, match=r"R-04\.3"):
        gossip.accept_frame(frame, {}, HERE)
    other = gossip.name_gossip_key(keys[1])
    with pytest.raises(Refused, match=r"R-04\.3"):
        gossip.accept_frame(other + frame[gossip.NAME_SIZE :], named, HERE)
    with pytest.raises(Refused, match=r"R-01\.10"):
        gossip.accept_frame(frame, named, ELSEWHERE)
    bare = one._replace(content=None).wire
    with pytest.raises(Refused, match=r"R-04\.3"):
        gossip.accept_frame(gossip.encode_frame(bare, keys[0]), named, HERE)


def test_a_frame_that_is_too_long_costs_no_mac(monkeypatch):
    """R-04.3j: the length is looked at first."""
    key = gossip.gossip_key(EPOCH_KEY)
    frame = gossip.encode_frame(bytes(codec.MAX_BYTES + 1), key)
    monkeypatch.setattr(gossip, "_mac", None)
    with pytest.raises(Refused, match=r"R-04\.3j"):
        gossip.accept_frame(frame, by_name(key), HERE)


def by_name(*keys):
    return {gossip.name_gossip_key(key): key for key in keys}


def test_gossip_carries_the_charter_under_its_own_signature():
    key = gossip.gossip_key(EPOCH_KEY)
    charter = signed(b"c", neighbourhood=FOUNDING_ID, seq=1, prev=None)
    frame = gossip.encode_frame(charter.wire, key)
    assert gossip.accept_frame(frame, by_name(key), charter.id) == charter


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_mutated_gossip_is_refused(data):
    key = gossip.gossip_key(EPOCH_KEY)
    frame = bytearray(gossip.encode_frame(signed(b"words").wire, key))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Refused, match=r"R-04\.3"):
        gossip.accept_frame(bytes(frame), by_name(key), HERE)


def test_the_topic_does_not_tell_the_neighbourhood():
    assert gossip.topic_name(HERE) != gossip.topic_name(ELSEWHERE)
    assert HERE.hex()[:16] not in gossip.topic_name(HERE)


def test_the_combined_form_is_no_signature():
    one = samples()[0]
    combined = one.signature + one.header_bytes
    for signature in (combined, one.signature[:63], b""):
        wire = codec.pack([codec.unpack(one.header_bytes), signature, one.content])
        with pytest.raises(Refused, match=r"R-01\.1\b"):
            record.parse(wire)
