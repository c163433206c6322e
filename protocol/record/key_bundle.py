"""A bundle of group keys, sealed to one device that asked for them (specs/03, R-03.39).

In a bundle, each key follows its origin: a hash that names the key's maker (R-01.21a). A key's id
is a hash of the origin and the key. So the receiver can work out which keys these are.
"""

from collections.abc import Iterable

from protocol.errors import Refused
from protocol.record.sealing import (
    KEY_SIZE,
    BoxKey,
    EpochKey,
    open_private_content,
    seal_private_content,
)

SHORT_ID_SIZE = 8  # bytes of a key's id with which a device asks for the key
MAX_KEYS_GIVEN = 230  # keys in one bundle
MAX_BUNDLE = 15_000  # bytes; the most keys and the seal have 14,900

_ITEM_SIZE = 2 * KEY_SIZE  # an origin and a key


def seal_bundle(
    keys: Iterable[EpochKey], box: bytes, neighbourhood: bytes, seed: bytes
) -> bytes | None:
    """Seals keys to the device with the box key `box`. Takes the first MAX_KEYS_GIVEN keys. `seed`
    is 32 fresh random bytes. Returns None if there is no key.
    """
    plain = b"".join(key.origin + key.key for key in list(keys)[:MAX_KEYS_GIVEN])
    if not plain:
        return None
    return seal_private_content([box], plain, _context(neighbourhood, box), seed)


def open_bundle(sealed: bytes, box: BoxKey, neighbourhood: bytes) -> list[EpochKey]:
    """Opens a bundle that is sealed to `box`. Raises Refused (R-03.39d) if the bundle cannot be
    read.
    """
    plain = open_private_content(sealed, [box], _context(neighbourhood, box.public))
    if plain is None:
        raise Refused("R-03.39d", "these keys are sealed to another device")
    if len(plain) % _ITEM_SIZE:
        raise Refused("R-03.39d", "a bundle has each key behind its origin")
    items = [plain[at : at + _ITEM_SIZE] for at in range(0, len(plain), _ITEM_SIZE)]
    return [EpochKey.from_key(item[:KEY_SIZE], item[KEY_SIZE:]) for item in items]


def _context(neighbourhood: bytes, box: bytes) -> bytes:
    return b"meshcoop keys 2\0" + neighbourhood + box
