"""Canonical msgpack: each value has exactly one encoding (specs/02-codec.md).

A record's signature and id are computed from its bytes. So a reader accepts bytes only if encoding
their value gives the same bytes again. A hostile value may be too large: the limits stop it before
other code reads it.
"""

from collections.abc import Iterable
from typing import Any, NoReturn

import msgpack

from protocol.errors import Refused

MAX_BYTES = 16 * 1024  # the most bytes of one encoded value
MAX_DEPTH = 6  # the most lists and maps inside each other
MAX_ITEMS = 64  # the most items in one list or map
MAX_TEXT = 2000  # the most code points in one text

_MAX_UTF8_BYTES = 4 * MAX_TEXT
_CONTAINERS = frozenset((dict, list, tuple))
_SCALARS = frozenset((int, bytes, bool, type(None)))


def pack(value: Any) -> bytes:
    """Encodes nil, booleans, 64-bit integers, bytes, text, lists and maps with text keys.

    The keys of a map may be in any order. This function does not check the limits: the caller must
    keep them.
    """
    packed: bytes = msgpack.packb(_with_sorted_keys(value))
    return packed


def unpack(data: bytes) -> Any:
    """Decodes canonical bytes and checks a record's limits. Raises Refused (R-02.1 to R-02.6)."""
    value = unpack_framed(data, max_bytes=MAX_BYTES, max_items=MAX_ITEMS)
    _check_value(value, MAX_DEPTH)
    return value


def unpack_again(data: bytes) -> Any:
    """Decodes bytes that `unpack` has decoded before, and does not check them again."""
    return msgpack.unpackb(data, raw=False)


def unpack_framed(data: bytes, *, max_bytes: int, max_items: int) -> Any:
    """Decodes the bytes of a frame, which has limits of its own.

    The bytes must be canonical: encoding the result must give the same bytes again. This function
    does not check depth, key order and text length. The code that reads the frame checks its shape.
    Raises Refused (R-02.1 to R-02.3).
    """
    if len(data) > max_bytes:
        raise Refused(
            "R-02.1",
            "{count} bytes are more than the {max_bytes} allowed",
            count=len(data),
            max_bytes=max_bytes,
        )
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            ext_hook=_refuse_extension,
            max_str_len=min(_MAX_UTF8_BYTES, max_bytes),
            max_bin_len=max_bytes,
            max_array_len=max_items,
            max_map_len=max_items,
            max_ext_len=0,
        )
        is_canonical = msgpack.packb(value) == data
    # RecursionError comes from `packb`: it refuses deep nesting that `unpackb` accepts.
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise Refused(
            "R-02.2", "not the msgpack of this protocol: {error}", error=str(error)[:150]
        ) from None
    if not is_canonical:
        raise Refused("R-02.3", "the bytes are not the canonical encoding of their value")
    return value


def _with_sorted_keys(value: Any) -> Any:
    """Returns the same value, with the keys of every map sorted."""
    # This function sees every value of every record, and most values are no lists or maps. One call
    # for each value would cost a third more time. So the code checks the type before each call.
    value_type = type(value)
    if value_type is dict:
        # Python orders texts by code point, which is the order of their UTF-8 bytes.
        return {
            key: _with_sorted_keys(nested) if type(nested := value[key]) in _CONTAINERS else nested
            for key in sorted(value)
        }
    if value_type is list or value_type is tuple:
        return [
            _with_sorted_keys(nested) if type(nested) in _CONTAINERS else nested for nested in value
        ]
    return value


def _refuse_extension(code: int, data: bytes) -> NoReturn:
    raise ValueError(f"extension type {code} of {len(data)} bytes")


def _check_value(value: Any, depth: int) -> None:
    """Raises Refused if a value breaks a limit (R-02.4 to R-02.6).

    `depth` is the number of levels of lists and maps that the value may have.
    """
    value_type = type(value)
    if value_type is str:
        if len(value) > MAX_TEXT:
            raise Refused(
                "R-02.5",
                "a text of {count} characters; {max_text} are allowed",
                count=len(value),
                max_text=MAX_TEXT,
            )
    elif value_type is list:
        _check_depth(depth)
        _check_values(value, depth)
    elif value_type is dict:
        _check_depth(depth)
        _check_keys(value)
        _check_values(value.values(), depth)
    elif value_type not in _SCALARS:
        raise Refused("R-02.4", "values of type {name} are not used", name=value_type.__name__)


def _check_values(values: Iterable[Any], depth: int) -> None:
    for value in values:
        # Most values need no check of their own, and a call for each would cost too much time.
        value_type = type(value)
        if value_type not in _SCALARS and (value_type is not str or len(value) > MAX_TEXT):
            _check_value(value, depth - 1)


def _check_depth(depth: int) -> None:
    if depth == 0:
        raise Refused("R-02.5", "nested deeper than {max_depth}", max_depth=MAX_DEPTH)


def _check_keys(value: dict[Any, Any]) -> None:
    keys = list(value)
    if not all(type(key) is str for key in keys):
        raise Refused("R-02.4", "map keys are texts")
    if keys != sorted(keys):
        raise Refused("R-02.6", "map keys are sorted by their UTF-8 bytes")
