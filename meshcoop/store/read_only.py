"""Reads the file of a store without changing it. The store may be damaged."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from meshcoop.store.disk_errors import Obstacle, StatementError, StoreError, disk_error_of
from meshcoop.store.migrations import read_version
from meshcoop.store.sqlite_connection import Connection, open_to_read, open_to_write

DAMAGED = (StoreError, UnicodeDecodeError)  # damaged text raises UnicodeDecodeError

_NOTES = ("name", "arrival", "muted")  # notes that cannot be made again from records
# Tables that are not copied whole. Most are made again from records; for `meta`, see `_NOTES`.
_DERIVED = frozenset({"records", "logs", "parents", "held", "views", "credits", "meta", "arrived"})
_SHORTEST_RECORD = 200  # bytes
_MOST_ROWS = 50_000_000


@contextmanager
def skip_damage() -> Iterator[None]:
    """Runs the block of a `with` statement, which reads a store. If the block meets damage, the
    block ends without an error. Raises Obstacle if the store cannot be read now.
    """
    try:
        yield
    except DAMAGED as error:
        raise_obstacle(error)


def raise_obstacle(error: Exception) -> None:
    """Raises Obstacle if an error shows that something keeps the store from being read. Such an
    error must not be taken for damage, because no data is lost.
    """
    disk_error = disk_error_of(error)
    if isinstance(disk_error, Obstacle):
        raise disk_error from error


class RecordParts(NamedTuple):
    """The parts of the record in row `n`. In a damaged store, any part may be of any type."""

    n: int
    id: Any
    header: Any
    signature: Any
    content: Any


class ReadOnlyStore:
    """The file of a store, open for reading.

    If the file is damaged or cannot be read now, methods raise one of the exceptions in DAMAGED.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._db = open_to_read(path, key)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def problems(self, limit: int) -> list[str]:
        """Returns at most `limit` faults that SQLite finds in the file."""
        answers = [row[0] for row in self._db.execute(f"PRAGMA integrity_check({limit})")]
        return [] if answers == ["ok"] else answers

    @property
    def is_unfinished(self) -> bool:
        """Whether a process was killed while it made this store. Such a store has no table of
        records and no notes. Nothing was ever stored in it.
        """
        names = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master")}
        if "records" in names:
            return False
        return "meta" not in names or not self._db.execute("SELECT 1 FROM meta").fetchone()

    def count(self) -> int:
        """Counts the records."""
        count: int = self._db.execute("SELECT count(*) FROM records").fetchone()[0]
        return count

    def records(self) -> Iterator[RecordParts]:
        """Yields the parts of each record: its row, id, header, signature and content."""
        rows = self._db.execute("SELECT n, id, header, signature, content FROM records")
        return (RecordParts(*row) for row in rows)

    def record(self, n: int) -> RecordParts | None:
        """Returns the parts of the record in row `n`, or None if the row is empty."""
        row = self._db.execute(
            "SELECT n, id, header, signature, content FROM records WHERE n = ?", (n,)
        ).fetchone()
        return RecordParts(*row) if row else None

    def last_row(self) -> int:
        """Returns the highest row number of a record.

        If the table cannot be read, returns the highest row number that a file of the store's size
        could have. If the size cannot be read either, returns 0.
        """
        last = None
        with skip_damage():
            last = self._db.execute("SELECT coalesce(max(n), 0) FROM records").fetchone()[0]
        if last is not None:
            return int(last)
        size = 0
        with skip_damage():
            pages = self._db.execute("PRAGMA page_count").fetchone()[0]
            size = int(pages) * int(self._db.execute("PRAGMA page_size").fetchone()[0])
        return min(size // _SHORTEST_RECORD, _MOST_ROWS)

    def failed_threads(self) -> list[str]:
        """Returns an error for each thread that the program failed to fold."""
        with suppress(StatementError):  # the table may be missing
            return [row[0] for row in self._db.execute("SELECT error FROM failed ORDER BY error")]
        return []

    def newer_counts(self) -> dict[str, int]:
        """Counts the records of kinds that this program does not know. Returns a count for each
        such kind.
        """
        with suppress(StatementError):  # the table may be missing
            query = "SELECT kind, count(*) FROM newer GROUP BY kind ORDER BY kind"
            return dict(self._db.execute(query).fetchall())
        return {}

    def head_times(self) -> list[int]:
        """Returns the time (ms) at which the last record of each log was signed."""
        return [time for (time,) in self._db.execute("SELECT time FROM logs")]

    def last_meeting(self) -> int | None:
        """Returns the time (ms) at which this node last met a member's home. Returns None if there
        was no meeting.
        """
        with suppress(StatementError):  # the table may be missing
            time: int | None = self._db.execute("SELECT max(met) FROM addresses").fetchone()[0]
            return time if time and time > 1 else None
        return None

    def copy_to(self, path: Path, key: bytes) -> None:
        """Copies into a new store everything that cannot be made again from records: network
        addresses, invitations, sealed street addresses and notes. Leaves out what cannot be read.

        The tables keep their shape, and the new store gets the old store's version. So the new
        store can be migrated like the old store.
        """
        with closing(open_to_write(path, key)) as new:
            new.execute("BEGIN IMMEDIATE")
            if read_version(new):
                return  # a process that was killed later has copied all of it
            new.execute(f"PRAGMA user_version = {read_version(self._db)}")
            for table, condition in self._kept_tables():
                with skip_damage():
                    self._copy_table(new, table, condition)
            new.execute("COMMIT")

    def _kept_tables(self) -> list[tuple[str, str]]:
        """Returns the tables that `copy_to` copies. Each table comes with a condition: only rows
        that meet it are copied.
        """
        names = self._db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT NULL"
        )
        whole = [
            (name, "true")
            for (name,) in names.fetchall()
            if name not in _DERIVED and not name.startswith(("sqlite_", "search"))
        ]
        return [("meta", f"name IN {_NOTES}"), *whole]

    def _copy_table(self, new: Connection, name: str, condition: str) -> None:
        find = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
        new.execute(self._db.execute(find, (name,)).fetchone()[0])
        rows = f'SELECT * FROM "{name}" WHERE {condition}'  # noqa: S608 -- its own name
        for row in self._db.execute(rows):
            marks = ",".join("?" * len(row))
            new.execute(f'INSERT OR IGNORE INTO "{name}" VALUES ({marks})', row)  # noqa: S608
