"""Field rules: which values a field of a record may have, and how people type and see the values.

A kind of record declares each of its fields once, with a class of this module (specs/10-kinds.md).
The checks, the options of the command line and the form on screen follow from this declaration. The
table in the specs and the values that the tests generate follow from it too.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from protocol.display_text import is_visible, safe_text
from protocol.errors import Refused
from protocol.local_clock import LocalClock
from protocol.record.codec import MAX_ITEMS
from protocol.spelling import name_keys

# Takes "person" or "record" and the typed text, and returns the full id. Or takes "outsider" and a
# name, and returns nothing. Raises Refused.
Resolve = Callable[[str, str], bytes]

MAX_NAME = 40  # characters in the name of a value in a map
# Spans of days, for moments that people plan
YEAR = 366
DECADE = 10 * YEAR
LIFETIME = 100 * YEAR

_ID_START = re.compile(r"[0-9a-fA-F]{8,}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?")
# Hours and minutes, as people type them: "1:30", "90 min", and "1.5 hours" or "1 h 30".
_CLOCK = re.compile(r"([0-9]{1,3}):([0-5][0-9])(?::00)?")
_WITH_UNIT = re.compile(r"([0-9]{1,5}) *(?:m[a-z.]*|')", re.IGNORECASE)
_HOURS = re.compile(
    r"([0-9]{1,3}(?:[.,][0-9]{1,2})?) *h[a-z.]* *(?:([0-9]{1,2}) *(?:m[a-z.]*)?)?", re.IGNORECASE
)
_MINUS = "\u2212"  # the typographic minus, in what people copy from a page
_DATE_LENGTH = len("2026-11-23")
_KEY_SIZE = 32  # bytes in a person's key and in a record's id
_FIRST_SURROGATE = "\ud800"
_LAST_SURROGATE = "\udfff"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a kind of record.

    Each field sets its own `required`, `private`, `default`, `filled`, `beside` and `help`. The
    other attributes follow from the type of the field.
    """

    required: bool = False
    private: bool = False  # sealed to both parties inside the content
    default: Any = None
    filled: bool = False  # written by the software, not by a person
    beside: bool = False  # posted in a sealed record beside an open one
    help: str = ""

    type_name = "value"
    hint = ""  # how a person writes a value
    is_list = False  # a value is a list or a map of values
    is_phrase = False  # a value is several words on the command line
    is_wording = False  # a value has free words, which can be hidden
    names_people = False

    def check(self, name: str, value: Any) -> None:
        """Raises Refused (R-10.3) if this field, called `name`, does not allow `value`."""
        raise NotImplementedError

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        """Turns the input of a person or a program into a value for the field called `name`.

        Raises Refused if the input cannot be understood.
        """
        del name, resolve
        return given

    def check_read(self, name: str, value: Any) -> None:
        """Raises Refused if `read` has returned a value that this field does not allow.

        Software makes a record from such values. Some fields let `read` return an unfinished value,
        which software completes later. These fields allow more values here than in `check`.
        """
        self.check(name, value)

    def people(self, value: Any) -> set[bytes]:
        """Returns the root keys of the people that a value names."""
        return {value} if self.names_people else set()

    def texts(self, value: Any) -> Iterable[str]:
        """Returns the texts in a value that people wrote. People search for words in these
        texts.
        """
        del value
        return ()

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """The smallest and the largest number that is allowed. None means no limit.

        The number is the value itself, the length of a text, or the count of values in a list.
        """
        return None, None


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Text of `min` to `max` characters (code points)."""

    min: int = 0
    max: int = 200
    type_name = "text"
    hint = "text"
    is_wording = True

    def check(self, name: str, value: Any) -> None:
        if type(value) is not str or not self.min <= len(value) <= self.max:
            raise _refusal(
                name, "a text of {least} to {most} characters", least=self.min, most=self.max
            )

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        if type(given) is not str:
            return given
        # A surrogate is half a character of UTF-16. Python can hold it, but UTF-8 cannot encode it.
        if any(_FIRST_SURROGATE <= character <= _LAST_SURROGATE for character in given):
            raise _refusal(name, "text without half characters")
        if len(given.strip()) < self.min:
            raise _refusal(name, "filled in")
        if given.strip() and not is_visible(given):
            raise _refusal(name, "written with letters that people can see")
        # The author's software writes NFC. Other nodes do not check this. Their versions of
        # Unicode differ, and nodes that judge a record differently would never converge.
        return unicodedata.normalize("NFC", given)

    def texts(self, value: Any) -> Iterable[str]:
        return (value,)

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return self.min, self.max


@dataclass(frozen=True, kw_only=True)
class Name(Text):
    """A name: text of one line, in which every sign can be seen (R-12.7)."""

    min: int = 1
    max: int = 80

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        written = super().read(name, given, resolve)
        if type(written) is not str:
            return written
        one_line = " ".join(written.split())
        if safe_text(one_line) != one_line:
            raise _refusal(name, "written in signs that everybody can see")
        return one_line


@dataclass(frozen=True, kw_only=True)
class PersonName(Name):
    """The name of a person, or of somebody outside. It must not look like an id, or like `@` and a
    member's name, because people name a member in these two ways (R-12.7a).
    """

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        written = super().read(name, given, resolve)
        if type(written) is str and is_member_form(written):
            raise _refusal(name, "neither an id nor a name with @ before it")
        return written


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    """A whole number from `min` to `max`."""

    min: int = 0
    max: int = 2**31
    type_name = "integer"
    hint = "a number"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not int or not self.min <= value <= self.max:
            raise _refusal(
                name, "a whole number from {least} to {most}", least=self.min, most=self.max
            )

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        if type(given) is str:
            text = given.strip().replace(_MINUS, "-")
            if not re.fullmatch(r"-?[0-9]{1,15}", text):
                raise _refusal(
                    name, "a whole number from {least} to {most}", least=self.min, most=self.max
                )
            return int(text)
        return given

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return self.min, self.max


@dataclass(frozen=True, kw_only=True)
class Minutes(Integer):
    """A duration in minutes. An hour of anyone's work is worth an hour of anyone else's."""

    max: int = 60 * 24 * 31
    type_name = "minutes"
    hint = "minutes"

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        meant = _find_minutes(given) if type(given) is str else None
        if meant is not None:
            raise _refusal(
                name, "a number of minutes: {meant} for {typed}", meant=meant, typed=given.strip()
            )
        return super().read(name, given, resolve)


@dataclass(frozen=True, kw_only=True)
class ScaleNumber(Minutes):
    """A number on the scale of a measure. People also type the words yes and no.

    A field does not know the scale. So the words stay as they are until the record is completed.
    """

    type_name = "integer"
    hint = "a number, or yes or no"
    numbers: ClassVar[Mapping[object, int]] = {"no": 0, "yes": 1}

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        word = given.strip().lower() if type(given) is str else None
        return word if word in self.numbers else super().read(name, given, resolve)

    def check_read(self, name: str, value: Any) -> None:
        if type(value) is not str or value not in self.numbers:
            self.check(name, value)


@dataclass(frozen=True, kw_only=True)
class Moment(Field):
    """A date (YYYY-MM-DD), or a date with a time of day (YYYY-MM-DDTHH:MM).

    A time that ends in Z is UTC. Any other time is local. When software signs a moment, it must not
    be more than `days_back` days ago, or more than `days_ahead` days ahead. If `days_back` is 0,
    the moment must not be past. If `days_ahead` is 0, the moment must have begun.
    """

    type_name = "moment"
    hint = "YYYY-MM-DD or YYYY-MM-DDTHH:MM"
    day_only: bool = False
    days_back: int = DECADE
    days_ahead: int = DECADE

    def check(self, name: str, value: Any) -> None:
        must = "a date like 2026-11-23"
        if not self.day_only:
            must += " or 2026-11-23T09:30"
        if type(value) is not str or not _MOMENT.fullmatch(value):
            raise _refusal(name, must)
        if self.day_only and len(value) != _DATE_LENGTH:
            raise _refusal(name, must)
        try:
            date.fromisoformat(value[:_DATE_LENGTH])
            datetime.fromisoformat(value)
        except ValueError:
            raise _refusal(name, must) from None

    def check_span(self, name: str, value: str, clock: LocalClock) -> None:
        """Raises Refused if a moment is too long ago or too far ahead, by the clock `clock`.

        Software checks a moment only when it signs (R-10.21). When software reads a record, it
        accepts every moment.
        """
        first = clock.moved_by(-self.days_back)
        if first.is_past(value):
            fault = "too long ago" if self.days_back else "past"
            raise _span_refusal(name, value, f"{fault}; name one from", first.now)
        last = clock.moved_by(self.days_ahead)
        if not last.has_begun(value):
            fault = "too far ahead" if self.days_ahead else "still to come"
            raise _span_refusal(name, value, f"{fault}; name one up to", last.now)


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """A choice: the value is one of the words in `words`."""

    words: tuple[str, ...]
    type_name = "choice"
    hint = "a word"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not str or value not in self.words:
            raise _refusal(name, "one of {choices}", choices=", ".join(self.words))

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del name, resolve
        # Some keyboards begin each line with a capital letter.
        typed = given.strip().lower() if type(given) is str else given
        return next((word for word in self.words if word.lower() == typed), given)


@dataclass(frozen=True, kw_only=True)
class Person(Field):
    """A person. The value is the person's root key of 32 bytes.

    People type the person's name or the start of their id.
    """

    type_name = "person"
    hint = "a name or the start of an id"
    names_people = True

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bytes or len(value) != _KEY_SIZE:
            raise _refusal(name, "a person")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        if type(given) is not str:
            raise _refusal(name, "a person's name or id")
        return resolve("person", given)


@dataclass(frozen=True, kw_only=True)
class PersonOrName(Field):
    """A member, or somebody outside the neighbourhood.

    The value is the member's root key or the outsider's name. People type `@` and the name of a
    member, or the start of the member's id. All other words name somebody outside. So a member who
    takes the name of somebody outside does not get into the record (R-10.3e).
    """

    type_name = "person or name"
    hint = "@ and the name of a member, or the name of somebody outside"
    is_wording = True
    names_people = True
    _name = PersonName()

    def people(self, value: Any) -> set[bytes]:
        return {value} if type(value) is bytes else set()

    def texts(self, value: Any) -> Iterable[str]:
        return () if type(value) is bytes else (value,)

    def check(self, name: str, value: Any) -> None:
        if type(value) is bytes:
            Person().check(name, value)
        else:
            self._name.check(name, value)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        if type(given) is not str:
            return given
        if is_member_form(given.strip()):
            return resolve("person", given)
        outsider = self._name.read(name, given, resolve)
        resolve("outsider", outsider)  # refuses the name of a member
        return outsider


@dataclass(frozen=True, kw_only=True)
class RecordId(Field):
    """A reference to another record.

    The value is the record's id of 32 bytes. People type the start of the id.
    """

    type_name = "record"
    hint = "the start of an id"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bytes or len(value) != _KEY_SIZE:
            raise _refusal(name, "a record")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        if type(given) is not str:
            raise _refusal(name, "a record's id")
        return resolve("record", given)


@dataclass(frozen=True, kw_only=True)
class RecordOrText(Field):
    """Another record, or words.

    The value is the record's id or a text. People type the start of the id, or the text.
    """

    max: int = 60
    type_name = "record or text"
    hint = "the start of an id, or words"
    is_wording = True

    def texts(self, value: Any) -> Iterable[str]:
        return () if type(value) is bytes else (value,)

    def check(self, name: str, value: Any) -> None:
        if type(value) is bytes:
            RecordId().check(name, value)
        else:
            Text(min=1, max=self.max).check(name, value)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        if type(given) is str and _ID_START.fullmatch(given.strip()):
            return resolve("record", given)
        return Text(min=1, max=self.max).read(name, given, resolve)

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return 1, self.max


@dataclass(frozen=True, kw_only=True)
class Bytes(Field):
    """From `min` to `max` raw bytes. Software writes them, and people see them in hexadecimal."""

    min: int = 0
    max: int = 8192
    type_name = "bytes"

    def check(self, name: str, value: Any) -> None:
        if type(value) is not bytes or not self.min <= len(value) <= self.max:
            raise _refusal(name, "{least} to {most} bytes", least=self.min, most=self.max)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        try:
            return bytes.fromhex(given)
        except (ValueError, TypeError):
            raise _refusal(name, "hexadecimal digits") from None

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return self.min, self.max


@dataclass(frozen=True, kw_only=True)
class Many(Field):
    """A list of at most `max` values. Each value follows the rules of the field `of`."""

    of: Field
    max: int = 16
    is_list = True
    hint = "repeat for more"

    def __post_init__(self) -> None:
        if self.max > MAX_ITEMS:
            raise ValueError("more items than a container may hold")

    # Other field types have constants here. For a list, these values depend on the field `of`.
    @property
    def type_name(self) -> str:  # type: ignore[override]
        return f"list of {self.of.type_name}"

    @property
    def is_wording(self) -> bool:  # type: ignore[override]
        return self.of.is_wording

    @property
    def names_people(self) -> bool:  # type: ignore[override]
        return self.of.names_people

    def check(self, name: str, value: Any) -> None:
        if type(value) is not list or len(value) > self.max:
            raise _refusal(name, "a list of at most {most}", most=self.max)
        for single in value:
            self.of.check(name, single)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        return [self.of.read(name, single, resolve) for single in _as_list(given)]

    def people(self, value: Any) -> set[bytes]:
        return {person for single in value for person in self.of.people(single)}

    def texts(self, value: Any) -> Iterable[str]:
        return [text for single in value for text in self.of.texts(single)]

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        return 0, self.max


@dataclass(frozen=True, kw_only=True)
class Map(Many):
    """A map from names to at most `max` values. Each value follows the rules of the field `of`."""

    hint = "NAME=VALUE, repeat for more"
    _name = Name(max=MAX_NAME)

    @property
    def type_name(self) -> str:  # type: ignore[override]
        return f"map of {self.of.type_name}"

    @property
    def is_wording(self) -> bool:  # type: ignore[override]  # people choose the names
        return True

    def check(self, name: str, value: Any) -> None:
        if type(value) is not dict or len(value) > self.max:
            raise _refusal(name, "at most {most} values with names", most=self.max)
        for key, single in value.items():
            if type(key) is not str or len(key) > MAX_NAME:
                raise _refusal(
                    name, "values with names of at most {most} characters", most=MAX_NAME
                )
            self.of.check(name, single)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        pairs = list(given.items()) if isinstance(given, dict) else _typed_pairs(name, given)
        values = {
            self._name.read(name, str(key), resolve): self.of.read(name, single, resolve)
            for key, single in pairs
        }
        keys = [key for written in values for key in name_keys(written)]
        if len(values) < len(pairs) or len(set(keys)) < len(keys):
            raise _refusal(name, "values whose names differ")
        return values

    def people(self, value: Any) -> set[bytes]:
        return super().people(value.values())

    def texts(self, value: Any) -> Iterable[str]:
        return [*value, *super().texts(value.values())]


def is_member_form(typed: str) -> bool:
    """Returns True if a typed text can only stand for a member: it is the start of an id, or it
    begins with "@".
    """
    return typed.startswith("@") or _ID_START.fullmatch(typed) is not None


def _refusal(name: str, must: str, **arguments: object) -> Refused:
    return Refused("R-10.3", "{field} must be " + must, field=name, **arguments)


def _find_minutes(typed: str) -> int | None:
    """Returns the number of minutes that a person has typed. The person may type hours, such as
    "1:30", "1 h 30" or "1.5 hours", or minutes with the unit, such as "90 min". Returns None if the
    person typed something else.
    """
    text = typed.strip().replace(_MINUS, "-")
    sign = -1 if text.startswith("-") else 1
    text = text.removeprefix("-").removeprefix("+")
    if match := _WITH_UNIT.fullmatch(text):
        return sign * int(match[1])
    if match := _CLOCK.fullmatch(text):
        return sign * (60 * int(match[1]) + int(match[2]))
    if match := _HOURS.fullmatch(text):
        hours = float(match[1].replace(",", "."))
        return sign * (round(60 * hours) + int(match[2] or 0))
    return None


def _span_refusal(name: str, value: str, fault: str, limit: str) -> Refused:
    return Refused(
        "R-10.21",
        "{field} is {value}, and that is " + fault + " {limit}",
        field=name,
        value=value,
        limit=limit[: len(value.rstrip("Z"))],
    )


def _as_list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _typed_pairs(name: str, given: Any) -> list[tuple[str, str]]:
    """Splits a typed text NAME=VALUE, or a list of such texts, into pairs of name and value."""
    return [_typed_pair(name, typed) for typed in _as_list(given)]


def _typed_pair(name: str, typed: Any) -> tuple[str, str]:
    # The last "=" divides name and value, because a name may contain "=", as in "2+2=4=1".
    key, _, value = str(typed).rpartition("=")
    if not key.strip():
        raise _refusal(name, "written like cook=2")
    return key.strip(), value.strip()
