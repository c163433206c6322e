import nacl.bindings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import Refused
from protocol.record import sealing as seal
from protocol.record.sealing import EpochKey

ADA, BEN, EVE = (seal.device_box_key(bytes([n]) * 32) for n in (1, 2, 3))
PLACE = seal.content_context(b"n" * 32, b"d" * 32, 7)
LOW_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32), st.binary(max_size=80))
def test_epoch_content_opens_with_its_key_in_its_place(plain, key, place):
    epoch = EpochKey.from_key(b"m" * 32, key)
    sealed = seal.seal_epoch_content(epoch, plain, place, b"s" * 32)
    assert seal.open_epoch_content(epoch, sealed, place) == plain
    assert seal.read_epoch_key_id(sealed) == epoch.id


def test_epoch_content_opens_nowhere_else():
    epoch = EpochKey.from_key(b"m" * 32, b"k" * 32)
    sealed = seal.seal_epoch_content(epoch, b"words", PLACE, b"s" * 32)
    wrong = [
        seal.content_context(b"m" * 32, b"d" * 32, 7),
        seal.content_context(b"n" * 32, b"e" * 32, 7),
        seal.content_context(b"n" * 32, b"d" * 32, 8),
        seal.private_field_context(b"n" * 32, b"d" * 32, 7, "text"),
        b"",
    ]
    for place in wrong:
        with pytest.raises(Refused, match=r"R-01\.22"):
            seal.open_epoch_content(epoch, sealed, place)
    with pytest.raises(Refused, match=r"R-01\.22"):
        seal.open_epoch_content(EpochKey(epoch.id, b"m" * 32, b"l" * 32), sealed, PLACE)


def test_an_epoch_id_commits_to_its_key_without_telling_it():
    epoch = EpochKey.from_key(b"m" * 32, b"k" * 32)
    others = [(b"m" * 32, b"l" * 32), (b"n" * 32, b"k" * 32)]  # another key, or another origin
    assert epoch.id == seal.epoch_key_id(b"m" * 32, b"k" * 32)
    assert epoch.id not in {seal.epoch_key_id(*other) for other in others}
    assert epoch.id not in epoch.key


def test_the_origin_of_a_key_commits_to_its_maker_and_to_its_lists_of_names():
    origins = {
        seal.key_origin(maker, lists)
        for maker in (b"m" * 32, b"n" * 32)
        for lists in (b"", b"l" * 32, b"l" * 64)
    }
    assert len(origins) == 6


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_every_changed_bit_of_sealed_words_is_noticed(data):
    epoch = EpochKey.from_key(b"m" * 32, b"k" * 32)
    for sealed, opens in (
        (
            seal.seal_epoch_content(epoch, b"words", PLACE, b"s" * 32),
            lambda one: seal.open_epoch_content(epoch, one, PLACE),
        ),
        (
            seal.seal_private_content([ADA.public, BEN.public], b"words", PLACE, b"s" * 32),
            lambda one: seal.open_private_content(one, [ADA], PLACE),
        ),
        (seal.seal_key(b"k" * 32, ADA.public), lambda one: seal.open_key(one, ADA)),
    ):
        wrong = bytearray(sealed)
        wrong[data.draw(st.integers(0, len(wrong) - 1))] ^= data.draw(st.integers(1, 255))
        try:
            plain = opens(bytes(wrong))
        except Refused:
            continue
        # Three things may change without harm: another reader's slot, the name of an epoch, and the
        # top bit of a point, which is ignored.
        assert plain in {None, b"words", b"k" * 32}


def test_private_words_open_for_those_named_and_for_nobody_else():
    sealed = seal.seal_private_content(
        [ADA.public, BEN.public], b"the key is under the mat", PLACE, b"s" * 32
    )
    for mine in ([ADA], [BEN], [EVE, BEN], [ADA, BEN]):
        assert seal.open_private_content(sealed, mine, PLACE) == b"the key is under the mat"
    assert seal.open_private_content(sealed, [EVE], PLACE) is None
    assert seal.open_private_content(sealed, [], PLACE) is None


def test_private_words_do_not_open_in_another_place_or_field():
    place = seal.private_field_context(b"n" * 32, b"d" * 32, 7, "text")
    sealed = seal.seal_private_content([ADA.public], b"words", place, b"s" * 32)
    for other in (
        seal.private_field_context(b"n" * 32, b"d" * 32, 7, "note"),
        seal.private_field_context(b"n" * 32, b"d" * 32, 8, "text"),
        PLACE,
    ):
        with pytest.raises(Refused, match=r"R-01\.24"):
            seal.open_private_content(sealed, [ADA], other)


def test_sealed_words_name_no_reader_and_repeat_nobody():
    sealed = seal.seal_private_content(
        [ADA.public, ADA.public, BEN.public], b"words", PLACE, b"s" * 32
    )
    assert sealed[0] == 2
    for box in (ADA, BEN):
        assert box.public not in sealed
        assert box.secret not in sealed
    again = seal.seal_private_content([ADA.public, BEN.public], b"words", PLACE, b"t" * 32)
    assert sealed[1:] != again[1:]


