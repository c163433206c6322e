"""Damaged stores: every flipped bit of a record is found, and the records that still verify are
saved.
"""

import contextlib
import itertools
import random
import shutil
import sqlite3  # for its names of SQLite's codes
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from meshcoop.author.author import Author
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.state import State
from meshcoop.ingest.inbox import Inbox
from meshcoop.repair import integrity
from meshcoop.repair import rebuild as mending
from meshcoop.repair.integrity import Fault
from meshcoop.store import read_only
from meshcoop.store.disk_errors import (
    DAMAGES,
    OBSTACLES,
    Damaged,
    Obstacle,
    StatementError,
    StoreError,
    disk_error_of,
    log_disk_errors,
)
from meshcoop.store.last_signed import LastSigned
from meshcoop.store.sqlite_connection import open_to_read
from meshcoop.store.store import Store
from protocol.errors import Refused
from tests.support.stores import STORE_KEY, open_rows
from tests.support.street_in_memory import Street

POSTS = 40
LAST = "(SELECT max(n) FROM records)"


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
        with open_rows(path, write=True) as copy:
            ada.store.db.backup(copy)
        with closing(Store(path, STORE_KEY)):
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


def test_a_whole_store_has_no_problem(written, tmp_path):
    path, neighbourhood, _ = written
    copy = copied(path, tmp_path)
    assert integrity.find_faults(copy, STORE_KEY) == []
    assert integrity.find_wal_fault(copy) is None
    assert mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood)) is None
    assert integrity.find_faults(tmp_path / "nothing.db", STORE_KEY) == []


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_of_a_store_is_found_and_the_rest_is_saved(written, tmp_path, seed):
    path, neighbourhood, ids = written
    copy = copied(path, tmp_path)
    dice = random.Random(seed)
    data = bytearray(copy.read_bytes())
    # Behind the salt, which the node has from its keys: every bit counts.
    data[dice.randrange(16, len(data))] ^= 1 << dice.randrange(8)
    copy.write_bytes(data)
    assert integrity.find_faults(copy, STORE_KEY)
    said = mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
    assert said.code == mending.Repair.REBUILT
    assert integrity.find_faults(copy, STORE_KEY) == []
    with closing(Store(copy, STORE_KEY)) as store:
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
    mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
    assert integrity.find_faults(copy, STORE_KEY) == []
    with closing(Store(copy, STORE_KEY)) as store:
        state = State(store, neighbourhood, KeyRing([]), lambda: 1_795_900_000_000)
        assert set(store.records.ids()) <= ids
        assert state.authority is None or state.authority.neighbourhood == neighbourhood


@pytest.mark.parametrize("strange", [b"SQLite format 3\0", bytes(9000), b"no database" * 999])
def test_a_file_that_is_no_store_gives_an_empty_one(written, tmp_path, strange):
    _, neighbourhood, _ = written
    path = tmp_path / "store.db"
    path.write_bytes(strange)
    mending.mend_store(path, STORE_KEY, inbox_of(neighbourhood))
    assert integrity.find_faults(path, STORE_KEY) == []


def test_addresses_and_notes_are_kept(written, tmp_path):
    path, neighbourhood, _ = written
    copy = copied(path, tmp_path)
    with open_rows(copy, write=True) as db:
        db.execute("CREATE TABLE addresses (address TEXT PRIMARY KEY, peer TEXT, met INTEGER)")
        db.execute("INSERT INTO addresses VALUES ('/ip4/192.0.2.7/tcp/1/p2p/x', 'x', 5)")
        db.execute("INSERT INTO meta VALUES ('muted', x'01')")
        db.execute("UPDATE records SET signature = zeroblob(64) WHERE n = 9")
    assert integrity.find_faults(copy, STORE_KEY) == [(Fault.NOT_AS_SIGNED, {"count": 1})]
    mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
    with closing(Store(copy, STORE_KEY)) as store:
        assert store.db.execute("SELECT met FROM addresses").fetchone() == (5,)
        assert store.read_note("muted") == b"\x01"


# -- the write-ahead log --------------------------------------------------------------------------


@pytest.fixture
def waiting(tmp_path):
    """Makes a store as a killed process leaves it: the store's write-ahead log has changes that the
    main file lacks.
    """
    with closing(Store(tmp_path / "before.db", STORE_KEY)) as store:
        for n in range(30):
            with store.transaction():
                store.set_note(f"note {n}", b"x" * 3000)
        for ending in ("", "-wal"):
            shutil.copy(tmp_path / f"before.db{ending}", tmp_path / f"store.db{ending}")
    return tmp_path / "store.db"


def test_a_log_that_waits_is_no_problem(waiting):
    assert integrity.find_wal_fault(waiting) is None
    wal = waiting.with_name("store.db-wal")
    wal.write_bytes(wal.read_bytes()[:-100])  # a frame that was half written
    assert integrity.find_wal_fault(waiting) is None


