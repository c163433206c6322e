"""Opens the encrypted stores of tests as their nodes do not: to look at rows, or to change them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from meshcoop.store.sqlite_connection import STORE_KEY_SIZE, Connection, open_to_read, open_to_write

STORE_KEY = bytes(range(STORE_KEY_SIZE))  # of the stores that tests make by themselves


@contextmanager
def open_rows(path: Path, key: bytes = STORE_KEY, *, write: bool = False) -> Iterator[Connection]:
    """Opens a store, within the block of a `with` statement."""
    with closing(open_to_write(path, key) if write else open_to_read(path, key)) as db:
        yield db


def stored_values(path: Path, key: bytes = STORE_KEY) -> bytes:
    """Returns all texts and bytes in the rows of a store, one after the other: what somebody finds
    who has the key.
    """
    with open_rows(path, key) as db:
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        rows = [row for (table,) in tables for row in db.execute(f'SELECT * FROM "{table}"')]
    values = [value.encode() if isinstance(value, str) else value for row in rows for value in row]
    return b"\n".join(value for value in values if isinstance(value, bytes))


def files_and_rows(folder: Path, key: bytes) -> dict[str, bytes]:
    """Returns what lies in each file of a home, and behind that what its rows hold, if the file is
    a store.
    """
    written = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            values = stored_values(path, key) if path.suffix == ".db" else b""
            written[str(path.relative_to(folder))] = path.read_bytes() + values
    return written
