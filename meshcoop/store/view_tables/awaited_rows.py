"""The table of answers that views wait for. A row says which answer is awaited, and from which
person or crowd. There are two crowds: the voters and the moderators.
"""

from collections.abc import Iterable
from typing import NamedTuple

from meshcoop.store.database import Database
from meshcoop.store.sqlite_connection import run_statements

_SCHEMA = """
CREATE TABLE IF NOT EXISTS awaited (
    n INTEGER NOT NULL, root INTEGER NOT NULL, person BLOB, crowd TEXT,
    answer TEXT NOT NULL, about BLOB NOT NULL, since TEXT, until TEXT
);
CREATE INDEX IF NOT EXISTS awaited_by_root ON awaited (root);
CREATE INDEX IF NOT EXISTS awaited_by_row ON awaited (n);
CREATE INDEX IF NOT EXISTS awaited_by_person ON awaited (person) WHERE person NOT NULL;
CREATE INDEX IF NOT EXISTS awaited_by_crowd ON awaited (crowd) WHERE crowd NOT NULL;
"""

_INSERT = """
INSERT INTO awaited (n, root, person, crowd, answer, about, since, until)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

_SELECT = """
SELECT records.id, awaited.answer, awaited.about, awaited.since, awaited.until
FROM awaited JOIN records ON records.n = awaited.n WHERE {0} = ? ORDER BY awaited.n, awaited.rowid
"""

# The id of the waiting view, the kind of the answer, the record to answer, since, until.
FoundRow = tuple[bytes, str, bytes, str | None, str | None]


class AwaitedRow(NamedTuple):
    """An answer that the view in row `n` waits for. `root` is the row of the root of the view's
    thread.

    The view waits either for `person` or for `crowd`. The other field is None. `answer` is the kind
    of the record that gives the answer. `about` is the id of the record that has to be answered.
    """

    n: int
    root: int
    person: bytes | None
    crowd: str | None
    answer: str
    about: bytes
    since: str | None
    until: str | None


class AwaitedRows:
    """The table of the answers that the views of a home wait for. Callers must begin a transaction
    of the store before they change the table.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Creates the table if it is missing."""
        run_statements(self._db, _SCHEMA)

    def drop(self) -> None:
        """Removes the table and all its rows."""
        self._db.execute("DROP TABLE IF EXISTS awaited")

    def of_person(self, person: bytes) -> list[FoundRow]:
        """Returns the answers that views await from a person. The answers are in the order in which
        the views' records arrived.
        """
        return self._db.execute(_SELECT.format("person"), (person,)).fetchall()

    def of_crowd(self, crowd: str) -> list[FoundRow]:
        """Returns the answers that views await from a crowd. The answers are in the order in which
        the views' records arrived.
        """
        return self._db.execute(_SELECT.format("crowd"), (crowd,)).fetchall()

    def add(self, rows: Iterable[AwaitedRow]) -> None:
        """Adds answers to the table."""
        self._db.executemany(_INSERT, rows)

    def remove_thread(self, root: int) -> None:
        """Removes all answers that the views of a thread wait for."""
        self._db.execute("DELETE FROM awaited WHERE root = ?", (root,))

    def remove_rows(self, rows: Iterable[int]) -> None:
        """Removes the answers that the records in these rows wait for."""
        self._db.executemany("DELETE FROM awaited WHERE n = ?", [(n,) for n in rows])
