"""The table of views that rely on people. An agreement, for example, relies on both parties. If one
of these people leaves, the view cannot go on (R-14.8).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from meshcoop.store.database import Database
from meshcoop.store.sqlite_connection import run_statements

_SCHEMA = """
CREATE TABLE IF NOT EXISTS relying (
    n INTEGER NOT NULL, root INTEGER NOT NULL, author BLOB NOT NULL, person BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS relying_by_row ON relying (n);
CREATE INDEX IF NOT EXISTS relying_by_root ON relying (root);
CREATE INDEX IF NOT EXISTS relying_by_author ON relying (author);
CREATE INDEX IF NOT EXISTS relying_by_person ON relying (person);
"""

_SELECT = """
SELECT DISTINCT records.id, relying.root, relying.person
FROM relying JOIN records ON records.n = relying.n
WHERE relying.n IN (
    SELECT n FROM relying WHERE author = ? UNION SELECT n FROM relying WHERE person = ?
)
ORDER BY relying.n
"""


class RelyingRow(NamedTuple):
    """A person on whom the view in row `n` relies. `root` is the row of the root of the view's
    thread. `author` is the author of the view.
    """

    n: int
    root: int
    author: bytes
    person: bytes


class RelyingRows:
    """The table of the people on whom the views of a home rely. Callers must begin a transaction of
    the store before they change the table.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Creates the table if it is missing."""
        run_statements(self._db, _SCHEMA)

    def drop(self) -> None:
        """Removes the table and all its rows."""
        self._db.execute("DROP TABLE IF EXISTS relying")

    def concerning(self, person: bytes) -> Iterator[tuple[bytes, int, bytes]]:
        """Yields the views that a person wrote, and the views that rely on this person.

        Each item has three values: the view's id, the row of its thread's root, and a person on
        whom the view relies.
        """
        return self._db.execute(_SELECT, (person, person))

    def add(self, rows: Iterable[RelyingRow]) -> None:
        """Adds rows, each with a view and a person on whom the view relies."""
        self._db.executemany("INSERT INTO relying VALUES (?, ?, ?, ?)", rows)

    def remove_thread(self, root: int) -> None:
        """Removes all rows of a thread's views."""
        self._db.execute("DELETE FROM relying WHERE root = ?", (root,))

    def remove_rows(self, rows: Iterable[int]) -> None:
        """Removes from the table the views of the records in these rows."""
        self._db.executemany("DELETE FROM relying WHERE n = ?", [(n,) for n in rows])
