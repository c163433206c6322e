"""Addresses are remembered, and forgotten when nobody has been met there for half a year."""

import sqlite3
from contextlib import closing

from meshcoop.sync.peer_manager import Peers

DAY = 86_400_000
PEER = "12D3KooWEMcZuLdAMfCjad9dMb8JXP8UusrqC7192SAJ6srXB3ke"
HERE, THERE = (f"/ip4/192.0.2.{n}/tcp/4001/p2p/{PEER}" for n in (7, 8))


class Nowhere:
    peer_id = "somebody else"


def book(db, beside=None):
    return Peers(Nowhere(), db, talk=None, talking=set, random=bytes, beside=beside)


def test_an_address_ages():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        peers = book(db)
        peers.learn([HERE, THERE])
        peers.met(HERE, 1000 * DAY)
        assert book(db).known == [HERE]
        peers.met(THERE, 1179 * DAY)
        assert book(db).known == [THERE, HERE]
        peers.met(THERE, 1181 * DAY)
        assert book(db).known == [THERE]


def test_addresses_lie_beside_the_store_too(tmp_path):
    beside = tmp_path / "neighbours"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        peers = book(db, beside)
        peers.learn([HERE])
        peers.met(HERE, 5 * DAY)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        assert HERE not in book(db)._book
        beside.write_text(beside.read_text() + "\nno address\n\x00")
        assert list(book(db, beside)._book) == [HERE]
