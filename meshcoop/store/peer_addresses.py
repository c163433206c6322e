"""The network addresses of members' homes. This node has met these homes, or has heard of them."""

from collections.abc import Iterable

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS addresses (
    address TEXT PRIMARY KEY, peer TEXT NOT NULL, met INTEGER NOT NULL
) WITHOUT ROWID;
"""
_LONG_AGO = 1  # the time for addresses from another store; such addresses never expire


class PeerAddresses:
    """The table of network addresses. A row has an address, its peer, and the time (ms) of the last
    meeting at this address. The time is 0 if there was no meeting.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def all(self) -> list[str]:
        """Returns all addresses. The address of the latest meeting comes first."""
        rows = self._db.execute("SELECT address FROM addresses ORDER BY met DESC")
        return [row[0] for row in rows.fetchall()]

    def latest(self, limit: int) -> list[str]:
        """Returns at most `limit` addresses at which a home was met. The address of the latest
        meeting comes first.
        """
        rows = self._db.execute(
            "SELECT address FROM addresses WHERE met > 0 ORDER BY met DESC LIMIT ?", (limit,)
        )
        return [row[0] for row in rows]

    def met(self) -> list[str]:
        """Returns the addresses at which a home was met. The address of the latest meeting comes
        first.
        """
        rows = self._db.execute("SELECT address FROM addresses WHERE met > 0 ORDER BY met DESC")
        return [row[0] for row in rows]

    def note_meeting(self, address: str, peer: str, when: int) -> None:
        """Notes that the peer was met at this address at the time `when` (ms)."""
        self._db.execute("INSERT OR REPLACE INTO addresses VALUES (?, ?, ?)", (address, peer, when))

    def note_heard(self, peer: str, addresses: Iterable[str]) -> None:
        """Notes the addresses that a peer now gives as its own, and deletes those that the peer
        gave before. Keeps addresses at which the peer was met.
        """
        self._db.execute("DELETE FROM addresses WHERE peer = ? AND met = 0", (peer,))
        rows = [(address, peer) for address in addresses]
        self._db.executemany("INSERT OR IGNORE INTO addresses VALUES (?, ?, 0)", rows)

    def forget_older(self, limit: int) -> None:
        """Deletes the addresses at which this node last met the peer before the time `limit`
        (ms).
        """
        self._db.execute("DELETE FROM addresses WHERE met > ? AND met < ?", (_LONG_AGO, limit))

    def restore(self, addresses: Iterable[tuple[str, str]]) -> None:
        """Adds pairs (address, peer) from another store, as if the meetings were long ago."""
        rows = [(address, peer, _LONG_AGO) for address, peer in addresses]
        self._db.executemany("INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)", rows)
