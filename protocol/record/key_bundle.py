"""A bundle of group keys, sealed to one device that asked for them (specs/03, R-03.39).

A bundle lists keys by their maker: the device that made them. A key's id is a hash of the maker and
the key. So the receiver can tell which keys it has got.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from protocol.errors import Refused
from protocol.record import codec
from protocol.record.sealing import (
    KEY_SIZE,
    BoxKey,
    EpochKey,
    open_private_content,
    seal_private_content,
)

SHORT_ID_SIZE = 8  # bytes of a key's id with which a device asks for the key
MAX_KEYS_GIVEN = 400  # keys in one bundle
MAX_BUNDLE = 15_000  # bytes

_MAX_PLAIN = MAX_BUNDLE - 200  # the seal adds less than 200 bytes
_FRAMING = 8  # bytes around a maker and its keys


def seal_bundle(
    keys: Iterable[EpochKey], box: bytes, neighbourhood: bytes, seed: bytes
) -> bytes | None:
    """Seals keys to the device with the box key `box`. Takes the first keys, as long as they fit
    into one bundle. `seed` is 32 fresh random bytes. Returns None if there is no key.
    """
    by_maker: dict[bytes, bytes] = defaultdict(bytes)
    size = 0
    for key in list(keys)[:MAX_KEYS_GIVEN]:
        is_new_maker = key.maker not in by_maker
        size += 2 * KEY_SIZE + _FRAMING if is_new_maker else KEY_SIZE
        if size > _MAX_PLAIN or (is_new_maker and len(by_maker) == codec.MAX_ITEMS):
            break
        by_maker[key.maker] += key.key
    if not by_maker:
        return None
    plain = codec.pack([[maker, joined] for maker, joined in sorted(by_maker.items())])
    return seal_private_content([box], plain, _context(neighbourhood, box), seed)


def open_bundle(sealed: bytes, box: BoxKey, neighbourhood: bytes) -> list[EpochKey]:
    """Opens a bundle that is sealed to `box`. Raises Refused (R-03.39d) if it cannot be read."""
    plain = open_private_content(sealed, [box], _context(neighbourhood, box.public))
    if plain is None:
        raise Refused("R-03.39d", "these keys are sealed to another device")
    return [
        EpochKey.from_key(maker, joined[at : at + KEY_SIZE])
        for maker, joined in _read_plain(plain)
        for at in range(0, len(joined), KEY_SIZE)
    ]


def _read_plain(plain: bytes) -> list[tuple[bytes, bytes]]:
    groups: Any = codec.unpack(plain)
    if type(groups) is not list or not all(map(_is_group, groups)):
        raise Refused("R-03.39d", "a bundle lists makers with their keys")
    return [(maker, joined) for maker, joined in groups]


def _is_group(group: Any) -> bool:
    is_pair = type(group) is list and [type(part) for part in group] == [bytes, bytes]
    return is_pair and len(group[0]) == KEY_SIZE and len(group[1]) % KEY_SIZE == 0


def _context(neighbourhood: bytes, box: bytes) -> bytes:
    return b"meshcoop keys 2\0" + neighbourhood + box
