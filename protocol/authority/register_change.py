"""Fields that say what a register should hold, in proposals, renewals and removals.

A holding is a list `[what, key, n, value]`. `what` and `key` name the register, `n` is its number
and `value` is its value (specs/03, R-03.25). A later version may add a rule or a kind of register.
If this version does not know that rule or register, it passes the holding on without reading it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.authority.authority import Authority
from protocol.authority.kind_names import CHARTER, HIDE, REMOVE
from protocol.authority.terms import Holding, Register
from protocol.errors import AlreadySo, Refused
from protocol.schema.fields import Field, Resolve
from protocol.schema.register_names import (
    HIDDEN,
    MEASURE,
    RULE,
    STANDING,
    TRIAL,
    TRIAL_CHANGES,
)

MAX_NUMBER = 2**31  # the highest number of a register
MAX_OFFSET = 1080  # minutes before or after UTC
MAX_CYCLE = 1000  # windows in which everybody's answers are charted once
PANEL_SIZE = 30  # about so many people's answers are charted in a window

_HOLDING_PARTS = 4
_KEY_SIZE = 32  # bytes, of a person's or device's key and of a record's id
_MAX_CUTS = 64  # a list in a record has at most so many items

# Pairs of verbs that people type → the register that both verbs change. The first verb
# of a pair makes the register's number odd, the second makes it even. The first verbs of two pairs
# are also the names of kinds: with their records, moderators remove or hide.
_VERBS = {
    (REMOVE, "restore"): (STANDING, "person"),
    (HIDE, "show"): (HIDDEN, "record"),
    ("adopt", "retire"): (MEASURE, "record"),
}


@dataclass(frozen=True, kw_only=True)
class LogCuts(Field):
    """A field with cuts. A cut says up to which number the log of a device counts.

    Each cut is a pair: a device, and the last number of its log that counts. The cuts are sorted by
    device.
    """

    type_name = "cuts"

    def check(self, name: str, value: Any) -> None:
        pairs: list[Any] = value if type(value) is list else [None]
        if not all(_is_cut(pair) for pair in pairs):
            raise _refusal(name, "pairs of a device and a number")
        devices = [pair[0] for pair in pairs]
        if devices != sorted(set(devices)):
            raise _refusal(name, "sorted by device, each named once")


@dataclass(frozen=True, kw_only=True)
class RegisterChange(Field):
    """A field with a change: the register, its new number and its new value."""

    type_name = "change"
    hint = (
        "remove PERSON, restore PERSON, hide ID, show ID, adopt MEASURE, retire MEASURE, "
        "trial ID start|adopt|adapt|drop|stop or charter FIELD=VALUE"
    )
    is_phrase = True

    def check(self, name: str, value: Any) -> None:
        what, key, n, new = _parts_of(name, value)
        if type(n) is not int or not 1 <= n <= MAX_NUMBER:
            raise _refusal(name, "numbered from 1")
        if what == STANDING:
            _check_standing(name, key, n, new)
        if what == HIDDEN and new is not None:
            _check_hiders(name, new)
        if what == MEASURE:
            _check_measure(name, key, n, new)
        if what == TRIAL:
            _check_trial(name, key, n, new)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        """Returns the change that a person typed, as `[what, key, None, value]`.

        `number_change` adds the number later. Raises Refused if the typed words describe no change.
        """
        parts = given if type(given) is list else [given]
        are_texts = all(type(part) is str for part in parts)
        words = " ".join(parts).strip() if are_texts else ""
        verb, _, rest = words.partition(" ")
        rest = rest.strip()
        for verbs, (what, resolved_as) in _VERBS.items():
            if verb in verbs and rest:
                return [what, resolve(resolved_as, rest), None, verb == verbs[0]]
        trial, _, step = rest.rpartition(" ")
        if verb == TRIAL and trial and step in TRIAL_CHANGES:
            return [TRIAL, resolve("record", trial.strip()), None, TRIAL_CHANGES[step]]
        rule, equals, value = rest.partition("=")
        if verb == CHARTER and equals:
            return [RULE, rule.strip().replace("-", "_"), None, value.strip()]
        raise _refusal(name, self.hint)

    def check_read(self, name: str, value: Any) -> None:
        # `number_change` adds the number and completes the value, and `check` then checks them.
        _parts_of(name, value)


def number_change(wanted: list[Any], authority: Authority, heads: Mapping[bytes, int]) -> list[Any]:
    """Completes a change from `RegisterChange.read`: adds its number and the value to sign.

    The number is the register's present number plus 1. If the change removes a person, the value is
    the cuts of that person's logs. Each log is cut at the last record that this home has: `heads`
    maps each device to the number of that record. Raises AlreadySo (R-03.25) if the register
    already holds the wanted value.
    """
    what, key, n, value = wanted
    if n is not None:
        return wanted
    held = authority.holding((what, key))
    if what == TRIAL:
        return [what, key, _number_trial(held, value), value]
    if what not in {STANDING, HIDDEN, MEASURE}:
        return [what, key, held.n + 1, value]
    if (held.n % 2 == 1) == value:
        raise AlreadySo("R-03.25", "that is so already")
    new: list[Any] | None = None
    if value and what == STANDING:
        new = cuts_at_heads(authority, key, heads)
    elif value and what == MEASURE:
        new = [authority.charter["offset"], _panel_cycle(authority)]
    return [what, key, held.n + 1, new]


def cuts_at_heads(
    authority: Authority, person: bytes, heads: Mapping[bytes, int]
) -> list[list[Any]]:
    """Makes cuts of a person's logs that keep every record that this home has."""
    devices = sorted(device.key for device in authority.devices_of(person))
    return [[device, heads.get(device, 0)] for device in devices][:_MAX_CUTS]


