"""A relay's ticket, and the frames with which a member enrols it (specs/08-relays.md)."""

import hashlib
import hmac
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record.packed_addresses import unpack_addresses
from protocol.wire import copyable_code as letters

PROTOCOL = "/meshcoop/enrol/1"
DOMAIN = b"meshcoop enrol 1 hello\0"
LIFETIME_MS = 7 * 86_400_000
VERSION = 65  # no invitation's, so that neither is taken for the other
SECRET = 16

REQUEST, TAKEN, REFUSAL = 0, 1, 2

_HEAD = 1 + 32 + SECRET
_RULE = "R-08.5"


class Ticket(NamedTuple):
    """What a member's home needs to reach a relay and to be served: `peer` is the relay's Ed25519
    key, `addresses` multiaddrs of the form /ip4/A/tcp/P or /ip6/A/tcp/P.
    """

    peer: bytes
    secret: bytes
    addresses: tuple[str, ...]

    @property
    def id(self) -> bytes:
        """Names the ticket without telling its secret."""
        return hashlib.sha256(b"meshcoop ticket 1\0" + self.secret).digest()[:16]


def encode(ticket: Ticket) -> str:
    """R-08.5: at most 150 capital letters and digits; as many addresses as fit."""
    return letters.write(bytes([VERSION]) + ticket.peer + ticket.secret, ticket.addresses)


def decode(text: str) -> Ticket:
    """Reads what a person typed. Raises Refused."""
    data = letters.read(text, "a ticket", _RULE)
    if len(data) < _HEAD or data[0] != VERSION:
        raise Refused(_RULE, "this is no relay's ticket; ask for it again")
    peer, secret = data[1:33], data[33:_HEAD]
    return Ticket(peer, secret, unpack_addresses(data[_HEAD:], _RULE))


def proof(secret: bytes, member: str, relay: str, neighbourhood: bytes) -> bytes:
    """R-08.6: shows the secret to this relay, from this node, for this neighbourhood only."""
    message = b"\0".join((b"meshcoop enrol 1", member.encode(), relay.encode(), neighbourhood))
    return hmac.digest(secret, message, "sha256")


class Request(NamedTuple):
    """A member's home asks a relay to serve the neighbourhood. `chain` shows `device` to be a
    member's (R-05.3), `signature` ties it to this connection, as a hello's does (R-05.2).
    """

    ticket: bytes
    proof: bytes
    neighbourhood: bytes
    device: bytes
    signature: bytes
    chain: list[bytes]

    def frame(self) -> list[Any]:
        return [REQUEST, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Request":
        """Raises Refused (R-08.6)."""
        types = [int, bytes, bytes, bytes, bytes, bytes, list]
        if [type(item) for item in frame] != types or frame[0] != REQUEST:
            raise Refused("R-08.6", "a request has ticket, proof, neighbourhood, device and chain")
        request = cls(*frame[1:])
        if not all(type(wire) is bytes for wire in request.chain):
            raise Refused("R-08.6", "a chain is made of records")
        return request
