"""The store is encrypted wherever its bytes go, and SQLCipher says nothing by itself (R-01.28)."""

import ast
import re
import subprocess
import sys
from contextlib import closing

import pytest

from meshcoop.cli.context import Context
from meshcoop.cli.main import run_command
from meshcoop.home import key_file
from meshcoop.home.folder import Home
from meshcoop.repair import integrity
from meshcoop.store.disk_errors import StoreError
from meshcoop.store.sqlite_connection import STORE_KEY_SIZE, open_to_read
from meshcoop.store.store import Store
from tests.support.house import product_files
from tests.support.paths import ROOT
from tests.support.stores import STORE_KEY, open_rows

OPENER = "meshcoop/store/sqlite_connection.py"
NAMES_ERRORS = "meshcoop/store/disk_errors.py"

# Each copies the pages of a store, or opens another file beside it. The copy is encrypted only if the
# connection that receives it has a key.
_CALLS = {"backup", "iterdump", "load_extension"}
_STATEMENTS = re.compile(
    r"\bVACUUM\s+INTO\b|\bATTACH\s+(?:DATABASE\b|['\"?:])|sqlcipher_export", re.IGNORECASE
)


def copies_of_stores(source):
    """Returns the ways in which a module copies a store to a place that may have no key."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in _CALLS:
                yield name
            case ast.Constant(value=str(text)) if _STATEMENTS.search(text):
                yield _STATEMENTS.search(text)[0]


def test_no_module_copies_a_store_but_the_one_that_gives_keys():
    copying = {
        str(path.relative_to(ROOT)): [*copies_of_stores(source)]
        for path in product_files()
        for source in [path.read_text(encoding="utf-8")]
        if _STATEMENTS.search(source) or any(name in source for name in _CALLS)  # parsing is slow
    }

    assert {path: ways for path, ways in copying.items() if ways and path != OPENER} == {}


def test_every_way_to_copy_a_store_is_found():
    source = (
        'db.execute("VACUUM INTO ?")\ndb.execute("vacuum\\n into \'x\'")\ndb.backup(other)\n'
        'db.execute("ATTACH DATABASE x AS y")\ndb.execute(f"attach \'{path}\' AS y")\n'
        "db.execute(\"SELECT sqlcipher_export('plain')\")\ndb.iterdump()\n\n"
    )

    assert len([*copies_of_stores(source)]) == 7


def test_one_module_opens_stores_and_one_names_their_errors():
    importing = {
        str(path.relative_to(ROOT))
        for path in product_files()
        if re.search(r"^\s*(?:from|import) (?:sqlcipher3|sqlite3)", path.read_text(), re.MULTILINE)
    }

    assert importing == {OPENER, NAMES_ERRORS}


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:5000])


def leave(_path):
    pass


@pytest.mark.parametrize("harm", [damage, cut, leave])
def test_nothing_reaches_standard_error_whatever_is_wrong_with_a_store(tmp_path, capfd, harm):
    """SQLCipher has a log of its own. It would name the file, and the page that is damaged."""
    path = tmp_path / "store.db"
    Store(path, STORE_KEY).close()
    harm(path)
    integrity.find_faults(path, STORE_KEY)
    with pytest.raises(StoreError), closing(open_to_read(path, bytes(STORE_KEY_SIZE))) as db:
        db.execute("SELECT * FROM meta").fetchall()
    output = capfd.readouterr()

    assert (output.out, output.err) == ("", "")


def test_without_the_setting_sqlcipher_would_say_something(tmp_path):
    """Else the test before this one would prove nothing."""
    path = tmp_path / "store.db"
    Store(path, STORE_KEY).close()
    program = (
        "import sys; from sqlcipher3 import dbapi2 as driver\n"
        "db = driver.connect(sys.argv[1])\n"
        "db.execute(\"PRAGMA key = 'wrong'\")\n"
        "try: db.execute('SELECT * FROM meta')\n"
        "except driver.DatabaseError: pass\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "sqlcipher" in done.stderr


def test_temporary_data_stays_in_memory(tmp_path):
    Store(tmp_path / "store.db", STORE_KEY).close()
    with open_rows(tmp_path / "store.db") as db:
        options = {row[0] for row in db.execute("PRAGMA compile_options")}

    assert options & {"TEMP_STORE=2", "TEMP_STORE=3"}


def test_a_home_without_a_passphrase_has_its_store_encrypted_by_the_key_in_its_open_file(tmp_path):
    """Attacker: a thief of a store, but not of the key file. Asset: words and names."""
    home = Home(tmp_path / "home")
    words = ["found", "Marmalade Crescent", "--as", "Adalgisa", "--without-passphrase"]
    run_command(words, Context(home, json=True))
    keys = key_file.unlock_key_file(home.key_file, None).keys

    assert home.key_file.stat().st_mode & 0o777 == 0o600
    assert not key_file.is_locked(home.key_file)
    for file in home.path.glob("store.db*"):
        assert not [
            word for word in (b"Marmalade", b"Adalgisa", b"SQLite") if word in file.read_bytes()
        ]
    with open_rows(home.store_file, keys.store_key) as db:
        assert db.execute("SELECT count(*) FROM records").fetchone()[0] > 0
    for wrong in (bytes(STORE_KEY_SIZE), keys.store_key[::-1]):
        with pytest.raises(StoreError), open_rows(home.store_file, wrong) as db:
            db.execute("SELECT * FROM records").fetchall()
