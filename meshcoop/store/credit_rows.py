"""The table of credits: minutes that somebody gave and somebody received, by record."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS credits (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL, kind TEXT NOT NULL, created INTEGER NOT NULL,
    day TEXT, giver BLOB NOT NULL, receiver BLOB NOT NULL, minutes INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS credits_by_giver ON credits (giver, kind = 'thanks', minutes);
CREATE INDEX IF NOT EXISTS credits_by_receiver ON credits (receiver, kind = 'thanks', minutes);
"""
_SUMS = "SELECT {0}, kind = 'thanks', sum(minutes) FROM credits GROUP BY {0}, kind = 'thanks'"


class CreditRows:
    """The stored credits of a home, in the store's own transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Makes the table, where it is missing."""
        for statement in _SCHEMA.split(";"):  # one by one, or the transaction would end
            self._db.execute(statement)

    def drop(self) -> None:
        """Removes the table with all that is in it."""
        self._db.execute("DROP TABLE IF EXISTS credits")

    def sums(self, side: Literal["giver", "receiver"]) -> Iterator[tuple[bytes, bool, int]]:
        """The person on this side, whether it was a gift, and the sum of the minutes."""
        return (
            (person, bool(is_gift), minutes)
            for person, is_gift, minutes in self._db.execute(_SUMS.format(side))
        )

    def of_person(self, person: bytes) -> Iterator[tuple[Any, ...]]:
        """A person's credits, in the order in which they were written down: id, kind, created, day,
        giver, receiver and minutes of each.
        """
        return self._db.execute(
            "SELECT id, kind, created, day, giver, receiver, minutes FROM credits"
            " WHERE giver = ?1 OR receiver = ?1 ORDER BY created, id",
            (person,),
        )

    def receipts(self) -> Iterator[tuple[bytes, str]]:
        """The receiver and the day of every receipt that names a day."""
        return self._db.execute(
            "SELECT receiver, day FROM credits WHERE kind = 'receipt' AND day NOT NULL"
        )

    def add(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Adds credits: the row of the record, then the columns that `of_person` reads."""
        self._db.executemany("INSERT INTO credits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def remove(self, n: int) -> None:
        """Removes the credit of the record in row `n`, if it has one."""
        self._db.execute("DELETE FROM credits WHERE n = ?", (n,))
