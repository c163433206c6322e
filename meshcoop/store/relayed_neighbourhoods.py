"""The neighbourhoods that a relay serves, and the neighbourhoods that it has left."""

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS served (
    neighbourhood BLOB PRIMARY KEY, since INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS left_neighbourhoods (neighbourhood BLOB PRIMARY KEY) WITHOUT ROWID;
"""


class RelayedNeighbourhoods:
    """The tables of neighbourhoods. One table has the id of each neighbourhood that the relay
    serves, and the time (ms) at which this neighbourhood enrolled the relay. The other table has
    the ids of the neighbourhoods that the relay has left.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def all(self) -> list[bytes]:
        """Returns the ids of all neighbourhoods that the relay serves."""
        return [row[0] for row in self._db.execute("SELECT neighbourhood FROM served").fetchall()]

    def since(self, neighbourhood: bytes) -> int:
        """Returns the time (ms) at which this neighbourhood enrolled the relay.

        The relay must serve this neighbourhood.
        """
        row = self._db.execute(
            "SELECT since FROM served WHERE neighbourhood = ?", (neighbourhood,)
        ).fetchone()
        return int(row[0])

    def add(self, neighbourhood: bytes, since: int) -> None:
        """Adds a neighbourhood that the relay serves. `since` is the time (ms) at which the
        neighbourhood enrolled the relay.

        If the neighbourhood is in the table already, its earlier time stays.
        """
        with self._database.transaction():
            self._db.execute("INSERT OR IGNORE INTO served VALUES (?, ?)", (neighbourhood, since))
            self._db.execute(
                "DELETE FROM left_neighbourhoods WHERE neighbourhood = ?", (neighbourhood,)
            )

    def note_leaving(self, neighbourhood: bytes) -> None:
        """Notes that the relay no longer serves a neighbourhood."""
        with self._database.transaction():
            self._db.execute("DELETE FROM served WHERE neighbourhood = ?", (neighbourhood,))
            self._db.execute(
                "INSERT OR IGNORE INTO left_neighbourhoods VALUES (?)", (neighbourhood,)
            )

    def left(self) -> list[bytes]:
        """Returns the ids of all neighbourhoods that the relay has left."""
        rows = self._db.execute("SELECT neighbourhood FROM left_neighbourhoods").fetchall()
        return [row[0] for row in rows]

    def has_left(self, neighbourhood: bytes) -> bool:
        """Returns whether the relay once served a neighbourhood and no longer does."""
        row = self._db.execute(
            "SELECT 1 FROM left_neighbourhoods WHERE neighbourhood = ?", (neighbourhood,)
        ).fetchone()
        return row is not None
