"""The table of credits. A row has the minutes that a record moves, the giver and the receiver. One
record can have several rows.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from meshcoop.store.database import Database
from meshcoop.store.sqlite_connection import run_statements

_SCHEMA = """
CREATE TABLE IF NOT EXISTS credits (
    n INTEGER NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL, created INTEGER NOT NULL, day TEXT,
    giver BLOB NOT NULL, receiver BLOB NOT NULL, minutes INTEGER NOT NULL, is_gift INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS credits_by_record ON credits (n);
CREATE INDEX IF NOT EXISTS credits_by_giver ON credits (giver, is_gift, minutes);
CREATE INDEX IF NOT EXISTS credits_by_receiver ON credits (receiver, is_gift, minutes);
"""
_SUMS = "SELECT {0}, is_gift, sum(minutes) FROM credits GROUP BY {0}, is_gift"


class CreditRows:
    """The table of a home's credits. Callers must begin a transaction of the store before they
    change the table.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Creates the table if it is missing."""
        run_statements(self._db, _SCHEMA)

    def drop(self) -> None:
        """Removes the table and all its rows."""
        self._db.execute("DROP TABLE IF EXISTS credits")

    def sums(self, side: Literal["giver", "receiver"]) -> Iterator[tuple[bytes, bool, int]]:
        """Yields sums of minutes as tuples (person, whether the minutes were a gift, sum).

        `side` says whether the person of a tuple is the giver or the receiver.
        """
        return (
            (person, bool(is_gift), minutes)
            for person, is_gift, minutes in self._db.execute(_SUMS.format(side))
        )

    def of_person(self, person: bytes) -> Iterator[tuple[Any, ...]]:
        """Yields all credits that a person gave or received, the earliest first.

        A credit is a tuple: id, kind, time of creation, day, giver, receiver, minutes, and 1 if the
        minutes are a gift.
        """
        return self._db.execute(
            "SELECT id, kind, created, day, giver, receiver, minutes, is_gift FROM credits"
            " WHERE giver = ?1 OR receiver = ?1 ORDER BY created, id, rowid",
            (person,),
        )

    def receipts(self) -> Iterator[tuple[bytes, str]]:
        """Yields (receiver, day) for each credit that names a day. Leaves out gifts."""
        return self._db.execute(
            "SELECT receiver, day FROM credits WHERE day NOT NULL AND NOT is_gift"
        )

    def add(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Adds credits. A credit here is the row number of its record, followed by the values that
        `of_person` yields.
        """
        self._db.executemany("INSERT INTO credits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def remove(self, n: int) -> None:
        """Removes the credits of the record in row `n`, if it has any."""
        self._db.execute("DELETE FROM credits WHERE n = ?", (n,))
