"""Opens database files. No other module opens one."""

import sqlite3
from pathlib import Path

from meshcoop.store.disk_errors import raise_disk_errors

Connection = sqlite3.Connection

# Ids are random, so new ids change pages all over the index. If SQLite writes more changes at once,
# it writes fewer pages twice.
_WAL_PAGES = 4000  # about 16 MB


def open_to_write(path: Path | str) -> Connection:
    """Opens the store at `path`. Creates the file if it is missing.

    The path `:memory:` means a store in memory, without a file. Raises Obstacle or Damaged if the
    store cannot be opened.
    """
    with raise_disk_errors():
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        # Erased content leaves no trace in free pages.
        connection.execute("PRAGMA secure_delete = ON")
    return connection


def open_to_read(path: Path) -> Connection:
    """Opens an existing store for reading only. Raises StoreError if that fails."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
