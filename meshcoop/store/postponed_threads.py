"""The table of threads that wait to be folded again.

A thread waits because one of its records has a time ahead of this home's clock, or because there is
too much to fold at once.
"""

from collections.abc import Iterable

from meshcoop.store.database import Database

_SCHEMA = "CREATE TABLE IF NOT EXISTS held (root INTEGER PRIMARY KEY, due INTEGER NOT NULL)"


class PostponedThreads:
    """The table of waiting threads. It maps the row of each thread's root to the time (ms) at which
    the thread is to be folded.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SCHEMA)

    def add(self, root: int, due: int) -> None:
        """Postpones a thread until the time `due` (ms). If it is postponed to an earlier time
        already, that earlier time stays.
        """
        self._db.execute(
            "INSERT INTO held VALUES (?1, ?2) ON CONFLICT DO UPDATE SET due = min(due, ?2)",
            (root, due),
        )

    def add_due(self, roots: Iterable[int]) -> None:
        """Notes threads that are to be folded as soon as possible."""
        self._db.executemany(
            "INSERT INTO held VALUES (?1, 0) ON CONFLICT DO UPDATE SET due = 0",
            ((root,) for root in roots),
        )

    def due(self, now: int) -> list[int]:
        """Returns the rows of the roots of threads to fold at the time `now` (ms), or earlier."""
        rows = self._db.execute("SELECT root FROM held WHERE due <= ?", (now,))
        return [row[0] for row in rows.fetchall()]

    def forget_due(self, now: int) -> None:
        """Deletes the threads that were to be folded at the time `now` (ms), or earlier."""
        self._db.execute("DELETE FROM held WHERE due <= ?", (now,))

    def forget(self, roots: Iterable[int]) -> None:
        """Deletes threads, whenever they were to be folded."""
        self._db.executemany("DELETE FROM held WHERE root = ?", ((root,) for root in roots))
