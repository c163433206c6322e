"""Reads the parameters of a call to the local API.

If a parameter is wrong, these functions raise a Mistake with the exit code 2.
"""

from typing import Any

from meshcoop.errors import Mistake

Params = dict[str, Any]

USAGE_ERROR = 2  # the exit code for a request whose form is wrong

_MIN_ID_DIGITS = 8
_MAX_ID_DIGITS = 64
_HEX_DIGITS = frozenset("0123456789abcdef")
_MAX_NUMBER = 2**40
_MAX_PIN = 1024  # characters


def read_text(params: Params, name: str) -> str:
    """Reads a text. Raises Mistake (exit code 2) if the text is missing or blank."""
    value = params.get(name)
    if type(value) is not str or not value.strip():
        raise Mistake("`{name}` is missing.", USAGE_ERROR, name=name)
    return value


def read_number(params: Params, name: str, default: float) -> float:
    """Reads a number of 0 or more. Returns `default` if the parameter is missing. Raises Mistake
    (exit code 2) if it is anything else.
    """
    value = params.get(name)
    if value is None:
        return default
    # `isinstance` would accept a bool, because a bool is an int.
    if type(value) not in {int, float} or not 0 <= value < _MAX_NUMBER:
        raise Mistake("`{name}` is a number, 0 or more.", USAGE_ERROR, name=name)
    return float(value)


def read_id_prefix(value: Any) -> str:
    """Reads the beginning of an id: at least 8 hexadecimal digits. Raises Mistake (exit code 2) if
    the value is anything else.
    """
    prefix = str(value).lower()
    has_length = _MIN_ID_DIGITS <= len(prefix) <= _MAX_ID_DIGITS
    if not has_length or not _HEX_DIGITS.issuperset(prefix):
        raise Mistake("An id is 8 to 64 hexadecimal digits.", USAGE_ERROR)
    return prefix


def read_hex(params: Params, name: str) -> bytes:
    """Reads bytes that the client sent as hexadecimal digits. Raises Mistake (exit code 2) if the
    parameter has no such digits.
    """
    try:
        return bytes.fromhex(read_text(params, name))
    except ValueError:
        raise Mistake("`{name}` must be hexadecimal digits.", USAGE_ERROR, name=name) from None


def read_pin(params: Params) -> str | None:
    """Reads a guest's PIN. Returns None if the parameter is missing. Raises Mistake (exit code 2)
    if it is no text.
    """
    value = params.get("pin")
    if value is not None and (type(value) is not str or len(value) > _MAX_PIN):
        raise Mistake(
            "A PIN is a text of up to {max_pin} characters.", USAGE_ERROR, max_pin=_MAX_PIN
        )
    return value
