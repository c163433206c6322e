"""Canonical msgpack: one value, one encoding (specs/02-codec.md).

Records are signed and named by their bytes, so a reader takes only bytes that it would have
written itself. The limits keep a hostile value small before anything looks at its meaning.
"""

from collections.abc import Iterable
from typing import Any, NoReturn

import msgpack

from protocol.errors import Refused

MAX_BYTES = 16 * 1024
MAX_DEPTH = 6
MAX_ITEMS = 64
MAX_TEXT = 2000

_UTF8_BYTES = 4 * MAX_TEXT
_NESTS = frozenset((dict, list, tuple))
_FLAT = frozenset((int, bytes, bool, type(None)))


def _no_extension(code: int, data: bytes) -> NoReturn:
    raise ValueError(f"extension type {code} of {len(data)} bytes")


def pack(value: Any) -> bytes:
    """Encodes nil, booleans, 64-bit integers, bytes, text, lists and maps with text keys.

    The caller hands in what the limits allow; map keys may come in any order.
    """
    packed: bytes = msgpack.packb(_ordered(value))
    return packed


def unpack(data: bytes) -> Any:
    """Decodes canonical bytes within the limits of a record. Raises Refused (R-02.1 to R-02.6)."""
    value = unpack_framed(data, max_bytes=MAX_BYTES, max_items=MAX_ITEMS)
    _walk(value, MAX_DEPTH)
    return value


def unpack_framed(data: bytes, *, max_bytes: int, max_items: int) -> Any:
    """Decodes bytes that re-encode to themselves, for frames that have limits of their own.

    Depth, key order and text length are left to whoever checks the frame's shape.
    """
    if len(data) > max_bytes:
        raise Refused("R-02.1", f"{len(data)} bytes are more than the {max_bytes} allowed")
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            ext_hook=_no_extension,
            max_str_len=min(_UTF8_BYTES, max_bytes),
            max_bin_len=max_bytes,
            max_array_len=max_items,
            max_map_len=max_items,
            max_ext_len=0,
        )
        same = msgpack.packb(value) == data
    # RecursionError: msgpack's packer gives up on nesting that its unpacker still accepted.
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise Refused("R-02.2", f"not the msgpack of this protocol: {error}"[:200]) from None
    if not same:
        raise Refused("R-02.3", "the bytes are not the canonical encoding of their value")
    return value


def _ordered(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        # Python orders texts by code point, which is the order of their UTF-8 bytes.
        return {key: _ordered(v) if type(v := value[key]) in _NESTS else v for key in sorted(value)}
    if kind is list or kind is tuple:
        return [_ordered(item) if type(item) in _NESTS else item for item in value]
    return value


def _walk(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str:
        if len(value) > MAX_TEXT:
            raise Refused("R-02.5", f"a text of {len(value)} characters; {MAX_TEXT} are allowed")
    elif kind is list:
        _room(depth)
        _walk_all(value, depth)
    elif kind is dict:
        _room(depth)
        _check_keys(value)
        _walk_all(value.values(), depth)
    elif kind not in _FLAT:
        raise Refused("R-02.4", f"values of type {kind.__name__} are not used")


def _walk_all(items: Iterable[Any], depth: int) -> None:
    for item in items:
        # Most are flat, and a call each would cost more than the look.
        kind = type(item)
        if kind not in _FLAT and (kind is not str or len(item) > MAX_TEXT):
            _walk(item, depth - 1)


def _room(depth: int) -> None:
    if depth == 0:
        raise Refused("R-02.5", f"nested deeper than {MAX_DEPTH}")


def _check_keys(value: dict[Any, Any]) -> None:
    keys = list(value)
    if not all(type(key) is str for key in keys):
        raise Refused("R-02.4", "map keys are texts")
    if keys != sorted(keys):
        raise Refused("R-02.6", "map keys are sorted by their UTF-8 bytes")
