"""The names of a relay's stores tell nothing, and older names are replaced whenever the process is
killed (R-01.28c).
"""

import subprocess
import sys

import pytest

from meshcoop.home.served_names import ServedNames, find_served_stores
from tests.support.stores import STORE_KEY

IDS = (bytes(range(32)), bytes(range(1, 33)))
OTHER_KEY = bytes(48)

# Kills one process after the other, each before its next rename, until one renames everything.
# After each kill it prints how many stores and how many write-ahead logs have their older names.
KILLER = """
import os, signal, sys
from pathlib import Path
from meshcoop.home.served_names import ServedNames
from tests.support.stores import STORE_KEY

rename = Path.rename

def rename_traced(path, target):
    os.kill(os.getpid(), signal.SIGKILL) if next(left, None) is None else rename(path, target)

while True:
    child = os.fork()
    if child == 0:
        left = iter(range(1))
        Path.rename = rename_traced
        ServedNames(Path(sys.argv[1]), STORE_KEY).rename_older()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    older = {file.name for file in Path(sys.argv[1]).iterdir() if file.name.index(".") == 64}
    logs = {name.removesuffix("-wal") for name in older if name.endswith("-wal")}
    stores = {name for name in older if name.endswith(".db")}
    print(len(stores), len(logs), logs <= stores)
    if os.WIFEXITED(status):
        sys.exit(os.WEXITSTATUS(status))
"""


@pytest.fixture
def older(tmp_path):
    """A folder as an older program left it: two stores with their logs, and a damaged copy."""
    for number in IDS:
        for ending in (".db", ".db-wal", ".db-shm", ".mending.db", ".mending.db-wal"):
            (tmp_path / f"{number.hex()}{ending}").write_text(f"{number[0]}{ending}")
        copy = tmp_path / f"{number.hex()}.damaged-20261128-120000"
        copy.mkdir()
        (copy / f"{number.hex()}.db").write_text(f"{number[0]}.db in a copy")
    return tmp_path


def test_a_name_leads_back_to_its_neighbourhood_with_the_key_only(tmp_path):
    names = ServedNames(tmp_path, STORE_KEY)
    path = names.path_of(IDS[0])
    path.touch()

    assert path == ServedNames(tmp_path, STORE_KEY).path_of(IDS[0])
    assert find_served_stores(tmp_path) == [path]
    assert names.neighbourhood_of(path) == IDS[0]
    assert ServedNames(tmp_path, OTHER_KEY).neighbourhood_of(path) is None


@pytest.mark.parametrize(
    "name", ["", ".db", "store.db", "aaaaaaaa.db", "é.db", "1.db", "a" * 116 + ".db"]
)
def test_a_name_of_something_else_leads_to_no_neighbourhood(tmp_path, name):
    assert ServedNames(tmp_path, STORE_KEY).neighbourhood_of(tmp_path / name) is None


def test_names_of_one_neighbourhood_at_two_relays_have_nothing_in_common(tmp_path):
    """Attacker: a thief of the disks of two relays. Asset: who belongs."""
    first = ServedNames(tmp_path, STORE_KEY).path_of(IDS[0]).stem
    second = ServedNames(tmp_path, OTHER_KEY).path_of(IDS[0]).stem
    pieces = {first[start : start + 8] for start in range(len(first) - 7)}

    assert not [piece for piece in pieces if piece in second]
    assert not [piece for piece in pieces if piece in IDS[0].hex()]


def test_everything_of_a_neighbourhood_gets_its_new_name(older):
    names = ServedNames(older, STORE_KEY)
    names.rename_older()

    for path in older.rglob("*"):
        assert not [number for number in IDS if number.hex()[:9] in path.name]
    for number in IDS:
        files = names.files_of(number)
        assert len(files) == 6
        assert files[-1] == names.path_of(number)
        assert files[-1].read_text() == f"{number[0]}.db"
    assert find_served_stores(older) == sorted(map(names.path_of, IDS))


def test_a_killed_process_leaves_no_store_without_its_log(older):
    before = sorted(file.read_text() for file in older.rglob("*") if file.is_file())
    command = [sys.executable, "-c", KILLER, str(older)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    states = done.stdout.splitlines()

    # A log may wait under its new name for its store. A store never waits for its log.
    assert all(state.endswith("True") for state in states)
    assert len(states) == len(IDS) * 7
    assert states[-1] == "0 0 True"
    assert sorted(file.read_text() for file in older.rglob("*") if file.is_file()) == before
    assert not [path for path in older.rglob("*") if IDS[0].hex() in path.name]