@pytest.mark.parametrize("seed", range(30))
def test_a_flipped_bit_in_the_middle_of_the_log_is_found(waiting, seed):
    wal = waiting.with_name("store.db-wal")
    data = bytearray(wal.read_bytes())
    at = random.Random(seed).randrange(len(data) - 5000)
    data[at] ^= 4
    wal.write_bytes(data)
    assert integrity.find_wal_fault(waiting) is not None


KILLS = 6
# Kills one process after the other in the middle of a large transaction. Each goes on with the store
# and the write-ahead log that the one before has left.
KILLER = """
import os, random, signal, sys
from pathlib import Path
from meshcoop.repair import integrity
from meshcoop.store.store import Store

path = Path(sys.argv[1])
key = bytes(48)

def write(dice, telling):
    store = Store(path, key)
    store.db.execute("PRAGMA cache_size = 10")  # SQLite writes pages before a transaction ends
    while True:
        with store.transaction(durable=False):
            for _ in range(dice.randrange(1, 150)):
                store.set_note(f"note {dice.randrange(99)}", dice.randbytes(dice.randrange(2000)))
                os.write(telling, b".")

for seed in range(int(sys.argv[2])):
    dice = random.Random(seed)
    hearing, telling = os.pipe()
    writer = os.fork()
    if writer == 0:
        write(dice, telling)
    os.close(telling)
    left = dice.randrange(1, 400)
    while left > 0:
        left -= len(os.read(hearing, left))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    os.close(hearing)
    print(integrity.find_wal_fault(path), integrity.find_faults(path, key))
"""


def test_a_store_is_whole_whenever_its_process_is_killed(tmp_path):
    path = tmp_path / "store.db"
    command = [sys.executable, "-c", KILLER, str(path), str(KILLS)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["None []"] * KILLS
    assert path.with_name("store.db-wal").stat().st_size > 50_000


def test_what_a_process_leaves_that_is_killed_while_it_makes_a_store_is_no_damage(tmp_path):
    """Stops the making of a store before each of its statements."""
    statements = []
    with closing(Store(tmp_path / "whole.db", STORE_KEY)) as store:
        statements = [row[0] for row in store.db.execute("SELECT sql FROM sqlite_master") if row[0]]
    for done in range(len(statements) + 1):
        path = tmp_path / f"{done}.db"
        with open_rows(path, write=True) as db:
            for statement in statements[:done]:
                db.execute(statement)
        assert mending.mend_store(path, STORE_KEY, lambda store: None) is None
        with closing(Store(path, STORE_KEY)) as store:
            assert store.records.count() == 0


# -- obstacles ------------------------------------------------------------------------------------

# What is neither an obstacle nor damage is a fault of the program, or no error at all.
OURS = {
    sqlite3.SQLITE_ERROR, sqlite3.SQLITE_INTERNAL, sqlite3.SQLITE_ABORT, sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_NOTFOUND, sqlite3.SQLITE_EMPTY, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_NOTICE, sqlite3.SQLITE_WARNING,
}  # fmt: skip
RESULT_CODES = range(1, 29)  # all primary codes of SQLite that are errors or warnings


def of_code(code):
    error = StatementError("a word of SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("code", RESULT_CODES)
def test_each_error_of_sqlite_is_an_obstacle_or_damage_or_ours(code):
    expected = [kind for kind in (OBSTACLES, DAMAGES, OURS) if code in kind]
    assert len(expected) == 1
    types = (Damaged if code in DAMAGES else Obstacle if code in OBSTACLES else None,)
    for further in (0, 1 << 8, 2 << 8):  # the codes that say more about the same error
        error = disk_error_of(of_code(code | further))
        assert (type(error) if error else None) in types


def test_an_error_of_python_itself_is_ours():
    assert disk_error_of(StoreError("Cannot operate on a closed database.")) is None
    assert disk_error_of(OSError("no errors of SQLite")) is None


def as_it_lies(folder):
    return {
        path.name: path.read_bytes() if path.is_file() else None
        for path in folder.iterdir()
        if not path.name.endswith("-shm")
    }


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR])
@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_store_that_cannot_be_read_now_stays_where_it_is(
    written, tmp_path, monkeypatch, code, is_damaged
):
    """Meets an obstacle at each statement that mending makes."""
    path, neighbourhood, _ = written
    copy = copied(path, tmp_path)
    if is_damaged:
        with open_rows(copy, write=True) as db:
            db.execute("UPDATE records SET signature = zeroblob(64) WHERE n = 9")
    before = copy.read_bytes()
    open_to_read = read_only.open_to_read
    repair = None
    for last in itertools.count():
        left = iter(range(last))

        class Blocked:
            def __init__(self, path, key, left=left):
                self.db = open_to_read(path, key)
                self.close = self.db.close
                self.left = left

            def execute(self, *words):
                if next(self.left, None) is None:
                    raise of_code(code)
                return self.db.execute(*words)

        monkeypatch.setattr(read_only, "open_to_read", Blocked)
        try:
            repair = mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
            break
        except Obstacle:
            assert copy.read_bytes() == before
            assert not list(tmp_path.glob("*.damaged-*"))
    assert last > (40 if is_damaged else 3)
    monkeypatch.setattr(read_only, "open_to_read", open_to_read)
    assert (repair is not None) == is_damaged
    assert integrity.find_faults(copy, STORE_KEY) == []


