"""The neighbourhoods that a relay serves."""

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS served (
    neighbourhood BLOB PRIMARY KEY, since INTEGER NOT NULL
) WITHOUT ROWID;
"""


class RelayedNeighbourhoods:
    """The table of neighbourhoods. It maps the id of each neighbourhood to the time (ms) at which
    the neighbourhood enrolled the relay.
    """

    def __init__(self, database: Database) -> None:
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
        """Adds a neighbourhood that the relay serves. `since` is the time (ms) at which it enrolled
        the relay.

        If the neighbourhood is in the table already, its earlier time stays.
        """
        self._db.execute("INSERT OR IGNORE INTO served VALUES (?, ?)", (neighbourhood, since))

    def remove(self, neighbourhood: bytes) -> None:
        """Removes a neighbourhood, because the relay no longer serves it."""
        self._db.execute("DELETE FROM served WHERE neighbourhood = ?", (neighbourhood,))
