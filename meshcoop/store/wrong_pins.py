"""The table of wrong PINs. A home counts on the disk how many wrong PINs were typed for each
guest's device.
"""

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
    """The table of wrong PINs. For each device, it counts the wrong PINs since the last
    right PIN.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def of(self, device: bytes) -> tuple[int, int]:
        """Returns how many wrong PINs were typed for a device, and the time (ms) of the last wrong
        PIN.
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
        """Sets the count of a device to 0, because the right PIN was typed."""
        with self._database.transaction():
            self._db.execute("DELETE FROM wrong_pins WHERE device = ?", (device,))
