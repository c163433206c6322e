"""The table of records whose kinds this program does not know. These kinds are newer than the
program.
"""

from collections.abc import Iterable

from meshcoop.store.database import Database
from meshcoop.store.sqlite_connection import run_statements

_SCHEMA = """
CREATE TABLE IF NOT EXISTS newer (
    n INTEGER PRIMARY KEY, root INTEGER NOT NULL, kind TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS newer_by_root ON newer (root);
"""


class NewerRows:
    """The table of records of unknown kinds. Callers must begin a transaction of the store before
    they change the table.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Creates the table if it is missing."""
        run_statements(self._db, _SCHEMA)

    def drop(self) -> None:
        """Removes the table and all its rows."""
        self._db.execute("DROP TABLE IF EXISTS newer")

    def counts(self) -> dict[str, int]:
        """Counts the records of each unknown kind. Returns a map from the name of the kind to the
        count.
        """
        rows = self._db.execute("SELECT kind, count(*) FROM newer GROUP BY kind ORDER BY kind")
        return dict(rows.fetchall())

    def add(self, root: int, rows: Iterable[tuple[int, str]]) -> None:
        """Adds records of the thread whose root is in the row `root`.

        A record is given as a pair: its row, and the name of its kind.
        """
        self._db.executemany(
            "INSERT INTO newer VALUES (?, ?, ?)", [(n, root, kind) for n, kind in rows]
        )

    def remove_thread(self, root: int) -> None:
        """Removes the records of a thread from the table, if there are any."""
        self._db.execute("DELETE FROM newer WHERE root = ?", (root,))

    def remove_rows(self, rows: Iterable[int]) -> None:
        """Removes the records in these rows from the table."""
        self._db.executemany("DELETE FROM newer WHERE n = ?", [(n,) for n in rows])
