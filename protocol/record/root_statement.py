"""Root statements: a person's root key certifies or revokes a device, or says that the person
leaves (specs/03, R-03.1 to R-03.3, R-03.34).

A root key has no log of its own. So records of the kinds `charter`, `admit` and `device` carry its
statements. Anybody's record may carry a statement, because the signatures in the statement prove
it.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record import codec, sealing
from protocol.record.signature import SIGNATURE_SIZE, is_signed, public_key, sign_message

PLACE_SIZE = 16  # bytes: a statement names its neighbourhood by the beginning of the id
FOUNDING_PLACE = bytes(PLACE_SIZE)  # the place in a charter's statements: no id exists yet

_DOMAIN = b"meshcoop statement 2\0"
_CERTIFY = "certify"
_REVOKE = "revoke"
_LEAVE = "leave"
MAX_LOGS = 32  # a leave names at most so many devices
_BODY_FIELDS = 5
_KEY_SIZE = 32


class Certificate(NamedTuple):
    """A statement that a device belongs to a person in one neighbourhood.

    `person` is the person's root key. `place` is the beginning of the neighbourhood's id. `box` is
    the device's box key: records are sealed to this key.
    """

    place: bytes
    person: bytes
    device: bytes
    box: bytes


class Revocation(NamedTuple):
    """A statement that revokes `device`: its records after number `after` do not count.

    `person` is the root key of the person who revokes the device. The statement is valid in one
    neighbourhood only: `place` is the beginning of that neighbourhood's id.
    """

    place: bytes
    person: bytes
    device: bytes
    after: int


class Leave(NamedTuple):
    """A statement that the person leaves the neighbourhood.

    `n` is the odd number that the register of the person's standing gets. `cuts` has pairs: a
    device, and the last number of the device's log that counts. The pairs are sorted by device.
    """

    place: bytes
    person: bytes
    n: int
    cuts: tuple[tuple[bytes, int], ...]


RootStatement = Certificate | Revocation | Leave


def certify_device(
    root_seed: bytes, device_seed: bytes, box: bytes, place: bytes = FOUNDING_PLACE
) -> bytes:
    """Makes the statement that a device belongs to the person with this root key.

    `place` is the beginning of the neighbourhood's id, so that nobody can use the statement in
    another neighbourhood. The device signs the statement too, so that nobody can claim another
    person's device.
    """
    body = [_CERTIFY, place, public_key(root_seed), public_key(device_seed), box]
    return codec.pack([body, _sign(body, root_seed), _sign(body, device_seed)])


def revoke_device(root_seed: bytes, device: bytes, after: int, place: bytes) -> bytes:
    """Makes the statement that revokes `device` after its record with number `after`.

    With `after` 0, no record of the device counts.
    """
    body = [_REVOKE, place, public_key(root_seed), device, after]
    return codec.pack([body, _sign(body, root_seed)])


def state_leave(root_seed: bytes, n: int, cuts: Mapping[bytes, int], place: bytes) -> bytes:
    """Makes the statement that the person with this root key leaves.

    `cuts` maps each device of the person to the last number of its log that counts.
    """
    pairs = [[device, last] for device, last in sorted(cuts.items())]
    body = [_LEAVE, place, public_key(root_seed), n, pairs]
    return codec.pack([body, _sign(body, root_seed)])


# The results are cached, because each fold of authority reads the same statements again. Checking
# their signatures takes most of the time.
@lru_cache(maxsize=4096)
def read_statement(statement: bytes) -> RootStatement:
    """Reads a statement and checks its signatures. Raises Refused (R-03.1 to R-03.3, R-03.34)."""
    body, signatures = _split(codec.unpack(statement))
    verb, place, person, device, last = body
    _check_bytes(place, PLACE_SIZE)
    _check_bytes(person, _KEY_SIZE)
    if verb == _LEAVE and len(signatures) == 1:
        cuts = _read_cuts(last)
        if type(device) is not int or device < 1 or device % 2 == 0:
            raise Refused("R-03.34", "who leaves gets an odd number")
        _verify(body, person, signatures[0])
        return Leave(place, person, device, cuts)
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
    raise Refused("R-03.1", "a root statement certifies or revokes a device, or is a leave")


def _split(value: Any) -> tuple[list[Any], list[Any]]:
    """Splits a statement into its body and its signatures. The body has five fields.

    Raises Refused if the statement has another form.
    """
    if type(value) is list and value:
        body = value[0]
        if type(body) is list and len(body) == _BODY_FIELDS:
            return body, value[1:]
    raise Refused("R-03.1", "not a root statement")


def _read_cuts(pairs: Any) -> tuple[tuple[bytes, int], ...]:
    """Reads the cuts of a leave. The cut of a log is the last number that counts. Raises Refused if
    the cuts have a wrong form.
    """
    if type(pairs) is not list or len(pairs) > MAX_LOGS:
        raise Refused("R-03.34", "a leave names at most {most} devices", most=MAX_LOGS)
    for pair in pairs:
        if type(pair) is not list or [type(part) for part in pair] != [bytes, int]:
            raise Refused("R-03.34", "a leave has pairs of a device and a number")
        _check_bytes(pair[0], _KEY_SIZE)
    devices = [device for device, _ in pairs]
    if devices != sorted(set(devices)) or any(last < 0 for _, last in pairs):
        raise Refused("R-03.34", "a leave names each device once, sorted")
    return tuple((device, last) for device, last in pairs)


def _sign(body: list[Any], seed: bytes) -> bytes:
    return sign_message(_DOMAIN + codec.pack(body), seed)


def _check_bytes(value: Any, size: int) -> None:
    if type(value) is not bytes or len(value) != size:
        raise Refused("R-03.1", "keys are 32 bytes, places 16 and signatures 64")


def _verify(body: list[Any], key: bytes, signature: Any) -> None:
    _check_bytes(signature, SIGNATURE_SIZE)
    if not is_signed(_DOMAIN + codec.pack(body), signature, key):
        raise Refused("R-03.2", "a signature of the statement does not hold")
