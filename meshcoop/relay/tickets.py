"""Tickets: with a ticket, a member's home enrols a relay for its neighbourhood (specs/08-relays.md,
R-08.5, R-08.6).
"""

import hmac
from collections.abc import Callable

from meshcoop.store.issued_tickets import IssuedTickets
from meshcoop.store.store import Store
from protocol.errors import Refused
from protocol.wire import membership_proof, relay_ticket
from protocol.wire.relay_ticket import EnrolRequest, Ticket


class Tickets:
    """The tickets that a relay has given out, and the check of requests that use one."""

    def __init__(
        self, store: Store, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._issued = IssuedTickets(store)
        self._now = now
        self._random = random

    def issue(self, key: bytes, addresses: list[str]) -> tuple[str, int]:
        """Makes a ticket for one neighbourhood. Returns the ticket's text, and the time when the
        ticket expires (milliseconds).

        `key` is the relay's public key. `addresses` says where the relay is dialled.
        """
        new = Ticket(key, self._random(relay_ticket.SECRET_SIZE), tuple(addresses))
        expires = self._now() + relay_ticket.LIFETIME_MS
        self._issued.forget_expired(self._now())
        self._issued.add(new.id, new.secret, expires)
        return relay_ticket.encode(new), expires

    def check(self, request: EnrolRequest, member: str, relay: str) -> None:
        """R-08.6: checks a request to enrol the relay. Raises Refused if the ticket is not valid,
        or if no member asks.

        This relay must have issued the ticket, and the request must prove the ticket's secret. The
        ticket is not valid if another neighbourhood has used it, or if it expired before its first
        use. `member` and `relay` are the peer ids of the two ends of this connection.
        """
        issued = self._issued.find(request.ticket)
        if issued is None:
            raise Refused("R-08.6", "the relay knows no such ticket; ask for a new one")
        expected = relay_ticket.ticket_proof(issued.secret, member, relay, request.neighbourhood)
        if not hmac.compare_digest(expected, request.proof):
            raise Refused("R-08.6", "the request does not prove the ticket's secret")
        if issued.neighbourhood not in {None, request.neighbourhood}:
            raise Refused("R-08.6", "another neighbourhood has used this ticket; ask for a new one")
        if issued.neighbourhood is None and issued.expires < self._now():
            raise Refused("R-08.6", "this ticket has expired; ask for a new one")
        membership_proof.check_proof(
            request.device,
            request.signature,
            request.neighbourhood,
            sender=member,
            receiver=relay,
            domain=relay_ticket.HELLO_DOMAIN,
        )
        membership_proof.member_in_chain(request.chain, request.neighbourhood, request.device)

    def note_use(self, request: EnrolRequest) -> None:
        """Notes that this neighbourhood has used the ticket. No other neighbourhood can use it
        after that.
        """
        self._issued.note_use(request.ticket, request.neighbourhood)
