import struct

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.errors import Refused
from protocol.record import codec

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=40) | TEXTS
)


def nested(depth):
    if depth == 0:
        return PLAIN
    inner = nested(depth - 1)
    return PLAIN | st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5)


def deep(levels, opening=b"\x91"):
    return opening * levels + b"\xc0"


HOSTILE = {
    "depth 7": deep(7),
    "depth 511": deep(511),
    "depth 512": deep(512),
    "depth 1,100": deep(1100),
    "depth 16,000": deep(16_000),
    "depth a million": deep(1_000_000),
    "maps 1,100 deep": b"\x81\xa1a" * 1100 + b"\xc0",
    "array claim": b"\xdd\xff\xff\xff\xff",
    "map claim": b"\xdf\xff\xff\xff\xff",
    "binary claim": b"\xc6\xff\xff\xff\xff",
    "text claim": b"\xdb\xff\xff\xff\xff",
    "extension claim": b"\xc9\xff\xff\xff\xff\x05",
    "65 items": msgpack.packb([None] * 65),
    "65 pairs": msgpack.packb({f"{n:02}": n for n in range(65)}),
    "16 KiB of empty maps": b"\xdc\x3f\xf0" + b"\x80" * 0x3FF0,
    "a megabyte of empty maps": b"\xdd\x00\x0f\xff\xf0" + b"\x80" * 0xFFFF0,
    "duplicate keys": b"\x82\xa1a\x01\xa1a\x02",
    "duplicate keys with one value": b"\x82\xa1a\x01\xa1a\x01",
    "keys out of order": b"\x82\xa1b\x01\xa1a\x02",
    "1 as uint8": b"\xcc\x01",
    "1 as uint64": b"\xcf" + (1).to_bytes(8, "big"),
    "1 as int64": b"\xd3" + (1).to_bytes(8, "big"),
    "-1 as int8": b"\xd0\xff",
    "one character as str8": b"\xd9\x01a",
    "one character as str32": b"\xdb\x00\x00\x00\x01a",
    "one item as array32": b"\xdd\x00\x00\x00\x01\xc0",
    "no pairs as map16": b"\xde\x00\x00",
    "one byte as bin32": b"\xc6\x00\x00\x00\x01a",
    "NaN": b"\xcb" + struct.pack(">d", float("nan")),
    "a NaN with a message": b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x07",
    "-0.0": b"\xcb" + struct.pack(">d", -0.0),
    "1.5": b"\xcb" + struct.pack(">d", 1.5),
    "1.5 as float32": b"\xca" + struct.pack(">f", 1.5),
    "infinity": b"\xcb" + struct.pack(">d", float("inf")),
    "a float in a list": b"\x91\xcb" + struct.pack(">d", 1.5),
    "invalid UTF-8": b"\xa2\xc3\x28",
    "overlong UTF-8": b"\xa2\xc0\x80",
    "a lone surrogate": b"\xa3\xed\xa0\x80",
    "a pair of surrogates": b"\xa6\xed\xa0\xbd\xed\xb8\x80",
    "a lone surrogate as key": b"\x81\xa3\xed\xa0\x80\xc0",
    "a list as key": b"\x81\x91\x01\xc0",
    "a map as key": b"\x81\x80\xc0",
    "an integer as key": b"\x81\x01\xc0",
    "bytes as key": b"\x81\xc4\x01a\xc0",
    "nil as key": b"\x81\xc0\xc0",
    "a timestamp": b"\xd6\xff\x00\x00\x00\x01",
    "a timestamp of 64 bits": b"\xd7\xff" + bytes(8),
    "a timestamp of 96 bits": b"\xc7\x0c\xff" + bytes(12),
    "a timestamp beyond every calendar": b"\xc7\x0c\xff" + b"\xff" * 12,
    "an empty timestamp": b"\xc7\x00\xff",
    "an unknown extension": b"\xd4\x05\x00",
    "an empty extension": b"\xc7\x00\x05",
    "trailing nil": b"\xc0\xc0",
    "trailing garbage": b"\x01garbage",
    "nothing": b"",
    "truncated text": b"\xa5abc",
    "truncated list": b"\x93\x01",
    "0xc1": b"\xc1",
    "0xc1 in a list": b"\x91\xc1",
    "2,001 characters": msgpack.packb("a" * 2001),
    "more than 16 KiB": msgpack.packb(bytes(16 * 1024)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_by_name(data):
    with pytest.raises(Refused) as caught:
        codec.unpack(data)
    assert caught.value.rule.startswith("R-02.")


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_frames_meet_hostile_bytes_with_a_value_or_a_refusal(data):
    try:
        value = codec.unpack_framed(data, max_bytes=64 * 1024, max_items=4096)
    except Refused:
        return
    assert msgpack.packb(value) == data


@settings(deadline=None, max_examples=300)
@given(nested(3))
def test_whatever_is_allowed_comes_back_as_it_went(value):
    assert codec.unpack(codec.pack(value)) == value


def test_the_limits_themselves_are_allowed():
    deepest = None
    for _ in range(codec.MAX_DEPTH):
        deepest = [deepest]
    widest = {f"{n:02}": [n] * 64 for n in range(64)}
    for value in (deepest, widest, "\U0001f600" * 2000, 2**64 - 1, -(2**63), bytes(16 * 1024 - 3)):
        assert codec.unpack(codec.pack(value)) == value


@settings(deadline=None, max_examples=1000)
@given(st.binary(max_size=200))
@example(b"\x90")
@example(b"\x82\xa1a\x01\xa1b\x02")
def test_what_can_be_decoded_encodes_to_the_same_bytes(data):
    try:
        value = codec.unpack(data)
    except Refused:
        return
    assert codec.pack(value) == data


@settings(deadline=None, max_examples=300)
@given(nested(2), st.data())
def test_a_changed_encoding_is_refused_or_means_something_else(value, data):
    packed = bytearray(codec.pack(value))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    try:
        other = codec.unpack(bytes(packed))
    except Refused:
        return
    assert codec.pack(other) == packed


@settings(deadline=None)
@given(st.dictionaries(TEXTS, st.integers(0, 9), max_size=8), st.randoms(use_true_random=False))
def test_the_order_in_which_a_map_was_filled_does_not_show(pairs, dice):
    keys = list(pairs)
    dice.shuffle(keys)
    assert codec.pack({key: pairs[key] for key in keys}) == codec.pack(pairs)
