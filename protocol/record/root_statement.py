"""Root statements: what a person's root key says of their devices (specs/03, R-03.1 to R-03.3).

A root key has no log of its own. Its statements are carried by `charter`, `admit` and `device`
records; who carries one does not matter, the signatures in it do.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import nacl.bindings
import nacl.exceptions

from protocol.errors import Refused
from protocol.record import codec
from protocol.record import sealing as seal

_DOMAIN = b"meshcoop statement 1\0"
_CERTIFY, _REVOKE = "certify", "revoke"
_SIGNATURE = 64
_KEY = 32


PLACE = 16  # bytes of a neighbourhood's id
FOUNDING = bytes(PLACE)  # in the charter, which creates the id


class Certified(NamedTuple):
    """`person` (root key) says that `device` is theirs in the neighbourhood whose id begins with
    `place`, with `box` to seal things to.
    """

    place: bytes
    person: bytes
    device: bytes
    box: bytes


class Revoked(NamedTuple):
    """`person` says that nothing of `device` after number `after` is theirs in `place`."""

    place: bytes
    person: bytes
    device: bytes
    after: int


def certify(root_seed: bytes, device_seed: bytes, box: bytes, place: bytes = FOUNDING) -> bytes:
    """A statement signed by the root key and by the device, so that nobody claims another's.

    `place`: the first 16 bytes of the neighbourhood's id, so that nobody carries it elsewhere.
    """
    body = [_CERTIFY, place, _public(root_seed), _public(device_seed), box]
    return codec.pack([body, _sign(body, root_seed), _sign(body, device_seed)])


def revoke(root_seed: bytes, device: bytes, after: int, place: bytes) -> bytes:
    """A statement that ends `device` after its record number `after` (0: from the beginning)."""
    body = [_REVOKE, place, _public(root_seed), device, after]
    return codec.pack([body, _sign(body, root_seed)])


@lru_cache(maxsize=4096)  # the same statement is read again at every authority fold
def read(statement: bytes) -> Certified | Revoked:
    """What a statement says, its signatures checked. Raises Refused (R-03.1 to R-03.3)."""
    value = codec.unpack(statement)
    if type(value) is not list or not value or type(value[0]) is not list or len(value[0]) != 5:  # noqa: PLR2004
        raise Refused("R-03.1", "not a root statement")
    body, signatures = value[0], value[1:]
    what, place, person, device, last = body
    _bytes(place, PLACE)
    for key in (person, device):
        _bytes(key, _KEY)
    if what == _CERTIFY and len(signatures) == 2:  # noqa: PLR2004
        _bytes(last, _KEY)
        _verify(body, person, signatures[0])
        _verify(body, device, signatures[1])
        seal.check_box(last)
        return Certified(place, person, device, last)
    if what == _REVOKE and len(signatures) == 1:
        if type(last) is not int or last < 0:
            raise Refused("R-03.3", "a device is revoked after a record number")
        _verify(body, person, signatures[0])
        return Revoked(place, person, device, last)
    raise Refused("R-03.1", "a root statement certifies or revokes a device")


def _public(seed: bytes) -> bytes:
    public: bytes = nacl.bindings.crypto_sign_seed_keypair(seed)[0]
    return public


def _sign(body: list[Any], seed: bytes) -> bytes:
    _, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
    signed: bytes = nacl.bindings.crypto_sign(_DOMAIN + codec.pack(body), secret)
    return signed[:_SIGNATURE]


def _bytes(value: Any, length: int) -> None:
    if type(value) is not bytes or len(value) != length:
        raise Refused("R-03.1", "keys are 32 bytes, places 16 and signatures 64")


def _verify(body: list[Any], key: bytes, signature: Any) -> None:
    _bytes(signature, _SIGNATURE)
    try:
        nacl.bindings.crypto_sign_open(signature + _DOMAIN + codec.pack(body), key)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise Refused("R-03.2", "a signature of the statement does not hold") from None
