"""What the methods of the local API are asked with: checked, a wrong one is a sentence."""

from typing import Any

from meshcoop.errors import Mistake

Params = dict[str, Any]

USAGE = 2  # the exit code of a mistake in how something was asked
_MAX_PIN = 1024


def text(params: Params, name: str) -> str:
    """A text that is there. Raises Mistake (2)."""
    value = params.get(name)
    if type(value) is not str or not value.strip():
        raise Mistake(f"`{name}` is missing.", USAGE)
    return value


def number(params: Params, name: str, default: float) -> float:
    """A number, 0 or more. Raises Mistake (2)."""
    value = params.get(name)
    if value is None:
        return default
    if type(value) not in {int, float} or not 0 <= value < 2**40:
        raise Mistake(f"`{name}` is a number, 0 or more.", USAGE)
    return float(value)


def digits(value: Any) -> str:
    """The beginning of an id. Raises Mistake (2)."""
    typed = str(value).lower()
    if not 8 <= len(typed) <= 64 or not set(typed) <= set("0123456789abcdef"):  # noqa: PLR2004
        raise Mistake("An id is 8 to 64 hexadecimal digits.", USAGE)
    return typed


def raw(params: Params, name: str) -> bytes:
    """Bytes, which came as hexadecimal digits. Raises Mistake (2)."""
    try:
        return bytes.fromhex(text(params, name))
    except ValueError:
        raise Mistake(f"`{name}` is no hexadecimal digits.", USAGE) from None


def pin(params: Params) -> str | None:
    """A guest's PIN, if one was given. Raises Mistake (2)."""
    value = params.get("pin")
    if value is not None and (type(value) is not str or len(value) > _MAX_PIN):
        raise Mistake(f"A PIN is a text of up to {_MAX_PIN} characters.", USAGE)
    return value
