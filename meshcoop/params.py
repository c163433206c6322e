"""What programs send with a call, checked: a wrong parameter is a sentence with the remedy."""

from typing import Any

from meshcoop.errors import Mistake

Params = dict[str, Any]

USAGE = 2  # the exit code of a mistake in how something was asked


def text(params: Params, name: str) -> str:
    """A text that is needed."""
    value = params.get(name)
    if type(value) is not str or not value.strip():
        raise Mistake(f"`{name}` is missing.", USAGE)
    return value


def number(params: Params, name: str, default: float) -> float:
    """A number, 0 or more."""
    value = params.get(name)
    if value is None:
        return default
    if type(value) not in {int, float} or not 0 <= value < 2**40:
        raise Mistake(f"`{name}` is a number, 0 or more.", USAGE)
    return float(value)


def hexadecimal(value: Any) -> str:
    """The beginning of an id."""
    digits = str(value).lower()
    if not 8 <= len(digits) <= 64 or not set(digits) <= set("0123456789abcdef"):  # noqa: PLR2004
        raise Mistake("An id is 8 to 64 hexadecimal digits.", USAGE)
    return digits
