"""Field rules for the params of the local API (R-06.15).

A param is of exactly one type: a text "no" is no boolean, and true is no number. The method finds
out later what a text means, for example which person has this name.
"""

import math
from dataclasses import dataclass
from typing import Any

from protocol.errors import Refused
from protocol.schema.fields import Field

MOST_TEXT = 1024 * 1024  # characters; no frame holds more
MOST_COUNT = 2**40

_LEAST_DIGITS = 8
_MOST_DIGITS = 64
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, kw_only=True)
class TypedText(Field):
    """A text of at most `max` characters. At least one of them must not be a blank."""

    max: int = MOST_TEXT
    type_name = "text"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not str or len(value) > self.max:
            raise _refusal(name, "a text of at most {most} characters", most=self.max)
        if not value.strip():
            raise _refusal(name, "filled in")


@dataclass(frozen=True, kw_only=True)
class IdPrefix(TypedText):
    """The first 8 or more hexadecimal digits of an id."""

    type_name = "start of an id"

    def check(self, name: str, value: Any) -> None:
        has_length = type(value) is str and _LEAST_DIGITS <= len(value) <= _MOST_DIGITS
        if not has_length or not _HEX_DIGITS.issuperset(value):
            raise _refusal(name, "8 to 64 hexadecimal digits")


@dataclass(frozen=True, kw_only=True)
class Hexadecimal(TypedText):
    """Bytes, written as hexadecimal digits."""

    type_name = "hexadecimal"

    def check(self, name: str, value: Any) -> None:
        super().check(name, value)
        if len(value) % 2 or not _HEX_DIGITS.issuperset(value):
            raise _refusal(name, "hexadecimal digits")


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """True or false."""

    type_name = "boolean"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bool:
            raise _refusal(name, "true or false")


@dataclass(frozen=True, kw_only=True)
class Count(Field):
    """A whole number, `min` or more."""

    min: int = 0
    type_name = "integer"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not int or not self.min <= value < MOST_COUNT:
            raise _refusal(name, "a whole number, {least} or more", least=self.min)


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number, 0 or more. It may have a fraction."""

    type_name = "number"

    def check(self, name: str, value: Any) -> None:
        is_number = type(value) in {int, float} and math.isfinite(value)
        if not is_number or not 0 <= value < MOST_COUNT:
            raise _refusal(name, "a number, 0 or more")


@dataclass(frozen=True, kw_only=True)
class Seconds(Number):
    """A number of seconds. It may have a fraction."""

    type_name = "seconds"


@dataclass(frozen=True, kw_only=True)
class TypedValue(Field):
    """A value of a field, as a person types it. The kind of the record checks it."""

    type_name = "any value"

    def check(self, name: str, value: Any) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class TypedFields(Field):
    """The fields of a record, as a person types them. The kind of the record checks them."""

    type_name = "map"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not dict:
            raise _refusal(name, "a map of names and values")


@dataclass(frozen=True, kw_only=True)
class RecordWire(Field):
    """A record, as bytes."""

    type_name = "bytes"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bytes:
            raise _refusal(name, "bytes")


@dataclass(frozen=True, kw_only=True)
class ListOf(Field):
    """A list. Each value in it follows the rules of the field `of`."""

    of: Field
    is_list = True

    @property
    def type_name(self) -> str:  # type: ignore[override]
        return f"list of {self.of.type_name}"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not list:
            raise _refusal(name, "a list")
        for single in value:
            self.of.check(name, single)


def _refusal(name: str, must: str, **arguments: object) -> Refused:
    return Refused("R-06.15", "{field} must be " + must, field=name, **arguments)
