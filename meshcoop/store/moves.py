"""The table of records that have joined or left a thread, and whose answers must follow.

If a record joins a thread or leaves it, its answers follow, and then the answers to these answers.
There may be tens of thousands of answers. So the answers follow a few at a time. For each record,
the table says which of its answers have followed. If the node is killed, the other answers follow
after the next start.
"""

from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS moves (id BLOB PRIMARY KEY, after INTEGER NOT NULL) WITHOUT ROWID
"""


class Move(NamedTuple):
    """A record whose answers must follow it into another thread. The answers up to the row `after`
    are in that thread already.
    """

    id: bytes
    after: int


class Moves:
    """The table of records that have moved, as long as some of their answers have not followed
    them.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SCHEMA)

    def first(self) -> Move | None:
        """Returns one of the records in the table, or None if the table is empty."""
        row = self._db.execute("SELECT id, after FROM moves LIMIT 1").fetchone()
        return Move(*row) if row else None

    def set(self, record_id: bytes, after: int = 0) -> None:
        """Notes which answers to a record have not followed the record yet: those in rows above
        `after`.
        """
        self._db.execute("INSERT OR REPLACE INTO moves VALUES (?, ?)", (record_id, after))

    def end(self, record_id: bytes) -> None:
        """Notes that all answers to a record have followed it."""
        self._db.execute("DELETE FROM moves WHERE id = ?", (record_id,))
