"""Root statements: what a person's root key says of their devices (specs/03, R-03.1 to R-03.3).

A root key has no log of its own. Its statements are carried by `charter`, `admit` and `device`
records; who carries one does not matter, the signatures in it do.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record import codec, sealing
from protocol.record.signature import SIGNATURE_SIZE, is_signed, public_key, sign_message

PLACE_SIZE = 16  # bytes: the beginning of the id of the neighbourhood that a statement is for
FOUNDING_PLACE = bytes(PLACE_SIZE)  # the place in the charter, which creates that id

_DOMAIN = b"meshcoop statement 1\0"
_CERTIFY = "certify"
_REVOKE = "revoke"
_BODY_FIELDS = 5
_KEY_SIZE = 32


class Certificate(NamedTuple):
    """`person` (root key) says that `device` is theirs in the neighbourhood whose id begins with
    `place`. `box`: the device's box key, to which things are sealed.
    """

    place: bytes
    person: bytes
    device: bytes
    box: bytes


class Revocation(NamedTuple):
    """`person` (root key) says that no record of `device` after number `after` is theirs in the
    neighbourhood whose id begins with `place`.
    """

    place: bytes
    person: bytes
    device: bytes
    after: int


def certify_device(
    root_seed: bytes, device_seed: bytes, box: bytes, place: bytes = FOUNDING_PLACE
) -> bytes:
    """The statement that a device is this person's, for the neighbourhood whose id begins with
    `place`, so that nobody carries it elsewhere.

    The device signs it too, so that nobody claims another's device.
    """
    body = [_CERTIFY, place, public_key(root_seed), public_key(device_seed), box]
    return codec.pack([body, _sign(body, root_seed), _sign(body, device_seed)])


def revoke_device(root_seed: bytes, device: bytes, after: int, place: bytes) -> bytes:
    """The statement that ends `device` after its record number `after` (0: from the beginning)."""
    body = [_REVOKE, place, public_key(root_seed), device, after]
    return codec.pack([body, _sign(body, root_seed)])


# Every authority fold reads the same statements again, and their signatures cost most of it.
@lru_cache(maxsize=4096)
def read_statement(statement: bytes) -> Certificate | Revocation:
    """Reads a statement and checks its signatures. Raises Refused (R-03.1 to R-03.3)."""
    body, signatures = _split(codec.unpack(statement))
    verb, place, person, device, last = body
    _check_bytes(place, PLACE_SIZE)
    _check_bytes(person, _KEY_SIZE)
    _check_bytes(device, _KEY_SIZE)
    if verb == _CERTIFY and len(signatures) == 2:  # noqa: PLR2004
        _check_bytes(last, _KEY_SIZE)
        _verify(body, person, signatures[0])
        _verify(body, device, signatures[1])
        sealing.check_box_key(last)
        return Certificate(place, person, device, last)
    if verb == _REVOKE and len(signatures) == 1:
        if type(last) is not int or last < 0:
            raise Refused("R-03.3", "a device is revoked after a record number")
        _verify(body, person, signatures[0])
        return Revocation(place, person, device, last)
    raise Refused("R-03.1", "a root statement certifies or revokes a device")


def _split(value: Any) -> tuple[list[Any], list[Any]]:
    """The body of a statement, five fields, and the signatures after it. Raises Refused."""
    if type(value) is list and value:
        body = value[0]
        if type(body) is list and len(body) == _BODY_FIELDS:
            return body, value[1:]
    raise Refused("R-03.1", "not a root statement")


def _sign(body: list[Any], seed: bytes) -> bytes:
    return sign_message(_DOMAIN + codec.pack(body), seed)


def _check_bytes(value: Any, size: int) -> None:
    if type(value) is not bytes or len(value) != size:
        raise Refused("R-03.1", "keys are 32 bytes, places 16 and signatures 64")


def _verify(body: list[Any], key: bytes, signature: Any) -> None:
    _check_bytes(signature, SIGNATURE_SIZE)
    if not is_signed(_DOMAIN + codec.pack(body), signature, key):
        raise Refused("R-03.2", "a signature of the statement does not hold")
