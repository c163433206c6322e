"""The table of records that their answers must follow into another thread.

If a record joins a thread or leaves it, so do its answers, and the answers to these. There may be
tens of thousands. So they follow a few at a time. The table says how far each record's answers have
come. If the node is killed, they go on from there.
"""

from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS moves (id BLOB PRIMARY KEY, after INTEGER NOT NULL) WITHOUT ROWID
"""


class Move(NamedTuple):
    """A record whose answers must follow it. The answers up to the row `after` have done so."""

    id: bytes
    after: int


class Moves:
    """The records whose answers have not followed them yet."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SCHEMA)

    def first(self) -> Move | None:
        """Returns one of these records, or None if there is none."""
        row = self._db.execute("SELECT id, after FROM moves LIMIT 1").fetchone()
        return Move(*row) if row else None

    def set(self, record_id: bytes, after: int = 0) -> None:
        """Notes that the answers to a record must follow it, from the rows above `after` on."""
        self._db.execute("INSERT OR REPLACE INTO moves VALUES (?, ?)", (record_id, after))

    def end(self, record_id: bytes) -> None:
        """Notes that all answers to a record have followed it."""
        self._db.execute("DELETE FROM moves WHERE id = ?", (record_id,))
