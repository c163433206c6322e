"""A home remembers the network addresses of other homes. It forgets an address if it has met nobody
there for half a year.
"""

from contextlib import closing

from meshcoop.home.sealed_file import SealedFile
from meshcoop.store.store import Store
from meshcoop.sync.address_book import AddressBook
from tests.support.stores import STORE_KEY

DAY = 86_400_000
PEER = "12D3KooWEMcZuLdAMfCjad9dMb8JXP8UusrqC7192SAJ6srXB3ke"
HERE, THERE = (f"/ip4/192.0.2.{n}/tcp/4001/p2p/{PEER}" for n in (7, 8))


def open_book(store, beside=None):
    return AddressBook(store, "somebody else", beside)


def test_an_address_ages():
    with closing(Store(":memory:")) as store:
        book = open_book(store)
        book.learn([HERE, THERE])
        book.note_meeting(HERE, 1000 * DAY)
        assert open_book(store).met == [HERE]
        book.note_meeting(THERE, 1179 * DAY)
        assert open_book(store).met == [THERE, HERE]
        book.note_meeting(THERE, 1181 * DAY)
        assert open_book(store).met == [THERE]


def test_addresses_lie_beside_the_store_too(tmp_path):
    path = tmp_path / "neighbours"
    beside = SealedFile(path, STORE_KEY)
    with closing(Store(":memory:")) as store:
        book = open_book(store, beside)
        book.learn([HERE])
        book.note_meeting(HERE, 5 * DAY)
    with closing(Store(":memory:")) as store:
        assert HERE not in [entry.address for entry in open_book(store).entries]
        assert PEER.encode() not in path.read_bytes()
        beside.write(beside.read() + b"\nno address\n\x00")
        assert [entry.address for entry in open_book(store, beside).entries] == [HERE]
        path.write_bytes(path.read_bytes()[:-1])
        assert open_book(store, beside).entries == []
