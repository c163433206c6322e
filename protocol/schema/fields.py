"""Field rules: what a value in a record may be, how people write it and how it is shown.

A kind declares its fields once with these (specs/10-kinds.md); validation, the command line's
options, the form on screen, the spec's table and the tests' strategies all derive from them.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from protocol.errors import Refused
from protocol.record.codec import MAX_ITEMS

Resolve = Callable[[str, str], bytes]  # ("person" or "record", what somebody typed) → full id

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?")
_DATE_LENGTH = len("2026-11-23")
MAX_NAME = 40  # characters, of a value in a map


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a kind. `private`: sealed to both parties inside the content (R-10.6)."""

    required: bool = False
    private: bool = False
    default: Any = None
    filled: bool = False  # written by the software, not by a person
    beside: bool = False  # words that go in a record beside an open one
    help: str = ""

    type_name = "value"
    hint = ""  # how a person writes it
    many = False
    phrase = False  # one value of several words
    wording = False  # free words, which can be hidden
    names_people = False

    def check(self, name: str, value: Any) -> None:
        """Raises Refused (R-10.3) unless `value` is one this field may hold."""
        raise NotImplementedError

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        """The value that a person's or program's input means. Raises Refused."""
        del name, resolve
        return given

    def people(self, value: Any) -> set[bytes]:
        """The people whom a value names."""
        return {value} if self.names_people else set()

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """Smallest and largest: of the number, else of the length or count."""
        return None, None


def _refuse(name: str, must: str) -> Refused:
    return Refused("R-10.3", f"{name} must be {must}")


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Text of `min` to `max` characters (code points)."""

    min: int = 0
    max: int = 200
    type_name = hint = "text"
    wording = True

    def check(self, name: str, value: Any) -> None:
        if type(value) is not str or not self.min <= len(value) <= self.max:
            raise _refuse(name, f"a text of {self.min} to {self.max} characters")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        if type(given) is not str:
            return given
        if not given.isascii() and any("\ud800" <= one <= "\udfff" for one in given):
            raise _refuse(name, "text, and half a character is none")
        if len(given.strip()) < self.min:
            raise _refuse(name, "filled in")
        return unicodedata.normalize("NFC", given)  # authors write NFC

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return self.min, self.max


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    """A whole number from `min` to `max`."""

    min: int = 0
    max: int = 2**31
    type_name, hint = "integer", "a number"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not int or not self.min <= value <= self.max:
            raise _refuse(name, f"a whole number from {self.min} to {self.max}")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        if type(given) is str:
            # "−10" with a typographic minus is what a person copies from a page.
            text = given.strip().replace("\u2212", "-")
            if not re.fullmatch(r"-?[0-9]{1,15}", text):
                raise _refuse(name, f"a whole number from {self.min} to {self.max}")
            return int(text)
        return given

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return self.min, self.max


@dataclass(frozen=True, kw_only=True)
class Minutes(Integer):
    """A duration. An hour of anyone's work is worth an hour of anyone else's."""

    max: int = 60 * 24 * 31
    type_name = hint = "minutes"


@dataclass(frozen=True, kw_only=True)
class Moment(Field):
    """A date YYYY-MM-DD, with THH:MM where an hour matters; a Z says UTC, else it is local."""

    type_name, hint = "moment", "YYYY-MM-DD or YYYY-MM-DDTHH:MM"
    day_only: bool = False

    def check(self, name: str, value: Any) -> None:
        must = "a date like 2026-11-23" + ("" if self.day_only else " or 2026-11-23T09:30")
        if type(value) is not str or not _MOMENT.fullmatch(value):
            raise _refuse(name, must)
        if self.day_only and len(value) != _DATE_LENGTH:
            raise _refuse(name, must)
        try:
            date.fromisoformat(value[:_DATE_LENGTH])
            datetime.fromisoformat(value)
        except ValueError:
            raise _refuse(name, must) from None


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a few words."""

    words: tuple[str, ...]
    type_name, hint = "choice", "a word"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not str or value not in self.words:
            raise _refuse(name, "one of " + ", ".join(self.words))


