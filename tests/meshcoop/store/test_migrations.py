"""A store of an older version becomes one of this version, whenever the process is killed (R-01.32)."""

import subprocess
import sys
from contextlib import closing

import pytest

from meshcoop.errors import Mistake
from meshcoop.repair import rebuild
from meshcoop.store import migrations
from meshcoop.store.migrations import Step, read_version
from meshcoop.store.peer_addresses import PeerAddresses
from meshcoop.store.store import Store
from tests.support.stores import STORE_KEY, open_rows

NEWEST = max(migrations.STEPS)  # the version from which the steps of these tests lead on
# What two later programs could do to a table of today: a new column, then other values in it.
STEPS = {
    NEWEST + 1: Step("addresses", ("ALTER TABLE addresses ADD COLUMN tries INTEGER DEFAULT 0",)),
    NEWEST + 2: Step(
        "addresses",
        ("UPDATE addresses SET tries = tries + 1", "UPDATE addresses SET tries = tries * 10"),
    ),
}

# Kills one process after the other, each before its next statement, until one opens the store.
KILLER = """
import os, signal, sys
from meshcoop.store import database, migrations
from meshcoop.store.store import Store
from tests.meshcoop.store.test_migrations import STEPS
from tests.support.stores import STORE_KEY, open_rows

migrations.STEPS = STEPS
open_to_write = database.open_to_write

def open_traced(path, key, left):
    db = open_to_write(path, key)
    statements = iter(range(left))
    def trace(sql):
        if next(statements, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
    db.set_trace_callback(trace)
    return db

left = 0
while True:
    child = os.fork()
    if child == 0:
        database.open_to_write = lambda path, key: open_traced(path, key, left)
        Store(sys.argv[1], STORE_KEY).close()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    with open_rows(sys.argv[1]) as db:
        columns = len(db.execute("SELECT * FROM addresses").fetchone())
        print(migrations.read_version(db), columns, db.execute("SELECT * FROM addresses").fetchone()[-1])
    if not status:
        break
    left += 1
"""


@pytest.fixture
def older(tmp_path):
    path = tmp_path / "store.db"
    with closing(Store(path, STORE_KEY)) as store:
        PeerAddresses(store).note_meeting("/ip4/192.0.2.7/tcp/1/p2p/x", "x", 5)
    return path


def test_a_new_store_is_of_the_newest_version(tmp_path, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", STEPS)
    with closing(Store(tmp_path / "store.db", STORE_KEY)) as store:
        assert read_version(store.db) == NEWEST + 2


def test_each_step_is_taken_once(older, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", STEPS)
    for _ in range(2):
        with closing(Store(older, STORE_KEY)) as store:
            assert store.db.execute("SELECT tries FROM addresses").fetchall() == [(10,)]


def test_a_killed_process_leaves_a_store_of_one_version_or_of_the_next(older):
    before = len(open_row(older))
    command = [sys.executable, "-c", KILLER, str(older)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    states = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    shapes = {NEWEST: (before, 5), NEWEST + 1: (before + 1, 0), NEWEST + 2: (before + 1, 10)}
    assert all(state == (state[0], *shapes[state[0]]) for state in states)
    assert [version for version, *_ in states] == sorted(version for version, *_ in states)
    assert {version for version, *_ in states} == set(shapes)


def open_row(path):
    with open_rows(path) as db:
        return db.execute("SELECT * FROM addresses").fetchone()


def test_a_store_that_a_newer_program_has_changed_is_refused_and_stays(older, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", STEPS)
        Store(older, STORE_KEY).close()
    before = older.read_bytes()
    with pytest.raises(Mistake, match="newer meshcoop"):
        Store(older, STORE_KEY)
    assert older.read_bytes() == before


def test_a_damaged_older_store_is_mended_and_migrates_too(older, monkeypatch):
    with open_rows(older, write=True) as db:
        db.execute(
            "INSERT INTO records VALUES (1, x'00', 1, 1, NULL, NULL, 0, 0, 0, 0, x'00', x'00', NULL)"
        )
    monkeypatch.setattr(migrations, "STEPS", STEPS)
    assert rebuild.mend_store(older, STORE_KEY, lambda store: None) is not None
    with closing(Store(older, STORE_KEY)) as store:
        assert store.db.execute("SELECT tries FROM addresses").fetchall() == [(10,)]
