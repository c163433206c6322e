"""The network addresses at which members' homes were met."""

from collections.abc import Iterable

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS addresses (
    address TEXT PRIMARY KEY, peer TEXT NOT NULL, met INTEGER NOT NULL
) WITHOUT ROWID;
"""
_LONG_AGO = 1  # the time of addresses from another store; they are never too old


class PeerAddresses:
    """Each address with the peer that was met there, and the time (ms) of the last meeting."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def all(self) -> list[str]:
        """Returns all addresses, the latest met first."""
        rows = self._db.execute("SELECT address FROM addresses ORDER BY met DESC")
        return [row[0] for row in rows.fetchall()]

    def latest(self, limit: int) -> list[str]:
        """Returns at most `limit` addresses, the latest met first."""
        rows = self._db.execute("SELECT address FROM addresses ORDER BY met DESC LIMIT ?", (limit,))
        return [row[0] for row in rows]

    def met(self) -> list[str]:
        """Returns the addresses at which a home was met, the latest first."""
        rows = self._db.execute("SELECT address FROM addresses WHERE met > 0 ORDER BY met DESC")
        return [row[0] for row in rows]

    def note_meeting(self, address: str, peer: str, when: int) -> None:
        """Notes that the peer was met at this address at `when` (ms)."""
        self._db.execute("INSERT OR REPLACE INTO addresses VALUES (?, ?, ?)", (address, peer, when))

    def forget_older(self, limit: int) -> None:
        """Deletes the addresses at which no home was met since `limit` (ms)."""
        self._db.execute("DELETE FROM addresses WHERE met > ? AND met < ?", (_LONG_AGO, limit))

    def restore(self, addresses: Iterable[tuple[str, str]]) -> None:
        """Adds addresses from another store, each with its peer. Their meetings count as
        long ago.
        """
        rows = [(address, peer, _LONG_AGO) for address, peer in addresses]
        self._db.executemany("INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)", rows)
