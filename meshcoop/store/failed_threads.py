"""The table of threads that the program failed to fold because of a mistake in its code."""

from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = "CREATE TABLE IF NOT EXISTS failed (root INTEGER PRIMARY KEY, error TEXT NOT NULL)"


class FailedThread(NamedTuple):
    """A thread that the program failed to fold: the id of its root record, and the error as a line
    of text.
    """

    id: bytes
    error: str


class FailedThreads:
    """The table of failed threads. The row of a thread's root stands for the thread. Callers must
    begin a transaction of the store before they change the table.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Creates the table if it is missing."""
        self._db.execute(_SCHEMA)

    def drop(self) -> None:
        """Removes the table and all its rows. So the program tries each thread again."""
        self._db.execute("DROP TABLE IF EXISTS failed")

    def find(self, root: int) -> str | None:
        """Returns the error with which the last fold of a thread failed, or None if it did not
        fail.
        """
        row = self._db.execute("SELECT error FROM failed WHERE root = ?", (root,)).fetchone()
        return row[0] if row else None

    def all(self) -> list[FailedThread]:
        """Returns all failed threads, sorted by their roots' ids."""
        rows = self._db.execute(
            "SELECT records.id, error FROM failed JOIN records ON n = failed.root ORDER BY id"
        )
        return [FailedThread(*row) for row in rows.fetchall()]

    def note(self, root: int, error: str | None) -> None:
        """Notes the error with which a thread failed. The error None means that the thread was
        folded without a failure.
        """
        self._db.execute("DELETE FROM failed WHERE root = ?", (root,))
        if error is not None:
            self._db.execute("INSERT INTO failed VALUES (?, ?)", (root, error))
