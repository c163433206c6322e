"""Invitations, and the frames with which a newcomer joins (specs/07-joining.md)."""

import hashlib
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record.packed_addresses import unpack_addresses
from protocol.record.root_statement import PLACE_SIZE
from protocol.record.signature import is_signed, sign_message
from protocol.wire import copyable_code, relay_ticket
from protocol.wire.door import Ends

PROTOCOL = "/meshcoop/join/2"
LIFETIME_MS = 7 * 86_400_000
SECRET_SIZE = 16  # bytes

# Types of frames.
KNOCK = 0  # with signature, statement, name
ANSWER = 1  # with WAITING, or with ADMITTED and more values
REFUSAL = 2  # with rule, reason
PLACE = 3  # with the place, for which the joiner's device has to be certified

# States of an answer.
WAITING = 0
ADMITTED = 1

KNOCK_DOMAIN = b"meshcoop knock 2 sign\0"

_VERSION = 2
_PEER = 32  # bytes of a node's key
_MAX_NAME = 80  # characters

# The places where the parts of an encoded invitation end. The first byte is the version.
_PEER_END = 1 + _PEER
_SECRET_END = _PEER_END + SECRET_SIZE


class Invitation(NamedTuple):
    """An invitation. With it, a newcomer finds the inviter's node, and proves that they were
    invited.

    `peer` is the node's libp2p Ed25519 key. `secret` is 16 random bytes. `addresses` are multiaddrs
    of the form /ip4/A/tcp/P or /ip6/A/tcp/P. Nothing in an invitation tells which neighbourhood it
    is for.
    """

    peer: bytes
    secret: bytes
    addresses: tuple[str, ...]

    @property
    def id(self) -> bytes:
        """16 bytes that name the invitation without revealing its secret."""
        return hashlib.sha256(b"meshcoop invitation 2\0" + self.secret).digest()[:16]


def encode(invitation: Invitation) -> str:
    """Writes an invitation in at most 150 capital letters and digits (R-07.1).

    The text holds as many of the invitation's addresses as fit.
    """
    head = bytes([_VERSION]) + invitation.peer + invitation.secret
    return copyable_code.write_code(head, invitation.addresses)


def decode(text: str) -> Invitation:
    """Reads an invitation that a person typed.

    The person may type small letters, and signs that are neither letters nor digits. Raises Refused
    (R-07.1).
    """
    data = copyable_code.read_code(text, "an invitation", "R-07.1")
    if data[:1] == bytes([relay_ticket.VERSION]):
        raise Refused("R-07.1", "this is a relay's ticket: `meshcoop relay enrol` takes it")
    if len(data) < _SECRET_END or data[0] != _VERSION:
        raise copyable_code.cut_short("R-07.1")
    return Invitation(
        peer=data[1:_PEER_END],
        secret=data[_PEER_END:_SECRET_END],
        addresses=unpack_addresses(data[_SECRET_END:], "R-07.1"),
    )


class Knock(NamedTuple):
    """A knock: the request with which a joiner asks to be let in.

    Before the knock, an exchange at the beginning of the stream (the door) has proved that the
    joiner knows the invitation's secret. `statement` is the root statement that certifies the
    joiner's device, and `signature` shows that this device knocks. `name` is the name that the
    joiner chose; the member who vouches reads it.
    """

    signature: bytes
    statement: bytes
    name: str

    def frame(self) -> list[Any]:
        """Returns the frame that carries this knock."""
        return [KNOCK, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Knock":
        """Reads a knock from a frame. Raises Refused (R-07.2) if the frame has the wrong form."""
        if [type(part) for part in frame] != [int, bytes, bytes, str]:
            raise Refused("R-07.2", "a knock has signature, statement and name")
        knock = cls(*frame[1:])
        if frame[0] != KNOCK or not 1 <= len(knock.name.strip()) <= _MAX_NAME:
            raise Refused("R-07.2", "a knock has a name of 1 to 80 characters")
        return knock

    @classmethod
    def sign(cls, ends: Ends, seed: bytes, statement: bytes, name: str) -> "Knock":
        """Makes a knock that is valid on this connection only. `seed` is the seed of the joiner's
        device.
        """
        return cls(sign_message(_knock_message(ends), seed), statement, name)

    def check(self, ends: Ends, device: bytes) -> None:
        """Raises Refused (R-07.3) if `device` did not sign the knock for this connection.

        So nobody can join with a root statement that certifies another person's device.
        """
        if not is_signed(_knock_message(ends), self.signature, device):
            raise Refused("R-07.3", "the device has not signed this knock")


def _knock_message(ends: Ends) -> bytes:
    return KNOCK_DOMAIN + b"\0".join(peer.encode() for peer in ends)


def read_place(frame: list[Any]) -> bytes:
    """Reads the place from the first frame of the inviter's home. The place is the beginning of the
    neighbourhood's id.

    Raises Refused (R-07.2e).
    """
    if frame[0] != PLACE or [type(part) for part in frame] != [int, bytes]:
        raise Refused("R-07.2", "the inviter's home names no place to be certified for")
    place: bytes = frame[1]
    if len(place) != PLACE_SIZE:
        raise Refused("R-07.2", "a place has {size} bytes", size=PLACE_SIZE)
    return place
