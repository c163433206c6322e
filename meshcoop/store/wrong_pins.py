"""The table of wrong PINs. A home counts them on the disk, for each device of a guest."""

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS wrong_pins (
    device BLOB PRIMARY KEY, count INTEGER NOT NULL, last_at INTEGER NOT NULL
) WITHOUT ROWID;
"""

_ADD = """
INSERT INTO wrong_pins VALUES (?, 1, ?)
ON CONFLICT (device) DO UPDATE SET count = count + 1, last_at = excluded.last_at
RETURNING count
"""


class WrongPins:
    """The wrong PINs since the last right one, by device."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def of(self, device: bytes) -> tuple[int, int]:
        """Returns how many wrong PINs were typed for a device, and the time (ms) of the last
        one.
        """
        row = self._db.execute(
            "SELECT count, last_at FROM wrong_pins WHERE device = ?", (device,)
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def add(self, device: bytes, now: int) -> int:
        """Counts a wrong PIN, and writes the count to the disk. Returns how many wrong PINs there
        are.
        """
        with self._database.transaction():
            count: int = self._db.execute(_ADD, (device, now)).fetchone()[0]
        return count

    def forget(self, device: bytes) -> None:
        """Begins the count of a device again, because the right PIN was typed."""
        with self._database.transaction():
            self._db.execute("DELETE FROM wrong_pins WHERE device = ?", (device,))
