"""Fields that say what a register is to hold: in proposals, renewals and removals.

A holding is a list `[what, key, n, value]`: which register, its number and its value (specs/03
R-03.25). What a later version adds, a rule or a whole kind of register, is carried unread.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from protocol.authority.terms import HIDDEN, MEASURE, RULE, STANDING, Holding
from protocol.errors import Refused
from protocol.schema.fields import Field, Resolve

if TYPE_CHECKING:
    from protocol.authority.authority import Authority

_HOLDING = 4  # items
_KEY = 32
MOST_NUMBERS = 2**31
MOST_OFFSET = 1080  # minutes from UTC


def _refuse(name: str, must: str) -> Refused:
    return Refused("R-10.3", f"{name} must be {must}")


@dataclass(frozen=True, kw_only=True)
class Cuts(Field):
    """Where logs are cut: pairs of a device and the last number that counts, sorted by device."""

    type_name = "cuts"

    def check(self, name: str, value: Any) -> None:
        pairs: list[Any] = value if type(value) is list else [None]
        for pair in pairs:
            if type(pair) is not list or len(pair) != 2:  # noqa: PLR2004
                raise _refuse(name, "pairs of a device and a number")
            device, number = pair
            if type(device) is not bytes or len(device) != _KEY:
                raise _refuse(name, "pairs of a device and a number")
            if type(number) is not int or number < 0:
                raise _refuse(name, "pairs of a device and a number")
        devices = [pair[0] for pair in pairs]
        if devices != sorted(set(devices)):
            raise _refuse(name, "sorted by device, each named once")


@dataclass(frozen=True, kw_only=True)
class Change(Field):
    """A new value for a register."""

    type_name = "change"
    hint = (
        "remove PERSON, restore PERSON, hide ID, show ID, adopt MEASURE, retire MEASURE "
        "or charter FIELD=VALUE"
    )
    phrase = True  # several words on the command line

    def check(self, name: str, value: Any) -> None:
        if type(value) is not list or len(value) != _HOLDING:
            raise _refuse(name, "a register, its number and its value")
        what, key, n, new = value
        if type(what) is not str or type(key) not in {bytes, str}:
            raise _refuse(name, "a register, its number and its value")
        if type(n) is not int or not 1 <= n <= MOST_NUMBERS:
            raise _refuse(name, "numbered from 1")
        if what == STANDING:
            if type(key) is not bytes or len(key) != _KEY:
                raise _refuse(name, "about a person")
            if n % 2:
                Cuts().check(name, new)
            elif new is not None:
                raise _refuse(name, "without a cut where somebody is restored")
        if what == HIDDEN and new is not None:
            _check_hiders(name, new)
        if what == MEASURE:
            _check_measure(name, key, n, new)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        """What was meant, its number still to be filled in (`numbered`)."""
        words = given if type(given) is str else " ".join(given) if type(given) is list else ""
        verb, _, rest = words.strip().partition(" ")
        rest = rest.strip()
        if verb in {"remove", "restore"} and rest:
            return [STANDING, resolve("person", rest), None, verb == "remove"]
        if verb in {"hide", "show"} and rest:
            return [HIDDEN, resolve("record", rest), None, verb == "hide"]
        if verb in {"adopt", "retire"} and rest:
            return [MEASURE, resolve("record", rest), None, verb == "adopt"]
        rule, equals, value = rest.partition("=")
        if verb == "charter" and equals:
            return [RULE, rule.strip().replace("-", "_"), None, value.strip()]
        raise _refuse(name, self.hint)


def _check_hiders(name: str, value: Any) -> None:
    shape = type(value) is list and len(value) == 2 and type(value[1]) is list  # noqa: PLR2004
    if not shape or type(value[0]) is not int or any(type(p) is not bytes for p in value[1]):
        raise _refuse(name, "how many moderators there are, and who of them hid it")


def _check_measure(name: str, key: bytes | str, n: int, value: Any) -> None:
    """R-22.3: in use (odd) with the days that its windows are counted in, or retired."""
    if type(key) is not bytes or len(key) != _KEY:
        raise _refuse(name, "about a measure")
    fits = type(value) is int and abs(value) <= MOST_OFFSET if n % 2 else value is None
    if not fits:
        raise _refuse(name, "minutes from UTC where a measure is adopted, and nothing elsewhere")


def numbered(wanted: list[Any], known: "Authority", heads: Mapping[bytes, int]) -> list[Any]:
    """A change as it is signed: with the next number, and cuts where this home's logs end."""
    what, key, n, value = wanted
    if n is not None:
        return wanted
    held = known.holding((what, key))
    if what not in {STANDING, HIDDEN, MEASURE}:
        return [what, key, held.n + 1, value]
    if (held.n % 2 == 1) == value:
        raise Refused("R-03.25", "that is so already")
    new = None
    if value and what == STANDING:
        new = cuts(known, key, heads)
    elif value and what == MEASURE:
        new = known.charter["offset"]
    return [what, key, held.n + 1, new]


def cuts(known: "Authority", person: bytes, heads: Mapping[bytes, int]) -> list[list[Any]]:
    """Cuts that leave everything standing that this home holds of a person's devices."""
    mine = sorted(one.key for one in known.devices.values() if one.person == person)
    return [[device, heads.get(device, 0)] for device in mine][:64]


def written(known: "Authority") -> list[list[Any]]:
    """All that holds, as a renewal writes it down (R-03.22), sorted."""
    held: dict[Any, Holding] = {**known.term.written, **known.registers}
    found = [[what, key, one.n, one.value] for (what, key), one in held.items() if one.n]
    return sorted(found, key=lambda one: (one[0], repr(one[1])))
