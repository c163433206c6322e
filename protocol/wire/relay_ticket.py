"""The ticket of a relay, and the frames with which a member enrols the relay (specs/08-relays.md).

To enrol a relay means: to let it serve the neighbourhood.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record.packed_addresses import unpack_addresses
from protocol.wire import copyable_code
from protocol.wire.paged_chain import split_chain

PROTOCOL = "/meshcoop/enrol/2"
HELLO_DOMAIN = b"meshcoop enrol 2 hello\0"
LIFETIME_MS = 7 * 86_400_000
VERSION = 65  # no invitation has this version, so nobody takes a ticket for an invitation
SECRET_SIZE = 16  # bytes

# Types of frames.
REQUEST = 0  # with neighbourhood, device, signature, chain
ENROLLED = 1  # it says: the relay serves the neighbourhood now
REFUSAL = 2  # with rule, reason

_PEER_END = 1 + 32  # the version, then the relay's key
_SECRET_END = _PEER_END + SECRET_SIZE
_RULE = "R-08.5"


class Ticket(NamedTuple):
    """A ticket. A member's home uses it to find a relay, and to ask the relay to serve the
    neighbourhood.

    `peer` is the relay's Ed25519 key. `addresses` are multiaddrs of the form /ip4/A/tcp/P or
    /ip6/A/tcp/P.
    """

    peer: bytes
    secret: bytes
    addresses: tuple[str, ...]

    @property
    def id(self) -> bytes:
        """16 bytes that name the ticket without revealing its secret."""
        return hashlib.sha256(b"meshcoop ticket 2\0" + self.secret).digest()[:16]


def encode(ticket: Ticket) -> str:
    """Writes a ticket in at most 150 capital letters and digits (R-08.5).

    The text holds as many of the ticket's addresses as fit.
    """
    head = bytes([VERSION]) + ticket.peer + ticket.secret
    return copyable_code.write_code(head, ticket.addresses)


def decode(text: str) -> Ticket:
    """Reads a ticket that a person typed. Raises Refused (R-08.5)."""
    data = copyable_code.read_code(text, "a ticket", _RULE)
    if len(data) < _SECRET_END or data[0] != VERSION:
        raise Refused(_RULE, "this is no relay's ticket; ask for it again")
    return Ticket(
        peer=data[1:_PEER_END],
        secret=data[_PEER_END:_SECRET_END],
        addresses=unpack_addresses(data[_SECRET_END:], _RULE),
    )


class EnrolRequest(NamedTuple):
    """The request in which a member's home asks a relay to serve the neighbourhood.

    Before the request, an exchange at the beginning of the stream (the door) has proved that the
    home knows the ticket's secret. `chain` has records as bytes; they show that `device` belongs to
    a member (R-05.3). `signature` ties the device to this connection, like the signature of a hello
    (R-05.2).
    """

    neighbourhood: bytes
    device: bytes
    signature: bytes
    chain: list[bytes]

    def frames(self) -> list[list[Any]]:
        """Returns the frames that carry this request: pages of its chain if the chain is long, and
        last the request itself (R-05.3g).
        """
        pages, last = split_chain(self.chain)
        return [*pages, [REQUEST, *self[:-1], last]]

    @classmethod
    def read(cls, frame: list[Any], earlier: Sequence[bytes] = ()) -> "EnrolRequest":
        """Reads a request from its last frame. `earlier` are the records in the pages before it.
        Raises Refused (R-08.6).
        """
        types = [int, bytes, bytes, bytes, list]
        if [type(part) for part in frame] != types or frame[0] != REQUEST:
            raise Refused("R-08.6", "a request has neighbourhood, device, signature and chain")
        request = cls(*frame[1:])
        if not all(type(wire) is bytes for wire in request.chain):
            raise Refused("R-08.6", "a chain is made of records")
        return request._replace(chain=[*earlier, *request.chain])
