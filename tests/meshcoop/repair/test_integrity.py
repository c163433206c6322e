"""Damaged stores: every flipped bit of a record is found, and the records that still verify are
saved.
"""

import random
import shutil
import sqlite3
from contextlib import closing

import pytest

from meshcoop.author.author import Author
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.state import State
from meshcoop.ingest.inbox import Inbox
from meshcoop.repair import integrity
from meshcoop.repair import rebuild as mending
from meshcoop.store.disk_errors import Damaged, NoRoom, log_disk_errors
from meshcoop.store.last_signed import LastSigned
from meshcoop.store.store import Store
from protocol.errors import Refused
from tests.support.street_in_memory import Street

POSTS = 40


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Writes a store with some records to disk and closes it. Returns its path, its neighbourhood
    and the ids.
    """
    folder = tmp_path_factory.mktemp("store")
    with Street() as street:
        ada = street.found()
        for n in range(POSTS):
            ada.post("request", title=f"Wish {n}", text="x" * 200, minutes="30")
        path = folder / "store.db"
        with closing(sqlite3.connect(path)) as copy:
            ada.store.db.backup(copy)
        with closing(Store(path)):
            pass
        return path, ada.state.neighbourhood, set(ada.store.records.ids())


def copied(path, folder):
    copy = folder / "store.db"
    shutil.copy(path, copy)
    return copy


def inbox_of(neighbourhood):
    def made(store):
        return Inbox(State(store, neighbourhood, KeyRing([]), lambda: 1_795_900_000_000))

    return made


def records_at(path):
    """Returns the position and length in the file of each header, signature and content."""
    data = path.read_bytes()
    with closing(sqlite3.connect(path)) as db:
        parts = [
            part
            for row in db.execute("SELECT header, signature, content FROM records")
            for part in row
            if part
        ]
    return [(at, len(part)) for part in parts if (at := data.find(part)) >= 0]


def test_a_whole_store_has_no_problem(written, tmp_path):
    path, neighbourhood, _ = written
    copy = copied(path, tmp_path)
    assert integrity.problems(copy) == []
    assert integrity.wal_problem(copy) is None
    assert mending.mend_store(copy, inbox_of(neighbourhood)) is None
    assert integrity.problems(tmp_path / "nothing.db") == []


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_of_a_record_is_found_and_the_rest_is_saved(written, tmp_path, seed):
    path, neighbourhood, ids = written
    copy = copied(path, tmp_path)
    dice = random.Random(seed)
    places = records_at(copy)
    assert len(places) > 3 * POSTS
    data = bytearray(copy.read_bytes())
    start, length = dice.choice(places)
    data[start + dice.randrange(length)] ^= 1 << dice.randrange(8)
    copy.write_bytes(data)
    assert integrity.problems(copy)
    said = mending.mend_store(copy, inbox_of(neighbourhood))
    assert "damaged" in said
    assert integrity.problems(copy) == []
    with closing(Store(copy)) as store:
        saved = set(store.records.ids())
        assert saved <= ids
        assert [row for row in store.records.page(0, 1000) if row.record.id not in ids] == []
    (kept,) = tmp_path.glob("store.damaged-*")
    assert (kept / "store.db").read_bytes() == bytes(data)


@pytest.mark.parametrize("seed", range(30))
def test_flipped_bits_anywhere_and_cuts_anywhere_leave_a_store_that_verifies(
    written, tmp_path, seed
):
    path, neighbourhood, ids = written
    copy = copied(path, tmp_path)
    dice = random.Random(seed)
    data = bytearray(copy.read_bytes())
    if seed % 3 == 0:
        data = data[: dice.randrange(len(data))]
    else:
        for _ in range(dice.choice((1, 8, 200))):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    copy.write_bytes(data)
    mending.mend_store(copy, inbox_of(neighbourhood))
    assert integrity.problems(copy) == []
    with closing(Store(copy)) as store:
        state = State(store, neighbourhood, KeyRing([]), lambda: 1_795_900_000_000)
        assert set(store.records.ids()) <= ids
        assert state.authority is None or state.authority.neighbourhood == neighbourhood


@pytest.mark.parametrize("strange", [b"", b"SQLite format 3\0", bytes(9000), b"no database" * 999])
def test_a_file_that_is_no_store_gives_an_empty_one(written, tmp_path, strange):
    _, neighbourhood, _ = written
    path = tmp_path / "store.db"
    path.write_bytes(strange)
    mending.mend_store(path, inbox_of(neighbourhood))
    assert integrity.problems(path) == []


def test_addresses_and_notes_are_kept(written, tmp_path):
    path, neighbourhood, _ = written
    copy = copied(path, tmp_path)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("CREATE TABLE addresses (address TEXT PRIMARY KEY, peer TEXT, met INTEGER)")
        db.execute("INSERT INTO addresses VALUES ('/ip4/192.0.2.7/tcp/1/p2p/x', 'x', 5)")
        db.execute("INSERT INTO meta VALUES ('muted', x'01')")
        db.execute("UPDATE records SET signature = zeroblob(64) WHERE n = 9")
    assert "1 records" in integrity.problems(copy)[0]
    mending.mend_store(copy, inbox_of(neighbourhood))
    with closing(Store(copy)) as store:
        assert store.db.execute("SELECT met FROM addresses").fetchone() == (5,)
        assert store.read_note("muted") == b"\x01"


# -- the write-ahead log --------------------------------------------------------------------------


@pytest.fixture
def waiting(tmp_path):
    """Makes a store as a killed process leaves it: the store's write-ahead log has changes that the
    main file lacks.
    """
    with closing(Store(tmp_path / "before.db")) as store:
        for n in range(30):
            with store.transaction():
                store.set_note(f"note {n}", b"x" * 3000)
        for ending in ("", "-wal"):
            shutil.copy(tmp_path / f"before.db{ending}", tmp_path / f"store.db{ending}")
    return tmp_path / "store.db"


def test_a_log_that_waits_is_no_problem(waiting):
    assert integrity.wal_problem(waiting) is None
    wal = waiting.with_name("store.db-wal")
    wal.write_bytes(wal.read_bytes()[:-100])  # a frame that was half written
    assert integrity.wal_problem(waiting) is None


@pytest.mark.parametrize("seed", range(30))
def test_a_flipped_bit_in_the_middle_of_the_log_is_found(waiting, seed):
    wal = waiting.with_name("store.db-wal")
    data = bytearray(wal.read_bytes())
    at = random.Random(seed).randrange(len(data) - 5000)
    data[at] ^= 4
    wal.write_bytes(data)
    assert integrity.wal_problem(waiting) is not None


# -- the last number ------------------------------------------------------------------------------


def test_a_device_whose_last_records_are_lost_does_not_sign(tmp_path):
    with Street() as street:
        ada = street.found()
        signed = LastSigned(tmp_path / "signed")
        ada.author.signed.append(signed.note)
        posted = [ada.post("request", title=f"Wish {n}", minutes="30") for n in range(3)]
        again = LastSigned(tmp_path / "signed")
        assert again.numbers == {ada.me.device: posted[-1].header.seq}
        wires = [row.record.wire for row in ada.store.records.page(0, 1000)]
        inbox = Inbox(
            State(Store(tmp_path / "new.db"), ada.state.neighbourhood, ada.state.ring, ada.now)
        )
        street.opened.append(inbox.store)
        inbox.ingest_wires(wires[:-1])
        author = Author(
            inbox, ada.author.devices, ada.now, street.dice.randbytes, last_signed=again
        )
        with pytest.raises(Refused, match=r"lost.*R-03\.32"):
            author.check()
        inbox.ingest_wires(wires)  # a neighbour brings it back
        author.check()
        signed.close()
        again.close()


# -- a full disk ----------------------------------------------------------------------------------


def fill(home):
    for n in range(100):
        home.post("request", title=f"Wish {n}", text="x" * 900, minutes="30")


def test_a_full_disk_is_a_sentence_and_nothing_is_half_stored(tmp_path):
    with Street() as street:
        ada = street.found()
        before = set(ada.store.records.ids()), ada.state.authority
        pages = ada.store.db.execute("PRAGMA page_count").fetchone()[0]
        ada.store.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(NoRoom, match="make room"):
            fill(ada)
        assert ada.state.authority.members == before[1].members
        ada.store.db.execute("PRAGMA max_page_count = 100000")
        known = set(ada.store.records.ids())
        one = ada.post("request", title="There is room again", minutes="30")
        assert set(ada.store.records.ids()) == known | {one.id}
        assert one.header.seq == ada.store.logs.find(ada.me.device).head.seq


def test_trouble_in_the_background_is_said_and_endured(caplog):
    with log_disk_errors("what is due waits"):
        raise NoRoom
    with log_disk_errors("what is due waits"):
        raise Damaged("a bit")
    with log_disk_errors("what is due waits"):
        raise sqlite3.OperationalError("database or disk is full")
    assert caplog.text.count("what is due waits") == 3
    with pytest.raises(sqlite3.IntegrityError), log_disk_errors("our own mistake"):
        raise sqlite3.IntegrityError("UNIQUE constraint failed")
