"""Invitations and the join protocol's frames (specs/07-joining.md)."""

import hashlib
import hmac
from typing import Any, NamedTuple

import nacl.bindings
import nacl.exceptions

from protocol.errors import Refused
from protocol.record.packed_addresses import unpack_addresses
from protocol.wire import copyable_code as letters
from protocol.wire import relay_ticket as ticket

PROTOCOL = "/meshcoop/join/1"
LIFETIME_MS = 7 * 86_400_000
PREFIX, SECRET = 16, 16

_SIGN = b"meshcoop knock 1 sign\0"
_VERSION = 1
_HEAD = 1 + PREFIX + 32 + SECRET

KNOCK, ANSWER, REFUSAL = 0, 1, 2
WAITING, ADMITTED = 0, 1


class Invitation(NamedTuple):
    """What somebody needs to reach and convince the inviter's node.

    `neighbourhood` is the first 16 bytes of its id, `peer` the node's libp2p Ed25519 key,
    `addresses` multiaddrs of the form /ip4/A/tcp/P or /ip6/A/tcp/P.
    """

    neighbourhood: bytes
    peer: bytes
    secret: bytes
    addresses: tuple[str, ...]

    @property
    def id(self) -> bytes:
        """Names the invitation without telling its secret."""
        return hashlib.sha256(b"meshcoop invitation 1\0" + self.secret).digest()[:16]


def encode(invitation: Invitation) -> str:
    """R-07.1: at most 150 capital letters and digits; as many addresses as fit."""
    head = bytes([_VERSION]) + invitation.neighbourhood + invitation.peer + invitation.secret
    return letters.write(head, invitation.addresses)


def decode(text: str) -> Invitation:
    """Reads what a person typed; spaces, hyphens and small letters are forgiven. Raises Refused."""
    data = letters.read(text, "an invitation", "R-07.1")
    if data[0] == ticket.VERSION:
        raise Refused("R-07.1", "this is a relay's ticket: `meshcoop relay enrol` takes it")
    if len(data) < _HEAD or data[0] != _VERSION:
        raise letters.cut("R-07.1")
    at = 1
    neighbourhood, at = data[at : at + PREFIX], at + PREFIX
    peer, at = data[at : at + 32], at + 32
    secret, at = data[at : at + SECRET], at + SECRET
    return Invitation(neighbourhood, peer, secret, unpack_addresses(data[at:], "R-07.1"))


def proof(secret: bytes, joiner: str, inviter: str, person: bytes) -> bytes:
    """R-07.3: shows the secret to this inviter, from this joiner, for this person only."""
    message = b"\0".join((b"meshcoop knock 1", joiner.encode(), inviter.encode(), person))
    return hmac.digest(secret, message, "sha256")


def signed(proof: bytes, device_seed: bytes) -> bytes:
    """R-07.3: the device signs the proof, so that nobody knocks with another's statement."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(device_seed)
    signature: bytes = nacl.bindings.crypto_sign(_SIGN + proof, secret)[:64]
    return signature


class Knock(NamedTuple):
    """The joiner's request. `statement` certifies their first device, `name` is for the voucher."""

    invitation: bytes
    proof: bytes
    signature: bytes
    statement: bytes
    name: str

    def frame(self) -> list[Any]:
        return [KNOCK, *self]

    @classmethod
    def read(cls, frame: list[Any]) -> "Knock":
        """Raises Refused (R-07.2)."""
        types = (int, bytes, bytes, bytes, bytes, str)
        if len(frame) != len(types) or [type(item) for item in frame] != list(types):
            raise Refused("R-07.2", "a knock has invitation, proof, signature, statement and name")
        knock = cls(*frame[1:])
        if frame[0] != KNOCK or not 1 <= len(knock.name.strip()) <= 80:  # noqa: PLR2004
            raise Refused("R-07.2", "a knock has a name of 1 to 80 characters")
        return knock

    def check(self, device: bytes) -> None:
        """Raises Refused (R-07.3) unless `device` signed the proof."""
        try:
            if len(self.signature) != 64:  # noqa: PLR2004
                raise ValueError("length")
            nacl.bindings.crypto_sign_open(self.signature + _SIGN + self.proof, device)
        except (nacl.exceptions.CryptoError, ValueError, TypeError):
            raise Refused("R-07.3", "the device has not signed this knock") from None
