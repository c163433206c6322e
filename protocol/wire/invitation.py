"""Invitations, and the frames with which a newcomer joins (specs/07-joining.md)."""

import hashlib
import hmac
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record.packed_addresses import unpack_addresses
from protocol.record.signature import is_signed, sign_message
from protocol.wire import copyable_code, relay_ticket

PROTOCOL = "/meshcoop/join/2"
LIFETIME_MS = 7 * 86_400_000
PREFIX_SIZE = 16  # bytes of the neighbourhood's id
SECRET_SIZE = 16  # bytes

# Types of frames.
KNOCK = 0  # with invitation, proof, signature, statement, name
ANSWER = 1  # with WAITING, or with ADMITTED and more values
REFUSAL = 2  # with rule, reason

# States of an answer.
WAITING = 0
ADMITTED = 1

_SIGN_DOMAIN = b"meshcoop knock 2 sign\0"
_VERSION = 2
_PEER = 32  # bytes of a node's key
_MAX_NAME = 80  # characters

# The places where the parts of an encoded invitation end. The first byte is the version.
_PREFIX_END = 1 + PREFIX_SIZE
_PEER_END = _PREFIX_END + _PEER
_SECRET_END = _PEER_END + SECRET_SIZE


class Invitation(NamedTuple):
    """An invitation. It lets a newcomer find the inviter's node and prove to be invited.

    `neighbourhood` is the first 16 bytes of the neighbourhood's id. `peer` is the node's libp2p
    Ed25519 key. `secret` is 16 random bytes. `addresses` are multiaddrs of the form /ip4/A/tcp/P or
    /ip6/A/tcp/P.
    """

    neighbourhood: bytes
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
    head = bytes([_VERSION]) + invitation.neighbourhood + invitation.peer + invitation.secret
    return copyable_code.write_code(head, invitation.addresses)


def decode(text: str) -> Invitation:
    """Reads an invitation that a person typed.

    The person may type small letters, and signs that are neither letters nor digits. Raises Refused
    (R-07.1).
    """
    data = copyable_code.read_code(text, "an invitation", "R-07.1")
    if data[0] == relay_ticket.VERSION:
        raise Refused("R-07.1", "this is a relay's ticket: `meshcoop relay enrol` takes it")
    if len(data) < _SECRET_END or data[0] != _VERSION:
        raise copyable_code.cut_short("R-07.1")
    return Invitation(
        neighbourhood=data[1:_PREFIX_END],
        peer=data[_PREFIX_END:_PEER_END],
        secret=data[_PEER_END:_SECRET_END],
        addresses=unpack_addresses(data[_SECRET_END:], "R-07.1"),
    )


def knock_proof(secret: bytes, joiner: str, inviter: str, person: bytes) -> bytes:
    """Makes the proof that a joiner knows an invitation's secret (R-07.3).

    The proof is valid only for this joiner, this inviter and this person. `joiner` and `inviter`
    are peer ids of nodes. `person` is the joiner's root key.
    """
    message = b"\0".join((b"meshcoop knock 2", joiner.encode(), inviter.encode(), person))
    return hmac.digest(secret, message, "sha256")


def sign_proof(proof: bytes, device_seed: bytes) -> bytes:
    """Signs the proof of a knock with the key of the joiner's device (R-07.3).

    So nobody can join with a root statement that certifies another person's device.
    """
    return sign_message(_SIGN_DOMAIN + proof, device_seed)


class Knock(NamedTuple):
    """A knock: the request with which a joiner asks to be let in.

    `invitation` is the id of the invitation. `statement` is the root statement that certifies the
    joiner's device. `name` is the name that the joiner chose; the member who vouches reads it.
    """

    invitation: bytes
    proof: bytes
    signature: bytes
    statement: bytes
    name: str

    def frame(self) -> list[Any]:
        """Returns the frame that carries this knock."""
        return [KNOCK, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Knock":
        """Reads a knock from a frame. Raises Refused (R-07.2)."""
        if [type(part) for part in frame] != [int, bytes, bytes, bytes, bytes, str]:
            raise Refused("R-07.2", "a knock has invitation, proof, signature, statement and name")
        knock = cls(*frame[1:])
        if frame[0] != KNOCK or not 1 <= len(knock.name.strip()) <= _MAX_NAME:
            raise Refused("R-07.2", "a knock has a name of 1 to 80 characters")
        return knock

    def check(self, device: bytes) -> None:
        """Raises Refused (R-07.3) if `device` did not sign the knock's proof."""
        if not is_signed(_SIGN_DOMAIN + self.proof, self.signature, device):
            raise Refused("R-07.3", "the device has not signed this knock")
