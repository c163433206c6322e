"""Tickets: a member's home enrols a relay for its neighbourhood with a ticket (specs/08-relays.md,
R-08.5, R-08.6).
"""

from collections.abc import Callable

from meshcoop.store.issued_tickets import IssuedTickets
from meshcoop.store.store import Store
from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.wire import door, membership_proof, relay_ticket
from protocol.wire.door import Ends
from protocol.wire.relay_ticket import EnrolRequest, Ticket


class Tickets:
    """The tickets that a relay has given out. Checks the requests that use a ticket."""

    def __init__(
        self, store: Store, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._issued = IssuedTickets(store)
        self._now = now
        self._random = random

    def issue(self, key: bytes, addresses: list[str]) -> tuple[str, int]:
        """Makes a ticket for one neighbourhood. Returns the ticket's text, and the time when the
        ticket expires (milliseconds).

        `key` is the relay's public key. `addresses` says where others dial the relay.
        """
        new = Ticket(key, self._random(relay_ticket.SECRET_SIZE), tuple(addresses))
        expires = self._now() + relay_ticket.LIFETIME_MS
        self._issued.forget_expired(self._now())
        self._issued.add(new.id, new.secret, expires)
        return relay_ticket.encode(new), expires

    def door_keys(self) -> dict[bytes, bytes]:
        """Returns the keys of the door at which peers enrol this relay. The result maps each key to
        the id of a ticket. The key is made from the secret of this ticket.
        """
        secrets = self._issued.secrets(door.MAX_SECRETS)
        return {door.door_key(secret): ticket for ticket, secret in secrets}

    def check(
        self, request: EnrolRequest, records: list[AuthorityRecord], ticket: bytes, ends: Ends
    ) -> None:
        """R-08.6: checks a request to enrol the relay. Raises Refused if the ticket is not valid,
        or if the request does not come from a member.

        `records` show that the sender is a member. `ticket` is the id of the ticket whose secret
        the peer has proved to know. The ticket is not valid if another neighbourhood has used it.
        It is also not valid if it expired before its first use.
        """
        issued = self._issued.find(ticket)
        if issued.neighbourhood not in {None, request.neighbourhood}:
            raise Refused("R-08.6", "another neighbourhood has used this ticket; ask for a new one")
        if issued.neighbourhood is None and issued.expires < self._now():
            raise Refused("R-08.6", "this ticket has expired; ask for a new one")
        membership_proof.check_proof(
            request.device,
            request.signature,
            request.neighbourhood,
            sender=ends.opener,
            receiver=ends.answerer,
            domain=relay_ticket.HELLO_DOMAIN,
        )
        membership_proof.member_in_records(records, request.neighbourhood, request.device)

    def note_use(self, ticket: bytes, neighbourhood: bytes) -> None:
        """Notes that this neighbourhood has used the ticket. No other neighbourhood can use it
        after that.
        """
        self._issued.note_use(ticket, neighbourhood)