@dataclass(frozen=True, kw_only=True)
class Person(Field):
    """A person: their root key, 32 bytes; people type a name or the start of an id."""

    type_name, hint = "person", "a name or the start of an id"
    names_people = True

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bytes or len(value) != 32:  # noqa: PLR2004
            raise _refuse(name, "a person")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        if type(given) is not str:
            raise _refuse(name, "a person's name or id")
        return resolve("person", given)


@dataclass(frozen=True, kw_only=True)
class Named(Field):
    """A member, or the name of somebody outside; what is typed means a member where one has it."""

    type_name, hint = "person or name", "a member or a name"
    wording = names_people = True
    _name = Text(min=1, max=80)

    def people(self, value: Any) -> set[bytes]:
        return {value} if type(value) is bytes else set()

    def check(self, name: str, value: Any) -> None:
        if type(value) is bytes:
            Person().check(name, value)
        else:
            self._name.check(name, value)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        try:
            return resolve("named", given) if type(given) is str else given
        except Refused:  # nobody here is called so
            return self._name.read(name, given, resolve)


@dataclass(frozen=True, kw_only=True)
class Record(Field):
    """Another record: its id, 32 bytes; people type the start of it."""

    type_name, hint = "record", "the start of an id"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bytes or len(value) != 32:  # noqa: PLR2004
            raise _refuse(name, "a record")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        if type(given) is not str:
            raise _refuse(name, "a record's id")
        return resolve("record", given)


@dataclass(frozen=True, kw_only=True)
class Bytes(Field):
    """Raw bytes, `min` to `max` of them; written by software, shown in hex."""

    min: int = 0
    max: int = 8192
    type_name = "bytes"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bytes or not self.min <= len(value) <= self.max:
            raise _refuse(name, f"{self.min} to {self.max} bytes")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        try:
            return bytes.fromhex(given)
        except (ValueError, TypeError):
            raise _refuse(name, "hexadecimal digits") from None

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return self.min, self.max


@dataclass(frozen=True, kw_only=True)
class Many(Field):
    """A list of at most `max` values of one field type."""

    of: Field
    max: int = 16
    many = True
    hint = "repeat for more"

    def __post_init__(self) -> None:
        if self.max > MAX_ITEMS:
            raise ValueError("more items than a container may hold")

    @property
    def type_name(self) -> str:  # type: ignore[override]  # a class constant elsewhere
        return f"list of {self.of.type_name}"

    @property
    def wording(self) -> bool:  # type: ignore[override]  # as above
        return self.of.wording

    @property
    def names_people(self) -> bool:  # type: ignore[override]
        return self.of.names_people

    def check(self, name: str, value: Any) -> None:
        if type(value) is not list or len(value) > self.max:
            raise _refuse(name, f"a list of at most {self.max}")
        for item in value:
            self.of.check(name, item)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        items = given if isinstance(given, list) else [given]
        return [self.of.read(name, item, resolve) for item in items]

    def people(self, value: Any) -> set[bytes]:
        return {person for item in value for person in self.of.people(item)}

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return 0, self.max


@dataclass(frozen=True, kw_only=True)
class Map(Many):
    """At most `max` named values of one field type."""

    hint = "NAME=VALUE, repeat for more"

    @property
    def type_name(self) -> str:  # type: ignore[override]  # as above
        return f"map of {self.of.type_name}"

    @property
    def wording(self) -> bool:  # type: ignore[override]  # people choose the names
        return True

    def check(self, name: str, value: Any) -> None:
        if type(value) is not dict or len(value) > self.max:
            raise _refuse(name, f"at most {self.max} values with names")
        for key, item in value.items():
            if type(key) is not str or len(key) > MAX_NAME:
                raise _refuse(name, f"values with names of at most {MAX_NAME} characters")
            self.of.check(name, item)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        if isinstance(given, dict):
            pairs = list(given.items())
        else:
            pairs = [_pair(name, one) for one in (given if isinstance(given, list) else [given])]
        found = {
            unicodedata.normalize("NFC", str(key)): self.of.read(name, item, resolve)
            for key, item in pairs
        }
        if len(found) < len(pairs):
            raise _refuse(name, "values whose names differ")
        return found

    def people(self, value: Any) -> set[bytes]:
        return super().people(value.values())


def _pair(name: str, given: Any) -> tuple[str, str]:
    key, _, value = str(given).rpartition("=")
    if not key.strip():
        raise _refuse(name, "written like cook=2")
    return key.strip(), value.strip()
