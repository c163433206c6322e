"""Invitations and the join protocol's frames (specs/07-joining.md)."""

import base64
import hashlib
import hmac
import ipaddress
import re
from typing import Any, NamedTuple

import nacl.bindings
import nacl.exceptions

from protocol.errors import Refused

PROTOCOL = "/meshcoop/join/1"
LIFETIME_MS = 7 * 86_400_000
PREFIX, SECRET = 16, 16

_SIGN = b"meshcoop knock 1 sign\0"
_VERSION = 1
_MAX_BYTES = 93  # 150 base32 characters
_HEAD = 1 + PREFIX + 32 + SECRET
_V4, _V6 = 4, 6
_ADDRESS = re.compile(r"/ip([46])/([0-9a-fA-F.:]+)/tcp/([0-9]{1,5})")

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
    parts = [bytes([_VERSION]), invitation.neighbourhood, invitation.peer, invitation.secret]
    room = _MAX_BYTES - _HEAD
    for address in invitation.addresses:
        packed = _pack_address(address)
        if packed is not None and len(packed) <= room:
            parts.append(packed)
            room -= len(packed)
    return base64.b32encode(b"".join(parts)).decode().rstrip("=")


def decode(text: str) -> Invitation:
    """Reads what a person typed; spaces, hyphens and small letters are forgiven. Raises Refused."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(r"[A-Z2-7]{1,150}", plain):
        raise Refused("R-07.1", "an invitation is at most 150 letters and digits from 2 to 7")
    try:
        data = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError:
        raise Refused(
            "R-07.1", "the invitation is cut short or mistyped; ask for it again"
        ) from None
    if len(data) < _HEAD or data[0] != _VERSION:
        raise Refused("R-07.1", "the invitation is cut short or mistyped; ask for it again")
    if base64.b32encode(data).decode().rstrip("=") != plain:
        raise Refused("R-07.1", "the invitation is mistyped; ask for it again")
    at = 1
    neighbourhood, at = data[at : at + PREFIX], at + PREFIX
    peer, at = data[at : at + 32], at + 32
    secret, at = data[at : at + SECRET], at + SECRET
    return Invitation(neighbourhood, peer, secret, tuple(_addresses(data[at:])))


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


def _pack_address(address: str) -> bytes | None:
    match = _ADDRESS.match(address)
    if match is None:
        return None
    version, host, port = int(match[1]), ipaddress.ip_address(match[2]), int(match[3])
    return bytes([version]) + host.packed + port.to_bytes(2, "big")


def _addresses(data: bytes) -> list[str]:
    found = []
    while data:
        size = {_V4: 4, _V6: 16}.get(data[0])
        if size is None or len(data) < 1 + size + 2:
            raise Refused("R-07.1", "an address in the invitation is cut short or mistyped")
        host = ipaddress.ip_address(data[1 : 1 + size])
        port = int.from_bytes(data[1 + size : 3 + size], "big")
        if host.is_multicast or host.is_unspecified or port == 0:
            raise Refused("R-07.1", f"nobody can answer at {host}:{port}")
        found.append(f"/ip{data[0]}/{host}/tcp/{port}")
        data = data[3 + size :]
    return found
