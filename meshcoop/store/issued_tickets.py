"""The tickets that a relay has given out. A neighbourhood enrols the relay with such a ticket."""

from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    id BLOB PRIMARY KEY, secret BLOB NOT NULL, expires INTEGER NOT NULL, neighbourhood BLOB
) WITHOUT ROWID;
"""


class IssuedTicket(NamedTuple):
    """A ticket. `expires` is a time (ms). `neighbourhood` is the id of the neighbourhood that has
    used the ticket. If the ticket is unused, `neighbourhood` is None.
    """

    expires: int
    neighbourhood: bytes | None


class IssuedTickets:
    """The table of a relay's tickets. Each ticket has an id."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def secrets(self, most: int) -> list[tuple[bytes, bytes]]:
        """Returns a pair (id, secret) for each of at most `most` tickets. The pairs begin with the
        ticket that has the longest time left.
        """
        rows = self._db.execute(
            "SELECT id, secret FROM tickets ORDER BY expires DESC LIMIT ?", (most,)
        )
        return rows.fetchall()

    def find(self, ticket_id: bytes) -> IssuedTicket:
        """Returns the ticket with this id. The ticket must be in the table."""
        row = self._db.execute(
            "SELECT expires, neighbourhood FROM tickets WHERE id = ?", (ticket_id,)
        ).fetchone()
        return IssuedTicket(*row)

    def add(self, ticket_id: bytes, secret: bytes, expires: int) -> None:
        """Adds a ticket that nobody has used yet."""
        self._db.execute(
            "INSERT INTO tickets (id, secret, expires) VALUES (?, ?, ?)",
            (ticket_id, secret, expires),
        )

    def forget_expired(self, now: int) -> None:
        """Deletes the tickets that nobody has used and that have expired by `now` (ms). Keeps used
        tickets, because the same neighbourhood may use its ticket again (R-08.6f).
        """
        self._db.execute("DELETE FROM tickets WHERE expires < ? AND neighbourhood IS NULL", (now,))

    def note_use(self, ticket_id: bytes, neighbourhood: bytes) -> None:
        """Notes that a neighbourhood has used the ticket. No other neighbourhood can use it after
        that.
        """
        self._db.execute(
            "UPDATE tickets SET neighbourhood = ? WHERE id = ?", (neighbourhood, ticket_id)
        )
