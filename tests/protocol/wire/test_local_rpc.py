import contextlib
import math

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Refused
from protocol.wire.local_rpc import (
    MAX_CONTAINERS,
    MAX_DEPTH,
    MAX_FRAME,
    MAX_ITEMS,
    Decoder,
    Error,
    Event,
    Frame,
    Request,
    Response,
    check_hello,
    encode,
    hello_request,
)

NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,63}", fullmatch=True)
IDS = st.integers(0, 2**63 - 1)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FRAMES = (
    st.builds(Request, IDS, NAMES, st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
    | st.builds(Response, IDS, st.none(), VALUES)
    | st.builds(
        lambda id_, code, text: Response(id_, Error(code, text)),
        IDS,
        st.sampled_from(["refused", "usage", "internal", "unknown"]),
        st.text(max_size=30),
    )
    | st.builds(Event, NAMES, VALUES)
)


def decode(data: bytes) -> list[Frame]:
    decoder = Decoder()
    decoder.feed(data)
    return list(decoder)


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth - 1):
        value = [value]
    return value


def rule_of(body: bytes) -> str:
    with pytest.raises(Refused) as caught:
        decode(framed(body))
    return caught.value.rule


@given(st.lists(FRAMES, max_size=5), st.data())
def test_frames_arrive_whole_and_in_order_whatever_the_pieces(frames, data):
    stream = b"".join(map(encode, frames))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = Decoder()
    seen: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[start:end])
        seen.extend(decoder)
    assert seen == frames
    assert not decoder.is_partial


@given(FRAMES)
def test_a_frame_survives_byte_by_byte(frame):
    decoder = Decoder()
    seen: list[Frame] = []
    for byte in encode(frame):
        decoder.feed(bytes([byte]))
        seen.extend(decoder)
    assert seen == [frame]


@given(st.binary(max_size=200))
def test_any_body_is_a_frame_or_a_refusal(body):
    with contextlib.suppress(Refused):
        frames = decode(framed(body))
        assert decode(encode(frames[0])) == frames


@given(FRAMES, st.data())
def test_a_changed_byte_is_a_frame_or_a_refusal(frame, data):
    body = bytearray(encode(frame)[4:])
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Refused):
        decode(framed(bytes(body)))


def test_a_huge_claim_is_refused_before_its_body_comes():
    decoder = Decoder()
    with pytest.raises(Refused) as caught:
        decoder.feed((MAX_FRAME + 1).to_bytes(4, "big"))
    assert caught.value.rule == "R-06.1"
    assert not decoder.is_partial
    with pytest.raises(Refused):
        decoder.feed(encode(hello_request(1)))
    with pytest.raises(Refused):
        list(decoder)


def test_a_huge_claim_behind_a_good_frame_is_refused_after_it():
    decoder = Decoder()
    decoder.feed(encode(hello_request(1)) + b"\xff\xff\xff\xff")
    frames = iter(decoder)
    assert next(frames) == hello_request(1)
    with pytest.raises(Refused):
        next(frames)


def test_a_refused_body_ends_the_stream():
    decoder = Decoder()
    decoder.feed(framed(b"\xc1") + encode(hello_request(1)))
    with pytest.raises(Refused):
        list(decoder)
    with pytest.raises(Refused):
        list(decoder)


