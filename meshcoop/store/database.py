"""One database file: its transactions, and the notes that a home keeps about itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from meshcoop.store.disk_errors import disk_error_of
from meshcoop.store.sqlite_connection import open_to_write

_SCHEMA = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID"


class TransactionCache(Protocol):
    """A cache in front of a table. It may remember only while a transaction runs, because others
    write to the table at any other time.
    """

    def begin(self) -> None:
        """Begins to remember: a transaction has begun."""

    def flush(self) -> None:
        """Writes into the table what only the cache knows: the transaction is about to end."""

    def end(self) -> None:
        """Forgets everything: the transaction has ended, well or badly."""


class Database:
    """An open database file. The tables of this package are kept in one."""

    def __init__(self, path: Path | str) -> None:
        self.db = open_to_write(path)
        self.db.execute(_SCHEMA)
        self.is_writing = False  # a transaction is under way
        self.has_erased = False  # content was erased in the transaction under way
        self._caches: list[TransactionCache] = []

    def close(self) -> None:
        """Ends the use of the file."""
        self.db.close()

    def add_cache(self, cache: TransactionCache) -> None:
        """Lets a cache know when transactions begin and end."""
        self._caches.append(cache)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Writes all that happens in the block, or nothing of it. A transaction within another one
        is a part of that.

        With `durable` it is on the disk when the block ends, power loss included; without, it
        survives a killed process: that is enough for what can be fetched again from a peer.

        Raises NoRoom or Damaged where the disk fails.
        """
        if self.is_writing:
            yield
            return
        self.db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.db.execute("BEGIN IMMEDIATE")
        self.is_writing = True
        try:
            for cache in self._caches:
                cache.begin()
            yield
            for cache in self._caches:
                cache.flush()
            self.db.execute("COMMIT")
        except BaseException as error:
            if self.db.in_transaction:  # a full disk may have ended it already
                self.db.execute("ROLLBACK")
            disk_error = disk_error_of(error)
            if disk_error is not None:
                raise disk_error from error
            raise
        finally:
            self.is_writing = False
            for cache in self._caches:
                cache.end()
            must_purge = self.has_erased
            self.has_erased = False
        if must_purge:
            # The write-ahead log still holds what was erased.
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def change_count(self) -> int:
        """The number of rows written so far: while it is the same, nothing has changed."""
        return self.db.total_changes

    def read_note(self, name: str) -> object:
        """The value that this home has noted under a name, or None."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_note(self, name: str, value: object) -> None:
        """Notes a value under a name, in place of the one before."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
