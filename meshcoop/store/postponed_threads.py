"""The table of threads that wait to be folded again. Each has a record
whose time is ahead of this home's clock.
"""

from meshcoop.store.database import Database

_SCHEMA = "CREATE TABLE IF NOT EXISTS held (root INTEGER PRIMARY KEY, due INTEGER NOT NULL)"


class PostponedThreads:
    """The rows of the roots of threads, each with the time (ms) at which its thread is due."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SCHEMA)

    def add(self, root: int, due: int) -> None:
        """Postpones a thread until `due` (ms). If the thread has an earlier time already, that time
        stays.
        """
        self._db.execute(
            "INSERT INTO held VALUES (?1, ?2) ON CONFLICT DO UPDATE SET due = min(due, ?2)",
            (root, due),
        )

    def due(self, now: int) -> list[int]:
        """Returns the roots of the threads that are due at `now` (ms)."""
        rows = self._db.execute("SELECT root FROM held WHERE due <= ?", (now,))
        return [row[0] for row in rows.fetchall()]

    def forget_due(self, now: int) -> None:
        """Deletes the threads that are due at `now` (ms)."""
        self._db.execute("DELETE FROM held WHERE due <= ?", (now,))