def test_the_largest_frame_passes_and_one_byte_more_does_not():
    room = MAX_FRAME - len(encode(Event("a", b"x" * 70_000))) + 4 + 70_000
    largest = Event("a", b"x" * room)
    assert len(encode(largest)) == 4 + MAX_FRAME
    assert decode(encode(largest)) == [largest]
    with pytest.raises(Refused) as caught:
        encode(Event("a", b"x" * (room + 1)))
    assert caught.value.rule == "R-06.1"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "R-06.2"),
        (b"\xc1", "R-06.2"),
        (encode(hello_request(1))[4:] + b"\x00", "R-06.2"),
        (encode(hello_request(1))[4:-1], "R-06.2"),
        (b"\x93\x02\xa1a\xa2\xff\xfe", "R-06.2"),
        (b"\x93\x02\xa1a\x81\x90\x01", "R-06.2"),
        (b"\x93\x02\xa1a\x81\x01\x01", "R-06.2"),
        (b"\x93\x02\xa1a\x81\xc4\x01a\x01", "R-06.2"),
        (b"\x93\x02\xa1a\x82\xa1k\x01\xa1k\x02", "R-06.2"),
        (b"\x93\x02\xa1a" + msgpack.packb(math.nan), "R-06.2"),
        (b"\x93\x02\xa1a" + msgpack.packb(-math.inf), "R-06.2"),
        (b"\x93\x02\xa1a" + msgpack.packb(msgpack.ExtType(5, b"xy")), "R-06.2"),
        (b"\x93\x02\xa1a" + msgpack.packb(msgpack.Timestamp(2**40, 5)), "R-06.2"),
        (b"\x93\x02\xa1a\xc7\x03\xff123", "R-06.2"),
        (b"\x93\x02\xa1a\xdd\xff\xff\xff\xff", "R-06.2"),
        (b"\x93\x02\xa1a\xdf\xff\xff\xff\xff", "R-06.2"),
        (b"\x93\x02\xa1a\xc6\xff\xff\xff\xff", "R-06.2"),
        (b"\xdd\x00\x00\x40\x00" * 500, "R-06.2"),
        (b"\x91" * 1_000_000, "R-06.2"),
        (b"\x91" * 500 + b"\xc0", "R-06.2"),
        (b"\x93\x02\xa1a\xdd\x00\x01\x00\x00" + b"\x80" * 65_536, "R-06.2"),
        (b"\x05", "R-06.4"),
        (b"\x90", "R-06.4"),
        (b"\x80", "R-06.4"),
        (b"\x93\xc3\x01a", "R-06.4"),
        (msgpack.packb([0.0, 1, "a", {}]), "R-06.4"),
        (msgpack.packb([False, 1, "a", {}]), "R-06.4"),
        (msgpack.packb([3, 1, "a", {}]), "R-06.4"),
        (msgpack.packb([0, 1, "a"]), "R-06.4"),
        (msgpack.packb([0, 1, "a", {}, None]), "R-06.4"),
        (msgpack.packb([0, 1, "a", []]), "R-06.4"),
        (msgpack.packb([0, -1, "a", {}]), "R-06.4"),
        (msgpack.packb([0, 2**63, "a", {}]), "R-06.4"),
        (msgpack.packb([0, True, "a", {}]), "R-06.4"),
        (msgpack.packb([0, [], "a", {}]), "R-06.4"),
        (msgpack.packb([0, 1, "", {}]), "R-06.4"),
        (msgpack.packb([0, 1, "A", {}]), "R-06.4"),
        (msgpack.packb([0, 1, "a\n", {}]), "R-06.4"),
        (msgpack.packb([0, 1, "a" * 65, {}]), "R-06.4"),
        (msgpack.packb([0, 1, b"a", {}]), "R-06.4"),
        (msgpack.packb([2, None, {}]), "R-06.4"),
        (msgpack.packb([1, 1, "text", None]), "R-06.5"),
        (msgpack.packb([1, 1, {"code": "refused"}, None]), "R-06.5"),
        (msgpack.packb([1, 1, {"code": "other", "message": ""}, None]), "R-06.5"),
        (msgpack.packb([1, 1, {"code": [], "message": ""}, None]), "R-06.5"),
        (msgpack.packb([1, 1, {"code": "usage", "message": b""}, None]), "R-06.5"),
        (msgpack.packb([1, 1, {"code": "usage", "message": "a" * 2001}, None]), "R-06.5"),
        (msgpack.packb([1, 1, {"code": "usage", "message": ""}, 1]), "R-06.5"),
    ],
)
def test_hostile_bodies_are_refused_by_rule(body, rule):
    assert rule_of(body) == rule


def test_the_number_of_containers_is_limited_while_decoding():
    one = b"\xdc\x40\x00" + b"\x80" * MAX_ITEMS
    body = b"\x93\x02\xa1a\x94" + one * 4
    assert rule_of(body) == "R-06.3"


def test_depth_is_limited_both_ways():
    allowed = nested(MAX_DEPTH - 1)
    assert decode(encode(Event("a", allowed))) == [Event("a", allowed)]
    with pytest.raises(Refused) as caught:
        encode(Event("a", [allowed]))
    assert caught.value.rule == "R-06.2"
    assert rule_of(msgpack.packb([2, "a", [allowed]])) == "R-06.2"


def test_what_encode_lets_through_decode_takes():
    most = [[] for _ in range(MAX_ITEMS)]
    assert decode(encode(Event("a", most))) == [Event("a", most)]
    for too_much in ([0] * (MAX_ITEMS + 1), [most] * (MAX_CONTAINERS // MAX_ITEMS)):
        with pytest.raises(Refused) as caught:
            encode(Event("a", too_much))
        assert caught.value.rule == "R-06.3"


@pytest.mark.parametrize(
    "value",
    [{1: 2}, {b"a": 1}, {1, 2}, object(), 2**64, -(2**63) - 1, "\ud800", {"\ud800": 1}, math.nan],
)
def test_values_that_frames_do_not_carry_are_refused(value):
    with pytest.raises(Refused) as caught:
        encode(Event("a", value))
    assert caught.value.rule == "R-06.2"


def test_a_value_that_holds_itself_is_refused():
    value: list = []
    value.append(value)
    with pytest.raises(Refused) as caught:
        encode(Event("a", value))
    assert caught.value.rule == "R-06.2"


def test_hello_opens_and_nothing_else_does():
    check_hello(hello_request(7))
    others = [
        Request(1, "status"),
        Request(1, "hello"),
        Request(1, "hello", {"version": 2}),
        Request(1, "hello", {"version": True}),
        Request(1, "hello", {"version": "1"}),
    ]
    for request in others:
        with pytest.raises(Refused) as caught:
            check_hello(request)
        assert caught.value.rule == "R-06.6"
