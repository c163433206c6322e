"""Measures how much room a relay's records take on the disk. Also deletes sealed contents, which a
relay need not keep.
"""

from collections.abc import Iterator

from meshcoop.store.database import Database
from protocol.record.envelope import Record

_SCHEMA = """
CREATE TABLE IF NOT EXISTS arrived (day INTEGER PRIMARY KEY, last INTEGER NOT NULL);
"""
_SIGNATURE = 64
_ROW = 200  # bytes that SQLite needs for a record's row and indexes, beside the record's own bytes
_SIZE = f"length(header) + {_SIGNATURE} + coalesce(length(content), 0) + {_ROW}"
_BETWEEN = "n > ? AND n <= ? AND NOT open AND content NOT NULL"


def stored_size(record: Record) -> int:
    """Returns how many bytes a record takes in the store."""
    return len(record.header_bytes) + _SIGNATURE + len(record.content or b"") + _ROW


class RelayedContent:
    """The records of one neighbourhood at a relay. The rows of the table are in the order of
    arrival.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def used(self) -> int:
        """Returns how many bytes all records take."""
        row = self._db.execute(f"SELECT coalesce(sum({_SIZE}), 0) FROM records").fetchone()  # noqa: S608
        return int(row[0])

    def count_missing(self, last: int) -> int:
        """Counts those sealed records up to row `last` whose content is not here."""
        row = self._db.execute(
            "SELECT count(*) FROM records WHERE n <= ? AND NOT open AND content IS NULL", (last,)
        ).fetchone()
        return int(row[0])

    def last_row(self) -> int:
        """Returns the row of the record that arrived last, or 0 if there is no record."""
        return self._db.execute("SELECT max(n) FROM records").fetchone()[0] or 0

    def note_arrival(self, day: int, last: int) -> None:
        """Notes that all records up to row `last` arrived on this day or before. Days are counted
        from 1970.
        """
        self._db.execute("INSERT OR REPLACE INTO arrived VALUES (?, ?)", (day, last))

    def last_row_before(self, day: int) -> int:
        """Returns the row of the last record that arrived before this day. Returns 0 if no record
        arrived before it.
        """
        row = self._db.execute("SELECT max(last) FROM arrived WHERE day < ?", (day,)).fetchone()
        return row[0] or 0

    def content_sizes(self, after: int) -> Iterator[tuple[int, int]]:
        """Yields (row, size of the content in bytes) for the sealed records in rows above `after`.
        Leaves out records whose content is not here.
        """
        return self._db.execute(
            "SELECT n, length(content) FROM records"
            " WHERE n > ? AND NOT open AND content NOT NULL ORDER BY n",
            (after,),
        )

    def let_go(self, after: int, last: int) -> int:
        """Deletes the sealed contents of the rows above `after`, up to and including the row
        `last`. Returns how many bytes were deleted.
        """
        limits = (after, last)
        row = self._db.execute(
            f"SELECT coalesce(sum(length(content)), 0) FROM records WHERE {_BETWEEN}",  # noqa: S608
            limits,
        ).fetchone()
        self._db.execute(f"UPDATE records SET content = NULL WHERE {_BETWEEN}", limits)  # noqa: S608
        return int(row[0])
