"""The invitations that this home has given out, and the people who knocked. To knock means to come
with an invitation.
"""

from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS invitations (
    id BLOB PRIMARY KEY, secret BLOB NOT NULL, expires INTEGER NOT NULL, approve INTEGER NOT NULL,
    person BLOB, statement BLOB, name TEXT, since INTEGER
) WITHOUT ROWID;
"""


class StoredInvitation(NamedTuple):
    """An invitation.

    `expires` is a time (ms). If `approves` is True, the home vouches at once for the person who
    uses the invitation. `person` is the person who has used the invitation, or None if nobody has.
    """

    expires: int
    approves: bool
    person: bytes | None


class Invitations:
    """The table of invitations. Each invitation has an id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def secrets(self, most: int) -> list[tuple[bytes, bytes]]:
        """Returns a pair (id, secret) for each of at most `most` invitations. The pairs begin with
        the invitation that has the longest time left.
        """
        rows = self._db.execute(
            "SELECT id, secret FROM invitations ORDER BY expires DESC LIMIT ?", (most,)
        )
        return rows.fetchall()

    def find(self, invitation_id: bytes) -> StoredInvitation:
        """Returns the invitation with this id. The invitation must be in the table."""
        row = self._db.execute(
            "SELECT expires, approve, person FROM invitations WHERE id = ?",
            (invitation_id,),
        ).fetchone()
        expires, approve, person = row
        return StoredInvitation(expires, bool(approve), person)

    def knocks(self) -> list[tuple[bytes, str, int]]:
        """Returns (person's id, name, time of the knock in ms) for each person who knocked. The
        earliest knock comes first.
        """
        rows = self._db.execute(
            "SELECT person, name, since FROM invitations WHERE person NOT NULL ORDER BY since"
        )
        return rows.fetchall()

    def statement_of(self, person: bytes) -> bytes | None:
        """Returns the statement that a person sent with their knock, or None. The person's root key
        has signed this statement.
        """
        row = self._db.execute(
            "SELECT statement FROM invitations WHERE person = ?", (person,)
        ).fetchone()
        return row[0] if row else None

    def add(
        self, invitation_id: bytes, secret: bytes, expires: int, *, approves: bool, now: int
    ) -> None:
        """Adds an invitation. Deletes the invitations that have expired by `now` (ms)."""
        with self._database.transaction():
            self._db.execute("DELETE FROM invitations WHERE expires < ?", (now,))
            self._db.execute(
                "INSERT INTO invitations (id, secret, expires, approve) VALUES (?, ?, ?, ?)",
                (invitation_id, secret, expires, approves),
            )

    def note_knock(
        self, invitation_id: bytes, person: bytes, statement: bytes, name: str, now: int
    ) -> None:
        """Notes that a person has used the invitation. Nobody else can use it after that."""
        with self._database.transaction():
            self._db.execute(
                "UPDATE invitations SET person = ?, statement = ?, name = ?, since = ?"
                " WHERE id = ?",
                (person, statement, name, now, invitation_id),
            )
