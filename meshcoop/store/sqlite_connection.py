"""The only place where a database file is opened."""

import sqlite3
from pathlib import Path

Connection = sqlite3.Connection

# Ids are random, so new ones change pages all over the index. The more is written at once, the fewer
# pages are written twice.
_WAL_PAGES = 4000  # some 16 MB


def open_to_write(path: Path | str) -> Connection:
    """Opens the store at `path`, and makes it if there is none. `:memory:` is a store without a
    file.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    connection.execute("PRAGMA secure_delete = ON")  # erased content leaves no trace in free pages
    return connection


def open_to_read(path: Path) -> Connection:
    """Opens an existing store to read only. Raises StoreError."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
