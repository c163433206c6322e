"""Chains that are too long for one frame (R-05.3g)."""

import pytest

from protocol.errors import Refused
from protocol.wire import frames
from protocol.wire.paged_chain import MAX_CHAIN_RECORDS, PAGE, PageReader, split_chain


@pytest.mark.parametrize("count", [0, 1, 3, 500])
def test_a_chain_in_pages_comes_together_again(count):
    chain = [bytes([n % 256]) * 300 for n in range(count)]
    pages, last = split_chain(chain)
    reader = PageReader()
    for page in pages:
        (frame,) = frames.Decoder().feed(frames.encode(page))
        assert reader.take(frame)
    assert not reader.take([1, 1, last])
    assert [*reader.wires, *last] == chain
    assert bool(pages) == (count > 100)


@pytest.mark.parametrize("frame", [[PAGE], [PAGE, b"x"], [PAGE, ["x"]], [PAGE, [], []]])
def test_a_page_has_a_list_of_records(frame):
    with pytest.raises(Refused, match=r"R-05\.3g"):
        PageReader().take(frame)


def test_a_peer_cannot_send_pages_for_ever():
    reader = PageReader()
    for _ in range(MAX_CHAIN_RECORDS // 1024):
        reader.take([PAGE, [b"x"] * 1024])
    with pytest.raises(Refused, match=r"R-05\.3g"):
        reader.take([PAGE, [b"x"]])
