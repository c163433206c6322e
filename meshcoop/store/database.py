"""One database file, its transactions, and the notes that a home keeps about itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from meshcoop.store.disk_errors import disk_error_of, raise_disk_errors
from meshcoop.store.migrations import migrate
from meshcoop.store.sqlite_connection import open_to_write

_SCHEMA = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID"


class TransactionCache(Protocol):
    """A cache in front of a table. The cache remembers rows only while a transaction runs.

    At other times, another part of the program may write to the table.
    """

    def begin(self) -> None:
        """Starts to remember rows. The database calls this when a transaction has begun."""

    def flush(self) -> None:
        """Writes the cache's changes into the table. The database calls this just before the
        transaction ends.
        """

    def end(self) -> None:
        """Forgets all rows. The database calls this when the transaction has succeeded or
        failed.
        """


class Database:
    """An open database file. Other classes of this package create their tables in it."""

    def __init__(self, path: Path | str, key: bytes | None = None) -> None:
        """Opens the file with its key. A database in memory has no key. Raises Obstacle or Damaged
        if the file cannot be opened.
        """
        self.db = open_to_write(path, key)
        with raise_disk_errors():
            migrate(self.db)
            self.db.execute(_SCHEMA)
        self.is_writing = False  # a transaction is under way
        self.has_erased = False  # content was erased in the transaction under way
        self.failure_count = 0  # transactions that were taken back
        self._caches: list[TransactionCache] = []

    def close(self) -> None:
        """Closes the file."""
        self.db.close()

    def add_cache(self, cache: TransactionCache) -> None:
        """Registers a cache. From then on, the database tells this cache when a transaction begins
        and ends.
        """
        self._caches.append(cache)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Runs the block of a `with` statement as one transaction: all its changes are written, or
        nothing is.

        A transaction inside another transaction becomes a part of the outer one.

        With `durable`, the changes are on the disk when the block ends, and survive a power cut.
        Without `durable`, they survive if the process is killed, but a power cut may lose them.
        That is enough for records that a peer can send again.

        Raises Obstacle or Damaged if the disk fails.
        """
        if self.is_writing:
            yield
            return
        with raise_disk_errors():
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
            self.failure_count += 1
            if self.db.in_transaction:  # a full disk may have ended the transaction already
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
            # The write-ahead log still holds the erased bytes.
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def change_count(self) -> int:
        """The number of rows written since the file was opened. If this number is the same as
        before, nothing has changed.
        """
        return self.db.total_changes

    def read_note(self, name: str) -> object:
        """Returns the value of the note with this name, or None."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_note(self, name: str, value: object) -> None:
        """Writes a note: stores a value under a name, in place of the earlier value."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