def test_a_folder_in_place_of_a_store_is_not_moved_aside(written, tmp_path):
    _, neighbourhood, _ = written
    (tmp_path / "store.db").mkdir()
    with pytest.raises(Obstacle, match="no file"):
        mending.mend_store(tmp_path / "store.db", STORE_KEY, inbox_of(neighbourhood))
    assert [path.name for path in tmp_path.iterdir()] == ["store.db"]


def impatient(path, key):
    db = open_to_read(path, key)
    db.execute("PRAGMA busy_timeout = 0")
    return db


def test_a_store_that_another_program_locks_is_not_moved_aside(written, tmp_path):
    path, neighbourhood, _ = written
    copy = copied(path, tmp_path)
    with open_rows(copy, write=True) as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(read_only, "open_to_read", impatient)
            with pytest.raises(Obstacle, match="Another program"):
                mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
    assert not list(tmp_path.glob("*.damaged-*"))
    assert mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood)) is None


# -- mending that is killed -----------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of a killed process: nothing after it runs."""


@pytest.mark.parametrize("renames", range(4))
def test_mending_that_is_killed_while_files_change_places_ends_well(
    written, tmp_path, monkeypatch, renames
):
    path, neighbourhood, ids = written
    copy = copied(path, tmp_path)
    copy.with_name("store.db-shm").write_bytes(b"")
    with open_rows(copy, write=True) as db:
        db.execute(f"UPDATE records SET signature = zeroblob(64) WHERE n = {LAST}")
    left = iter(range(renames))
    rename = Path.rename

    def killed(self, target):
        if next(left, None) is None:
            raise Killed
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with contextlib.suppress(Killed):
            mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
    mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
    assert integrity.find_faults(copy, STORE_KEY) == []
    with closing(Store(copy, STORE_KEY)) as store:
        assert store.records.count() == len(ids) - 1


def test_mending_that_is_killed_keeps_what_it_has_saved(written, tmp_path, monkeypatch):
    path, neighbourhood, _ = written
    monkeypatch.setattr(mending, "_BATCH", 10)
    copy = copied(path, tmp_path)
    with open_rows(copy, write=True) as db:
        db.execute(f"UPDATE records SET signature = zeroblob(64) WHERE n = {LAST}")
    with pytest.raises(Killed):
        mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood), on_mend=kill_after(20))
    verified = []
    verify = Inbox.ingest_wires
    monkeypatch.setattr(
        Inbox,
        "ingest_wires",
        lambda inbox, wires: (
            verified.append(inbox.state.store.records.count()) or verify(inbox, wires)
        ),
    )
    mending.mend_store(copy, STORE_KEY, inbox_of(neighbourhood))
    assert verified[0] >= 10
    assert integrity.find_faults(copy, STORE_KEY) == []


def kill_after(records):
    def report(done, total):
        assert done <= total
        if done > records:
            raise Killed

    return report


# -- the last number ------------------------------------------------------------------------------


def test_a_device_whose_last_records_are_lost_does_not_sign(tmp_path):
    with Street() as street:
        ada = street.found()
        signed = LastSigned(tmp_path / "signed", STORE_KEY)
        ada.author.signed.append(signed.note)
        posted = [ada.post("request", title=f"Wish {n}", minutes="30") for n in range(3)]
        again = LastSigned(tmp_path / "signed", STORE_KEY)
        assert again.number_of(ada.me.device) == posted[-1].header.seq
        wires = [row.record.wire for row in ada.store.records.page(0, 1000)]
        inbox = Inbox(
            State(
                Store(tmp_path / "new.db", STORE_KEY),
                ada.state.neighbourhood,
                ada.state.ring,
                ada.now,
            )
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
        with pytest.raises(Obstacle, match="make room"):
            fill(ada)
        assert ada.state.authority.members == before[1].members
        ada.store.db.execute("PRAGMA max_page_count = 100000")
        known = set(ada.store.records.ids())
        one = ada.post("request", title="There is room again", minutes="30")
        assert set(ada.store.records.ids()) == known | {one.id}
        assert one.header.seq == ada.store.logs.find(ada.me.device).head.seq


def test_trouble_in_the_background_is_said_and_endured(caplog):
    with log_disk_errors("what is due waits"):
        raise Obstacle("The disk is full.")
    with log_disk_errors("what is due waits"):
        raise Damaged("a bit")
    with log_disk_errors("what is due waits"):
        raise of_code(sqlite3.SQLITE_FULL)
    assert caplog.text.count("what is due waits") == 3
    with pytest.raises(StoreError), log_disk_errors("our own mistake"):
        raise StoreError("UNIQUE constraint failed")
