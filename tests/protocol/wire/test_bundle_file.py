"""Files of records: whatever pieces they arrive in, reading gives back what was written. Other
bytes are refused.
"""

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import Refused
from protocol.record import codec
from protocol.wire import bundle_file, frames
from protocol.wire.bundle_file import BUNDLE, HAVE_FILE, Decoder, encode_file
from protocol.wire.have_map import HaveMap, LogHead, have_map_lists

HOME = b"n" * 32
WIRES = [bytes([n]) * (n * 37 % 900 + 1) for n in range(60)]
HEADS = {bytes([n]) * 32: LogHead(n + 1, b"h" * 32) for n in range(40)}
SALT = b"s" * 32
OPENING = bundle_file.file_opening(BUNDLE, HOME, SALT)


def written(wires=WIRES, home=HOME):
    lists = frames.batch_records(wires, bundle_file.LIST_BYTES)
    return b"".join(encode_file(BUNDLE, home, SALT, lists))


def read(data, sort=BUNDLE, home=HOME, cuts=()):
    """Returns the entries of the file, and the rule by which the rest is refused.

    If the whole file can be read, the rule is None.
    """
    decoder, found = Decoder(sort, home), []
    try:
        for start, end in itertools.pairwise([0, *sorted(cuts), len(data)]):
            for some in decoder.feed(data[start:end]):
                found += some
        decoder.close()
    except Refused as refusal:
        return found, refusal.rule
    return found, None


def framed(*items):
    return frames.encode(list(items))


def sealed(*bodies, salt=SALT):
    """Returns sealed frames with these bodies. A body is a list, or any bytes."""
    seal = bundle_file.Seal(HOME, salt)
    packed = (body if type(body) is bytes else codec.pack(body) for body in bodies)
    return b"".join(map(seal.close, packed))


CUTS = st.lists(st.integers(0, len(written())), max_size=20)


@given(CUTS)
def test_what_went_in_comes_out_whatever_the_pieces(cuts):
    assert read(written(), cuts=cuts) == (WIRES, None)


def test_byte_by_byte():
    assert read(written(), cuts=range(1, len(written()))) == (WIRES, None)


@given(st.lists(st.binary(min_size=1, max_size=16_384), max_size=8))
def test_any_records_come_out_as_they_went_in(wires):
    assert read(written(wires)) == (wires, None)


def test_a_have_file_says_what_its_home_holds():
    data = b"".join(encode_file(HAVE_FILE, HOME, SALT, have_map_lists(HEADS)))
    flat, fault = read(data, HAVE_FILE)
    assert fault is None
    more = HEADS | {b"x" * 32: LogHead(1, b"h" * 32)}
    theirs = HaveMap(more)
    theirs.read(flat)
    assert theirs.find_missing() == ([(b"x" * 32, 0, b"")], [])
    assert read(b"".join(encode_file(HAVE_FILE, HOME, SALT, have_map_lists({}))), HAVE_FILE) == (
        [],
        None,
    )


@given(st.integers(0, len(written()) - 1), CUTS)
def test_cut_anywhere_it_is_told_and_what_came_before_is_there(at, cuts):
    found, fault = read(written()[:at], cuts=[one for one in cuts if one < at])
    assert fault == ("R-09.5" if at >= len(BUNDLE.mark) else "R-09.1")
    assert found == WIRES[: len(found)]
    inside = at - len(OPENING) - 2 * bundle_file.LIST_BYTES  # the cut loses two lists at most
    assert sum(map(len, found)) >= inside - 8 * len(WIRES)


@settings(max_examples=300)
@given(st.integers(0, 8 * len(written()) - 1), CUTS)
def test_a_flipped_bit_is_refused(at, cuts):
    data = bytearray(written())
    data[at // 8] ^= 1 << at % 8
    found, fault = read(bytes(data), cuts=cuts)
    assert fault is not None
    assert fault.startswith(("R-09.", "R-05.1", "R-02."))
    assert found == WIRES[: len(found)]


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from([b"", BUNDLE.mark, OPENING]))
def test_any_bytes_are_records_or_a_refusal(data, begin):
    found, fault = read(begin + data)
    assert fault is not None
    assert found == []


