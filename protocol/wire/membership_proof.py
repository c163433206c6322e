"""Proof of membership on one connection (specs/05-sync.md, R-05.2 and R-05.3)."""

import nacl.bindings
import nacl.exceptions

from protocol.authority import authority
from protocol.authority.records import Act
from protocol.errors import Refused
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.record import envelope as record

SYNC_DOMAIN = b"meshcoop sync 1 hello\0"
_SIGNATURE = 64


def prove(
    device_seed: bytes,
    neighbourhood: bytes,
    sender: str,
    receiver: str,
    domain: bytes = SYNC_DOMAIN,
) -> bytes:
    """The device's signature over the neighbourhood and both peer ids: of no use elsewhere."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(device_seed)
    message = domain + _message(neighbourhood, sender, receiver)
    signed: bytes = nacl.bindings.crypto_sign(message, secret)
    return signed[:_SIGNATURE]


def check(
    device: bytes,
    signature: bytes,
    neighbourhood: bytes,
    *,
    sender: str,
    receiver: str,
    domain: bytes = SYNC_DOMAIN,
) -> None:
    """Raises Refused (R-05.2) unless `device` signed for this connection."""
    try:
        message = signature + domain + _message(neighbourhood, sender, receiver)
        if len(signature) != _SIGNATURE:
            raise ValueError("length")
        nacl.bindings.crypto_sign_open(message, device)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise Refused("R-05.2", "the hello's signature is not for this connection") from None


def acts(chain: list[bytes], neighbourhood: bytes) -> list[Act]:
    """R-05.3: the open records that a hello carries, checked like any others. Raises Refused."""
    found = []
    for wire in chain:
        one = record.parse(wire)
        record.verify(one, record.FOUNDING if one.id == neighbourhood else neighbourhood)
        if one.fields.reach != record.OPEN or one.content is None:
            raise Refused("R-05.3", "a hello carries open records with their content")
        name, values = schema.read_content(one.content)
        if name not in KINDS or KINDS[name].audience_code != one.fields.audience:
            raise Refused("R-10.9", "a hello carries what authority is made of")
        place = (one.id, one.fields.device, one.fields.seq, one.fields.time)
        found.append(Act(*place, name, values, tuple(one.fields.parents)))
    return found


def member(chain: list[bytes], neighbourhood: bytes, device: bytes) -> bytes:
    """The person whose `device` a chain, by itself, shows to be a member's. Raises Refused."""
    person = shown(chain, neighbourhood).author(device)
    if person is None:
        raise Refused("R-05.3", "the records shown make nobody a member")
    return person


def shown(chain: list[bytes], neighbourhood: bytes) -> authority.Authority:
    """What a chain, by itself, shows of who belongs. Raises Refused."""
    found = acts(chain, neighbourhood)
    charter = next((act for act in found if act.id == neighbourhood), None)
    if charter is None:
        raise Refused("R-05.3", "the records shown hold no charter")
    return authority.fold(charter, found, {})


def _message(neighbourhood: bytes, sender: str, receiver: str) -> bytes:
    return neighbourhood + b"\0".join((sender.encode(), receiver.encode()))
