"""Tickets: how a member's home comes to enrol a relay (specs/08-relays.md, R-08.5, R-08.6)."""

import hmac
import sqlite3
from collections.abc import Callable

from protocol.errors import Refused
from protocol.wire import membership_proof as hello
from protocol.wire import relay_ticket as ticket
from protocol.wire.relay_ticket import Request, Ticket

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    id BLOB PRIMARY KEY, secret BLOB NOT NULL, expires INTEGER NOT NULL, neighbourhood BLOB
) WITHOUT ROWID;
"""


class Tickets:
    """The tickets that a relay has given out."""

    def __init__(
        self, db: sqlite3.Connection, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._db, self._now, self._random = db, now, random
        db.executescript(_SCHEMA)

    def issue(self, key: bytes, addresses: list[str]) -> tuple[str, int]:
        """A new ticket for one neighbourhood, and when it ends (milliseconds)."""
        one = Ticket(key, self._random(ticket.SECRET), tuple(addresses))
        expires = self._now() + ticket.LIFETIME_MS
        self._db.execute("DELETE FROM tickets WHERE expires < ?", (self._now(),))
        self._db.execute(
            "INSERT INTO tickets (id, secret, expires) VALUES (?, ?, ?)",
            (one.id, one.secret, expires),
        )
        return ticket.encode(one), expires

    def check(self, request: Request, member: str, relay: str) -> None:
        """R-08.6: the ticket is ours, valid, proved, and this neighbourhood's alone; and who asks is
        a member. `member`, `relay`: the peer ids of this connection. Raises Refused.
        """
        row = self._db.execute(
            "SELECT secret, expires, neighbourhood FROM tickets WHERE id = ?", (request.ticket,)
        ).fetchone()
        if row is None:
            raise Refused("R-08.6", "the relay knows no such ticket; ask for a new one")
        secret, expires, holder = row
        expected = ticket.proof(secret, member, relay, request.neighbourhood)
        if not hmac.compare_digest(expected, request.proof):
            raise Refused("R-08.6", "the request does not prove the ticket's secret")
        if holder not in {None, request.neighbourhood}:
            raise Refused("R-08.6", "another neighbourhood has used this ticket; ask for a new one")
        if holder is None and expires < self._now():
            raise Refused("R-08.6", "this ticket has expired; ask for a new one")
        hello.check(
            request.device,
            request.signature,
            request.neighbourhood,
            sender=member,
            receiver=relay,
            domain=ticket.DOMAIN,
        )
        hello.member(request.chain, request.neighbourhood, request.device)

    def used(self, request: Request) -> None:
        """From now on the ticket is this neighbourhood's."""
        self._db.execute(
            "UPDATE tickets SET neighbourhood = ? WHERE id = ?",
            (request.neighbourhood, request.ticket),
        )
