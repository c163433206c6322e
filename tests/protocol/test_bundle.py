"""Bundles as bytes: in pieces, cut anywhere, with any bit flipped, and not ours."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import bundle, frames
from protocol.errors import Refused
from protocol.heads import Held

HERE, THERE = b"h" * 32, b"t" * 32
WIRES = st.lists(st.binary(min_size=1, max_size=300), max_size=40)


def written(wires, place=HERE):
    return b"".join(bundle.write(place, wires))


def read(data, cuts=()):
    reader, found = bundle.Reader(HERE), []
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        for wires in reader.feed(data[start:end]):
            found += wires
    return found, reader.whole


@given(WIRES, st.data())
def test_records_come_back_however_the_bytes_come(wires, data):
    said = written(wires)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=8)))
    assert read(said, cuts) == (wires, True)


def test_a_large_bundle_comes_in_frames_that_a_peer_might_send():
    wires = [bytes([n % 251]) * 16_000 for n in range(40)] + [b"x"] * 5000
    pieces = list(bundle.write(HERE, wires))
    assert max(map(len, pieces)) <= frames.MAX_FRAME
    assert read(b"".join(pieces)) == (wires, True)


@given(WIRES.filter(bool), st.data())
def test_a_cut_is_told_and_what_came_before_it_is_kept(wires, data):
    said = written(wires)
    found, whole = read(said[: data.draw(st.integers(0, len(said) - 1))])
    assert not whole
    assert found == wires[: len(found)]


@given(WIRES, st.data())
def test_a_flipped_bit_is_a_refusal_or_another_record_and_nothing_else(wires, data):
    said = bytearray(written(wires))
    at = data.draw(st.integers(0, 8 * len(said) - 1))
    said[at // 8] ^= 1 << at % 8
    try:
        found, _ = read(bytes(said))
    except Refused:
        return
    assert len(found) <= len(wires)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_bundle_or_a_refusal(data):
    for start in (b"", bundle.RECORDS_MARK + HERE):
        with suppress(Refused):
            read(start + data)


BAD = {
    "another neighbourhood": (written([b"a"], THERE), "R-09.2"),
    "a have-file": (b"".join(bundle.write_have(HERE, {})), "R-09.1"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "R-09.1"),
    "a count of too many": (
        bundle.RECORDS_MARK + HERE + frames.encode([bundle.END, 1]),
        "R-09.4",
    ),
    "an end that is no number": (
        bundle.RECORDS_MARK + HERE + frames.encode([bundle.END, "0"]),
        "R-09.4",
    ),
    "records after the end": (written([]) + frames.encode([bundle.RECORDS, []]), "R-09.4"),
    "a byte after the end": (written([]) + b"x", "R-09.4"),
    "records that are texts": (
        bundle.RECORDS_MARK + HERE + frames.encode([bundle.RECORDS, ["x"]]),
        "R-09.3",
    ),
    "records that are no list": (
        bundle.RECORDS_MARK + HERE + frames.encode([bundle.RECORDS, b"x"]),
        "R-09.3",
    ),
    "a frame of 4 GiB": (bundle.RECORDS_MARK + HERE + b"\xff" * 4, "R-05.1"),
    "a frame that is a map": (bundle.RECORDS_MARK + HERE + b"\0\0\0\1\x80", "R-05.1"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_bundle_is_refused_by_its_rule(name):
    data, rule = BAD[name]
    for cuts in ((), range(1, len(data))):
        with pytest.raises(Refused) as refused:
            read(data, tuple(cuts))
        assert refused.value.rule == rule


def test_frames_of_a_later_version_are_passed_over():
    said = written([b"a"])
    at = len(bundle.RECORDS_MARK) + 32
    assert read(said[:at] + frames.encode([9, "new"]) + said[at:]) == ([b"a"], True)


# -- what a home holds ----------------------------------------------------------------------------


def heads(count, seq=5):
    return {bytes([n]) * 32: Held(seq, bytes([n + 100]) * 32) for n in range(count)}


def test_a_have_file_tells_what_is_lacking():
    mine, theirs = heads(3), heads(2)
    theirs[bytes([1]) * 32] = Held(2, b"z" * 32)
    reader = bundle.HaveReader(HERE, mine)
    for piece in bundle.write_have(HERE, theirs):
        reader.feed(piece)
    logs, forks = reader.lacks()
    assert [(device[0], seq) for device, seq, _ in logs] == [(1, 2), (2, 0)]
    assert forks == []


@pytest.mark.parametrize("cut", [1, 20, 60, -1])
def test_a_cut_have_file_is_of_no_use(cut):
    reader = bundle.HaveReader(HERE, heads(3))
    reader.feed(b"".join(bundle.write_have(HERE, heads(3)))[:cut])
    with pytest.raises(Refused, match=r"R-09\.5"):
        reader.lacks()


def test_a_have_file_that_claims_a_million_logs_costs_nothing():
    reader = bundle.HaveReader(HERE, heads(1))
    flat = [b"12345678", 1, b"87654321", b""] * 1000
    reader.feed(bundle.HAVE_MARK + HERE)
    for _ in range(65):
        reader.feed(frames.encode([bundle.HAVE, flat]))
    with pytest.raises(Refused, match=r"R-05\.5"):
        reader.feed(frames.encode([bundle.HAVE, flat]))