LIST = [1, [b"wire"]]
END = [2, 1]
WHOLE = OPENING + sealed(LIST, END)
FIRST, SECOND = sealed(LIST), sealed(LIST, LIST)[len(sealed(LIST)) :]


def head(*items):
    return BUNDLE.mark + framed(0, *items)


CHECK = frames.Decoder().feed(OPENING[len(BUNDLE.mark) :])[0][3]

HOSTILE = {
    "nothing": (b"", "R-09.1"),
    "something else": (b"PK\x03\x04../../etc/passwd", "R-09.1"),
    "a have file": (b"".join(encode_file(HAVE_FILE, HOME, SALT, have_map_lists(HEADS))), "R-09.1"),
    "half a mark": (BUNDLE.mark[:7], "R-09.1"),
    "a mark in capitals": (OPENING.upper(), "R-09.1"),
    "the mark alone": (BUNDLE.mark, "R-09.5"),
    "no head": (BUNDLE.mark + FIRST, "R-09.1"),
    "a head without a version": (head(), "R-09.1"),
    "a version that is true": (head(True, SALT, CHECK), "R-09.1"),
    "version 1": (head(1, SALT, CHECK), "R-09.2"),
    "version 0": (head(0, SALT, CHECK), "R-09.2"),
    "another neighbourhood": (written(home=b"m" * 32), "R-09.3"),
    "a neighbourhood in place of a salt": (head(2, HOME), "R-09.3"),
    "half a salt": (head(2, SALT[:16], CHECK), "R-09.3"),
    "a salt that is a number": (head(2, 7, CHECK), "R-09.3"),
    "another salt": (head(2, bytes(32), CHECK), "R-09.3"),
    "no salt": (head(2), "R-09.3"),
    "half a check": (head(2, SALT, CHECK[:8]), "R-09.3"),
    "a check and more": (head(2, SALT, CHECK, "../../x"), "R-09.3"),
    "a second head": (OPENING + framed(0, 2, SALT, CHECK), "R-09.1"),
    "a list that is not sealed": (OPENING + framed(1, [b"wire"]), "R-09.1"),
    "an end that is not sealed": (OPENING + framed(2, 0), "R-09.1"),
    "two seals in a frame": (OPENING + framed(1, b"a", b"b"), "R-09.1"),
    "a seal that is broken": (OPENING + framed(1, bytes(40)), "R-09.11"),
    "a seal of no bytes": (OPENING + framed(1, b""), "R-09.11"),
    "a list twice": (OPENING + FIRST + FIRST, "R-09.11"),
    "a list left out": (OPENING + SECOND, "R-09.11"),
    "a list of another file": (OPENING + sealed(LIST, salt=bytes(32)), "R-09.11"),
    "a sealed head": (OPENING + sealed([0, 2, SALT, CHECK]), "R-09.1"),
    "a frame of another type": (OPENING + sealed([3, []]), "R-09.1"),
    "a frame that is no list": (OPENING + sealed(codec.pack({})), "R-09.1"),
    "a list that is none": (OPENING + sealed([1, b"wire"]), "R-09.1"),
    "two lists in a frame": (OPENING + sealed([1, [b"a"], [b"b"]]), "R-09.1"),
    "an empty list": (OPENING + sealed([1, []]), "R-09.1"),
    "a text for a record": (OPENING + sealed([1, ["wire"]]), "R-09.1"),
    "a list for a record": (OPENING + sealed([1, [[b"wire"]]]), "R-09.1"),
    "too few records": (OPENING + sealed(LIST, [2, 2]), "R-09.5"),
    "too many records": (OPENING + sealed(LIST, [2, 0]), "R-09.5"),
    "a count that is true": (OPENING + sealed(LIST, [2, True]), "R-09.1"),
    "a negative count": (OPENING + sealed(LIST, [2, -1]), "R-09.5"),
    "an end without a count": (OPENING + sealed(LIST, [2]), "R-09.1"),
    "records after the end": (OPENING + sealed(LIST, END, LIST), "R-09.5"),
    "two ends": (OPENING + sealed(LIST, END, END), "R-09.5"),
    "a byte after the end": (WHOLE + b"\0", "R-09.5"),
    "a bundle after the end": (WHOLE + written(), "R-05.1"),
    "a frame of 4 GiB": (OPENING + b"\xff\xff\xff\xff", "R-05.1"),
    "a frame of 64 KiB and a byte": (OPENING + (64 * 1024 + 1).to_bytes(4, "big"), "R-05.1"),
    "a frame of nothing": (OPENING + bytes(4), "R-02.2"),
    "a sealed frame of nothing": (OPENING + sealed(b""), "R-02.2"),
    "a list of four billion": (OPENING + sealed(b"\x92\1\xdd\xff\xff\xff"), "R-02.2"),
    "a record of 4 GiB": (OPENING + sealed(b"\x92\1\x91\xc6\xff\xff\xff\xff"), "R-02.2"),
    "nested without end": (OPENING + sealed(b"\x91" * 256), "R-02.2"),
    "a record told in more bytes": (OPENING + sealed(b"\x92\1\x91\xc5\0\0"), "R-02.3"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_by_rule(name):
    data, rule = HOSTILE[name]
    assert read(data)[1] == rule
    assert read(data, cuts=range(len(data)))[1] == rule


def test_what_came_before_a_fault_is_there_even_from_one_piece():
    data = OPENING + sealed(LIST, [1, [b"and this"]], [3])
    assert read(data) == ([b"wire", b"and this"], "R-09.1")


@pytest.mark.parametrize("sort", [BUNDLE, HAVE_FILE])
def test_a_file_without_end_is_given_up_and_held_in_no_memory(sort):
    decoder = Decoder(sort._replace(max_bytes=4 << 20), HOME)
    list(decoder.feed(bundle_file.file_opening(sort, HOME, SALT)))
    seal = bundle_file.Seal(HOME, SALT)
    body = codec.pack([1, [b"w" * 1000] * 16])
    rules = []
    tracemalloc.start()
    try:
        while not rules:
            try:
                for _ in decoder.feed(seal.close(body)):
                    pass
            except Refused as refusal:
                rules.append(refusal.rule)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rules == ["R-09.4"]
    assert most < 512 * 1024


def test_a_finder_sees_neither_the_neighbourhood_nor_two_files_alike():
    data = written([HOME, *WIRES])
    assert HOME[:8] not in data
    again = b"".join(encode_file(BUNDLE, HOME, b"t" * 32, [[HOME, *WIRES]]))
    assert data[: len(BUNDLE.mark)] == again[: len(BUNDLE.mark)]
    assert not any(data[at : at + 16] in again for at in range(len(BUNDLE.mark) + 8, 200))


def test_the_sorts_have_their_limits():
    assert (BUNDLE.max_bytes, HAVE_FILE.max_bytes) == (2**30, 2**22)


def test_nobody_writes_more_than_can_be_read():
    small = BUNDLE._replace(max_bytes=frames.MAX_FRAME + 1000)
    lists = [[b"w" * 100]] * 20
    with pytest.raises(Refused, match=r"R-09\.4"):
        list(encode_file(small, HOME, SALT, lists))
    fits = b"".join(encode_file(small, HOME, SALT, lists[:5]))
    decoder = Decoder(small, HOME)
    assert len(list(decoder.feed(fits))) == 5
    decoder.close()


def test_a_body_is_canonical():
    """R-05.1: a frame has one encoding, in a file as on the wire."""
    body = codec.pack([2, 1])
    wide = body[:-1] + b"\xcc\x01"
    assert read(OPENING + sealed(LIST, wide))[1] == "R-02.3"