def test_a_key_that_was_handed_on_opens_what_it_is_the_key_of_and_nothing_else():
    sealed = seal.seal_private_content([ADA.public], b"words", PLACE, b"s" * 32)
    other = seal.seal_private_content([ADA.public], b"words", PLACE, b"t" * 32)
    key = seal.find_content_key(sealed, [ADA])
    assert seal.find_content_key(sealed, [EVE]) is None
    assert seal.open_with_content_key(key, sealed, PLACE) == b"words"
    with pytest.raises(Refused, match=r"R-01\.24"):
        seal.open_with_content_key(key, other, PLACE)


def test_nobody_can_show_two_readers_two_texts():
    """Sealed content commits to its key. If a crafted lock gives a reader another key, opening
    fails.
    """
    mine, theirs = (
        seal.seal_private_content([one.public], b"w", PLACE, b"s" * 32) for one in (ADA, BEN)
    )
    again = seal.seal_private_content([BEN.public], b"x", PLACE, b"t" * 32)
    assert seal.open_private_content(theirs, [BEN], PLACE) == b"w"
    crafted = b"\x01" + again[1:81] + mine[81:]
    with pytest.raises(Refused, match="commit"):
        seal.open_private_content(crafted, [BEN], PLACE)


@pytest.mark.parametrize(("readers", "locks"), [(1, 8), (8, 8), (9, 16), (64, 64), (65, 128)])
def test_decoys_hide_how_many_read(readers, locks):
    boxes = [seal.device_box_key(bytes([n + 1]) * 32).public for n in range(readers)]
    crowd = seal.add_decoys(boxes, b"s" * 32)
    assert len(set(crowd)) == locks
    assert set(boxes) <= set(crowd)
    assert set(seal.add_decoys(boxes, b"t" * 32)) & set(crowd) == set(boxes)
    assert seal.seal_private_content(crowd, b"words", PLACE, b"s" * 32)[0] == locks


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=9000))
def test_a_cover_leaves_few_lengths(plain):
    covered = seal.pad(plain)
    assert seal.unpad(covered) == plain
    assert len(covered) in {256, 512} or len(covered) % 1024 == 0
    assert len(covered) - len(plain) <= max(256, 1026)


def test_a_key_in_a_slot_opens_for_its_device_only():
    slot = seal.seal_key(b"k" * 32, ADA.public)
    assert seal.open_key(slot, ADA) == b"k" * 32
    with pytest.raises(Refused, match=r"R-01\.23"):
        seal.open_key(slot, EVE)


def test_everybody_who_holds_a_key_can_check_each_slot():
    """R-01.23b: the slot follows from the key and the box key alone."""
    slot = seal.seal_key(b"k" * 32, ADA.public)
    assert seal.is_right_slot(slot, b"k" * 32, ADA.public)
    assert not seal.is_right_slot(slot, b"k" * 32, BEN.public)
    assert not seal.is_right_slot(slot, b"l" * 32, ADA.public)
    assert not seal.is_right_slot(bytes(80), b"k" * 32, ADA.public)
    assert not seal.is_right_slot(slot, b"k" * 32, bytes(32))  # a low-order point


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8])
def test_nothing_is_sealed_to_or_opened_from_a_low_order_point(point):
    with pytest.raises(Refused, match=r"R-01\.23"):
        seal.seal_key(b"k" * 32, point)
    with pytest.raises(Refused, match=r"R-01\.23"):
        seal.seal_private_content([ADA.public, point], b"words", PLACE, b"s" * 32)
    with pytest.raises(Refused, match=r"R-01\.23"):
        seal.open_key(point + bytes(48), ADA)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_box_of_another_length_is_refused(length):
    with pytest.raises(Refused, match=r"R-01\.23"):
        seal.seal_key(b"k" * 32, b"b" * length)


@pytest.mark.parametrize("count", [0, seal.MAX_SLOTS + 1])
def test_private_words_have_1_to_128_readers(count):
    boxes = [seal.device_box_key(bytes([n + 1]) * 32).public for n in range(count)]
    with pytest.raises(Refused, match=r"R-01\.24"):
        seal.seal_private_content(boxes, b"words", PLACE, b"s" * 32)


@pytest.mark.parametrize("sealed", [b"", b"\0", b"\xff" * 300, b"\x81" + bytes(9000), b"\x01"])
def test_malformed_private_words_are_refused(sealed):
    with pytest.raises(Refused, match=r"R-01\.24"):
        seal.open_private_content(sealed, [ADA], PLACE)


def test_the_box_key_is_a_function_of_the_device_seed():
    assert seal.device_box_key(b"\x01" * 32) == ADA
    assert nacl.bindings.crypto_scalarmult_base(ADA.secret) == ADA.public
    assert seal.derive_key(b"\x01" * 32, "box") != seal.derive_key(b"\x01" * 32, "gossip")
