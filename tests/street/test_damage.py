"""Damaged stores at real homes: a home reports the damage, repairs itself, and agrees with its
neighbour again.
"""

import random
import shutil
import subprocess
from contextlib import suppress

import pytest

from tests.support.real_homes import agree, eventually, folder

POSTS = 12


@pytest.fixture(scope="module")
def pair():
    with folder() as one:
        ada = one.founder("Ada")
        ben = one.newcomer(ada, "Ben")
        for n in range(POSTS):
            ada.post("request", "--title", f"Wish {n}", "--minutes", "30")
        agree(ada, ben)
        yield one, ada, ben


def no_forks(home):
    with home.database() as db:
        assert db.execute("SELECT count(*) FROM logs WHERE fork NOT NULL").fetchone() == (0,)


def recovered(ada, ben):
    """Checks that Ada's home starts, has all records again and signs without a fork, and that Ben
    gets a new record.
    """
    ada("up")
    agree(ada, ben)
    eventually(lambda: ada("status")["trouble"] is None, "it does not sign")
    one = ada.post("request", "--title", "Once more", "--minutes", "30")
    ben.has(one)
    agree(ada, ben)
    for home in (ada, ben):
        no_forks(home)


def flipped(home, dice, count, name="store.db"):
    path = home.path / name
    data = bytearray(path.read_bytes())
    for _ in range(count):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def damage(home, how, dice):
    match how:
        case "a few bits of the store":
            flipped(home, dice, 40)
        case "a cut store":
            path = home.path / "store.db"
            path.write_bytes(path.read_bytes()[: dice.randrange(path.stat().st_size)])
        case "nothing left":
            (home.path / "store.db").write_bytes(b"")
        case "no store":
            (home.path / "store.db").unlink()


WAYS = ["a few bits of the store", "a cut store", "nothing left", "no store"]
LONG = pytest.mark.long


@pytest.mark.parametrize(
    "how", [WAYS[0], *(pytest.param(how, marks=LONG) for how in WAYS[1:3]), WAYS[3]]
)
def test_a_home_mends_its_store_with_what_a_neighbour_holds(pair, how):
    _, ada, ben = pair
    ada("down")
    damage(ada, how, random.Random(how))
    found = ada.run("--json", "doctor")
    assert found.returncode == 1
    assert '"store", "state": "wrong"' in found.stdout
    kept = set(ada.path.glob("store.damaged-*"))
    recovered(ada, ben)
    is_lost = how in {"nothing left", "no store"}
    (repair,) = ada("status")["damage"]
    assert repair["code"] == ("store_was_lost" if is_lost else "store_was_rebuilt")
    assert ("lost" if is_lost else "damaged") in ada.text("status")
    assert (set(ada.path.glob("store.damaged-*")) == kept) == is_lost


def test_an_obstacle_is_said_and_nothing_is_taken_for_damaged(pair):
    """The node does not start, says why, and starts when nothing is in the way any more."""
    _, ada, ben = pair
    ada("down")
    before = ada.store.read_bytes()
    kept = set(ada.path.glob("store.damaged-*"))
    with ada.database(write=True) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert "Another program uses the store" in ada.refused("up")
    for path, code in ((ada.store, 1), (ada.path / "signed", 0)):
        path.rename(ada.path / "elsewhere")
        path.mkdir()  # not even the system's administrator can open it
        assert path.name in ada.refused("up")
        assert ada.run("doctor").returncode == code
        path.rmdir()
        (ada.path / "elsewhere").rename(path)
    assert ada.store.read_bytes() == before
    assert set(ada.path.glob("store.damaged-*")) == kept
    recovered(ada, ben)
    assert ada("status")["damage"] == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(30))
def test_bits_and_cuts_at_many_places(pair, seed):
    _, ada, ben = pair
    dice = random.Random(seed)
    ada("down")
    damage(ada, WAYS[seed % 2], dice)
    recovered(ada, ben)


@pytest.mark.parametrize(
    "how", ["cut", *(pytest.param(how, marks=LONG) for how in ("flipped", "gone"))]
)
def test_a_write_ahead_log_that_is_damaged_after_a_kill(pair, how):
    """The home loses the records in its write-ahead log. Its device does not use the numbers of the
    lost records again.
    """
    _, ada, ben = pair
    dice = random.Random(how)
    ada("down")
    ada("up")
    eventually(lambda: ada("status")["peers"], "nobody there")
    posted = [ada.post("request", "--title", f"Late {n}", "--minutes", "30") for n in range(5)]
    ben.has(*posted)
    ada.kill()
    wal = ada.path / "store.db-wal"
    size = eventually(lambda: wal.stat().st_size, "no log")
    match how:
        case "cut":
            wal.write_bytes(wal.read_bytes()[: size // 3])
        case "flipped":
            data = bytearray(wal.read_bytes())
            data[dice.randrange(size // 4, size // 2)] ^= 16
            wal.write_bytes(data)
        case "gone":
            wal.unlink()
    recovered(ada, ben)
    ada.has(*posted)


def test_a_home_alone_does_not_sign_what_it_may_have_signed_before(pair):
    one, ada, ben = pair
    agree(ada, ben)
    cem = one.newcomer(ada, "Cem")
    agree(ada, cem)
    for home in (ada, ben, cem):
        home("down")
    before = {path.name: path.read_bytes() for path in cem.path.glob("store.db*")}
    cem("up")
    lost = cem.post("request", "--title", "Nobody has heard this", "--minutes", "30")
    cem("down")
    for path in cem.path.glob("store.db*"):
        path.unlink()
    for name, data in before.items():
        (cem.path / name).write_bytes(data)
    cem("up")
    said = cem.refused("post", "request", "--title", "x", "--minutes", "30")
    assert "lost what this home signed" in said
    assert "meshcoop certify" in said
    assert cem.refused("show", lost)
    found = cem.run("doctor")
    assert found.returncode == 1
    assert "signs nothing" in found.stdout
    ada("up")
    ben("up")


def fill(path):
    with suppress(OSError), path.open("ab", buffering=0) as filler:
        while filler.write(bytes(4096)):
            pass


def test_a_full_disk_is_said_and_endured(pair, tmp_path):
    """The store lies in a small file system of its own, if this machine lets us mount one."""

    one, ada, _ = pair
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small file system here: {mounted.stderr.decode().strip()}")
    try:
        dot = one.newcomer(ada, "Dot")
        dot("down")
        moved = small / "dot"
        shutil.copytree(dot.path, moved, ignore=shutil.ignore_patterns("run", "lock"))
        moved.chmod(0o700)
        dot.path = moved
        dot("up")
        fill(small / "filler")
        said = ""
        for n in range(60):
            done = dot.run(
                "post", "request", "--title", f"Wish {n}", "--text", "x" * 900, "--minutes", "30"
            )
            if done.returncode:
                said = done.stderr
                break
        assert "make room" in said
        assert "Traceback" not in said
        assert dot("status")["ready"]
        assert dot.run("doctor").returncode == 1
        # Records that a neighbour writes meanwhile arrive when the disk has room again.
        theirs = ada.post("request", "--title", "From a neighbour", "--minutes", "30")
        (small / "filler").unlink()
        dot.has(theirs)
        mine = dot.post("request", "--title", "Room again", "--minutes", "30")
        ada.has(mine)
        dot("down")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