def holdings_in_force(authority: Authority) -> dict[Register, Holding]:
    """Returns what each register holds now, if anything was ever decided about it."""
    holdings: dict[Register, Holding] = {**authority.term.written, **authority.registers}
    return {register: held for register, held in holdings.items() if held.n}


def holdings_to_write(authority: Authority) -> list[list[Any]]:
    """Returns the holdings of all registers, sorted, for a renewal to write down (R-03.22)."""
    holdings = holdings_in_force(authority)
    lists = [[what, key, held.n, held.value] for (what, key), held in holdings.items()]
    return sorted(lists, key=_by_register)


def _number_trial(held: Holding, value: str | None) -> int:
    """Returns the next number of a trial's register (R-25.6).

    Raises Refused if a trial is to begin a second time, or to end before it has begun. Raises
    AlreadySo if the register already holds the wanted value.
    """
    if held.n and held.value == value:
        raise AlreadySo("R-03.25", "that is so already")
    if held.n and value is None:
        raise Refused("R-25.6", "a trial begins once; post another one")
    if not held.n and value is not None:
        raise Refused("R-25.6", "no decision has begun this trial: trial ID start")
    return held.n + 1


def _panel_cycle(authority: Authority) -> int:
    """Returns how many windows a measure needs until it has counted everybody's answers once
    (R-22.3e).

    A larger neighbourhood needs more windows.
    """
    return min(MAX_CYCLE, max(1, len(authority.members) // PANEL_SIZE))


def _parts_of(name: str, value: Any) -> list[Any]:
    """Returns the four parts of a change. Raises Refused if the parts do not name a register."""
    parts: list[Any] = value if type(value) is list else []
    names_register = len(parts) == _HOLDING_PARTS and (
        type(parts[0]) is str and type(parts[1]) in {bytes, str}
    )
    if not names_register:
        raise _refusal(name, "a register, its number and its value")
    return parts


def _by_register(holding: list[Any]) -> tuple[str, str]:
    what, key = holding[:2]
    return what, repr(key)  # keys are bytes or texts, and Python cannot compare the two


def _refusal(name: str, must: str) -> Refused:
    return Refused("R-10.3", "{field} must be " + must, field=name)


def _is_cut(pair: Any) -> bool:
    if type(pair) is not list or len(pair) != 2:  # noqa: PLR2004
        return False
    device, number = pair
    return _is_key(device) and type(number) is int and number >= 0


def _is_key(value: Any) -> bool:
    return type(value) is bytes and len(value) == _KEY_SIZE


def _check_standing(name: str, key: bytes | str, n: int, value: Any) -> None:
    """Raises Refused if the value of a person's standing does not fit its number `n`.

    An odd number removes the person, and the value must be cuts. An even number restores the
    person, and there must be no value.
    """
    if not _is_key(key):
        raise _refusal(name, "about a person")
    if n % 2:
        LogCuts().check(name, value)
    elif value is not None:
        raise _refusal(name, "without a cut where somebody is restored")


def _check_hiders(name: str, value: Any) -> None:
    """Raises Refused if the value of a register of hidden words has the wrong form.

    The value must be a list of two items. The first is the number of all moderators. The second is
    the list of the moderators who hid the words.
    """
    has_shape = type(value) is list and len(value) == 2 and type(value[1]) is list  # noqa: PLR2004
    if (
        not has_shape
        or type(value[0]) is not int
        or any(type(key) is not bytes for key in value[1])
    ):
        raise _refusal(name, "how many moderators there are, and who of them hid it")


def _check_measure(name: str, key: bytes | str, n: int, value: Any) -> None:
    """Raises Refused if the value of a measure's register does not fit its number `n` (R-22.3).

    An odd number puts the measure in use. The value is then a list of two numbers. The first is the
    offset of the measure's days from UTC, in minutes. The second is the number of windows in which
    the measure counts everybody's answers once. An even number retires the measure, and there must
    be no value.
    """
    if not _is_key(key):
        raise _refusal(name, "about a measure")
    fits = _is_adoption(value) if n % 2 else value is None
    if not fits:
        raise _refusal(
            name,
            "minutes from UTC and a number of windows where a measure is adopted, and nothing "
            "elsewhere",
        )


def _check_trial(name: str, key: bytes | str, n: int, value: Any) -> None:
    """Raises Refused if the value of a trial's register does not fit its number `n` (R-25.6).

    The number 1 begins the trial, and there must be no value. A later number says how the trial
    ended.
    """
    if not _is_key(key):
        raise _refusal(name, "about a trial")
    endings = [ending for ending in TRIAL_CHANGES.values() if ending is not None]
    if not (value is None if n == 1 else value in endings):
        raise _refusal(name, "without a value where a trial begins, and else an end of the trial")


def _is_adoption(value: Any) -> bool:
    if type(value) is not list or [type(number) for number in value] != [int, int]:
        return False
    offset, cycle = value
    return bool(abs(offset) <= MAX_OFFSET and 1 <= cycle <= MAX_CYCLE)
