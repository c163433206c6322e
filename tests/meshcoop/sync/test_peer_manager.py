"""Addresses are remembered, and forgotten when nobody has been met there for half a year."""

from contextlib import closing

from meshcoop.store.store import Store
from meshcoop.sync.peer_manager import Peers

DAY = 86_400_000
PEER = "12D3KooWEMcZuLdAMfCjad9dMb8JXP8UusrqC7192SAJ6srXB3ke"
HERE, THERE = (f"/ip4/192.0.2.{n}/tcp/4001/p2p/{PEER}" for n in (7, 8))


class Nowhere:
    peer_id = "somebody else"


def book(store, beside=None):
    return Peers(Nowhere(), store, talk=None, talking=set, random=bytes, beside=beside)


def test_an_address_ages():
    with closing(Store(":memory:")) as store:
        peers = book(store)
        peers.learn([HERE, THERE])
        peers.met(HERE, 1000 * DAY)
        assert book(store).known == [HERE]
        peers.met(THERE, 1179 * DAY)
        assert book(store).known == [THERE, HERE]
        peers.met(THERE, 1181 * DAY)
        assert book(store).known == [THERE]


def test_addresses_lie_beside_the_store_too(tmp_path):
    beside = tmp_path / "neighbours"
    with closing(Store(":memory:")) as store:
        peers = book(store, beside)
        peers.learn([HERE])
        peers.met(HERE, 5 * DAY)
    with closing(Store(":memory:")) as store:
        assert HERE not in book(store)._book
        beside.write_text(beside.read_text() + "\nno address\n\x00")
        assert list(book(store, beside)._book) == [HERE]
