"""Draws fields of records as hostile people write them: at their bounds, beyond them, and apart
from what other records say. The registry gives the kinds, so that none is left out.
"""

import random
from collections.abc import Mapping
from typing import Any

from protocol.authority.register_change import LogCuts, RegisterChange
from protocol.authority.relays import PackedAddresses
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.schema import fields as schema
from protocol.schema.bounds import Bound
from protocol.schema.fields import Field
from protocol.schema.register_names import HIDDEN, MEASURE, RULE, STANDING, TRIAL

DAYS = ("2026-11-02", "2026-11-09", "2026-11-16")
FAR_DAYS = ("0001-01-01", "9999-12-31", "1970-01-01", "2024-02-29")
CLOCKS = ("", "", "T00:00", "T23:59", "T12:30:59", "T23:59Z", "T00:00Z")
NAMES = ("cook", "host", "nobody", "", "x" * 40)
RULES = (
    *("FREQ=WEEKLY", "FREQ=DAILY;COUNT=3", "FREQ=WEEKLY;UNTIL=2026-12-01", "FREQ=MONTHLY"),
    *("FREQ=MONTHLY;BYDAY=MO,+2WE", "FREQ=YEARLY;UNTIL=99991231", "FREQ=MONTHLY;BYMONTHDAY=31"),
    *("FREQ=SECONDLY", "FREQ=WEEKLY;INTERVAL=0", "FREQ=DAILY;COUNT=1000000000", "RRULE:FREQ=DAILY"),
)
ODD_TEXTS = ("", " ", "x", "\0", "a\nb", "é", "e\u0301", "\u202e", "{x}", "%s", "0", "2026-11-02")
GARBAGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63 - 1, 2**64 - 1, -(2**63), "", "x", "9" * 2000),
    *(b"", bytes(32), b"x" * 8192, [], [[]], [None], {}, {"": None}, {"a": {"b": []}}),
    [[[]] * 3] * 60,
)


class HostileFields:
    """Draws values from the dice, with the ids of people and of records that it is given."""

    def __init__(
        self, dice: random.Random, people: list[bytes], records: list[bytes] | None = None
    ) -> None:
        self.dice = dice
        self.people = people
        self.records = [bytes(32)] if records is None else records
        self.near: list[bytes] = []  # records beside the one that is drawn

    def draw(self, declared: DeclaredKind, *, plain: float = 0.0) -> dict[str, Any]:
        """Draws the fields of a record. The share `plain` of them fits those of other records."""
        fields: dict[str, Any] = {}
        for name, field in declared.fields.items():
            if not field.beside and (field.required or self.dice.random() < 0.5):
                is_plain = self.dice.random() < plain
                fields[name] = self.plain_value(field) if is_plain else self.value(field)
        return fields

    def spoil(
        self, declared: DeclaredKind, fields: Mapping[str, Any], names: list[str]
    ) -> dict[str, Any]:
        """Returns the fields of a record, with hostile values in a few of the named fields.

        Most of the values are allowed, each by itself. Some are beyond what the field allows, or
        left out, or of a field that the kind lacks.
        """
        spoilt = dict(fields)
        for _ in range(self.dice.choice([0, 1, 1, 1, 2])):
            name = self.dice.choice(names)
            field = declared.fields.get(name)
            if field is None or field.beside or self.dice.random() < 0.1:
                spoilt[name] = self.dice.choice([*GARBAGE, *self.records])
            elif self.dice.random() < 0.1:
                spoilt.pop(name, None)
            else:
                spoilt[name] = self.value(field)
        return {name: value for name, value in spoilt.items() if value is not None}

    def value(self, field: Field) -> Any:
        """Draws a value that a field allows, often one at its bounds."""
        if field.private:
            return self.dice.choice([b"", bytes(100)])
        for field_type, draw in _VALUES.items():
            if isinstance(field, field_type):
                return draw(self, field)
        raise TypeError(f"no hostile value for a field of type {field.type_name}")

    def plain_value(self, field: Field) -> Any:
        """Draws one of few values, so that records fit each other."""
        for field_type, draw in _PLAIN_VALUES.items():
            if isinstance(field, field_type):
                return draw(self, field)
        return self.value(field)

    def person(self) -> bytes:
        """Draws a person. Now and then nobody has this id."""
        return self.dice.choice([*self.people * 4, bytes(32), b"\xff" * 32, self.record()])

    def record(self) -> bytes:
        """Draws a record, mostly one of the latest."""
        if self.dice.random() < 0.1:
            return self.dice.choice([bytes(32), b"\xff" * 32, self.people[0]])
        if self.near and self.dice.random() < 0.5:
            return self.dice.choice(self.near)
        return self.dice.choice(self.records[-4:] if self.dice.random() < 0.6 else self.records)

    def moment(self, field: schema.Moment) -> str:
        """Draws a day, or a day with a time."""
        day = self.dice.choice(DAYS if self.dice.random() < 0.6 else FAR_DAYS)
        return day if field.day_only else day + self.dice.choice(CLOCKS)

    def text(self, field: schema.Text) -> str:
        """Draws a text, at its shortest or at its longest."""
        if "RRULE" in field.help:
            return self.dice.choice(RULES)
        if self.dice.random() < 0.3:
            return self.dice.choice(sorted(KINDS))[: field.max]
        text = self.dice.choice([*ODD_TEXTS, *NAMES, "x" * field.max])
        return text[: field.max].ljust(field.min, "x")

    def integer(self, field: schema.Integer) -> int:
        """Draws a number, often the lowest or the highest."""
        near = [field.min, field.max, field.min + 1, field.max - 1, 0, 1, 2, 3, 60]
        return min(max(self.dice.choice(near), field.min), field.max)

    def many(self, field: schema.Many) -> list[Any]:
        """Draws a list: empty, short, with one value twice, or as long as it may be."""
        length = min(self.dice.choice([0, 1, 1, 2, 3, field.max]), field.max)
        values = [self.value(field.of) for _ in range(length)]
        return values[:1] * 2 if length > 1 and self.dice.random() < 0.2 else values

    def map(self, field: schema.Map) -> dict[str, Any]:
        """Draws a map with few names, so that maps of several records share names."""
        names = self.dice.sample(NAMES, min(self.dice.choice([0, 1, 1, 2]), field.max))
        return {name: self.value(field.of) for name in names}

    def change(self) -> list[Any]:
        """Draws a change of a register."""
        what = self.dice.choice([STANDING, HIDDEN, MEASURE, TRIAL, RULE, "newer"])
        key = self.person() if what == STANDING else self.record()
        if what in {RULE, "newer"}:
            key = self.dice.choice(["share", "quota_records", "timezone", "offset", "newer", "x"])
        number = self.dice.choice([1, 1, 2, 3, 4, 2**31 - 1, 2**31])
        return [what, key, number, self.held(what, number)]

    def held(self, what: str, number: int) -> Any:
        """Draws the value that a change gives to a register."""
        if what == STANDING:
            return self.cuts() if number % 2 else None
        if what == MEASURE:
            offset = self.dice.choice([0, 60, -1080, 1080])
            return [offset, self.dice.choice([1, 2, 1000])] if number % 2 else None
        if what == TRIAL:
            return None if number == 1 else self.dice.choice(["adopted", "stopped", "won", 7])
        if what == HIDDEN:
            people = [self.person() for _ in range(self.dice.randrange(3))]
            return self.dice.choice([None, [3, people], [0, []], [-1, people], [2**63, people]])
        return self.dice.choice([*GARBAGE, 50, 100, "Europe/London"])

    def cuts(self) -> list[Any]:
        """Draws cuts of logs."""
        devices = sorted({self.person() for _ in range(self.dice.randrange(3))})
        return [[device, self.dice.choice([0, 1, 8, 2**63])] for device in devices]

    def bound(self) -> list[Any]:
        """Draws a bound for a number of measures."""
        part = self.dice.choice(["share", "window", "min_answers", "count", "minutes"])
        return [part, 0, self.dice.choice([0, 1, 99, 2**31])]

    def bytes(self, field: schema.Bytes) -> bytes:
        """Draws bytes, at their shortest or at their longest."""
        return bytes(self.dice.choice([field.min, field.max]))


# Special types come before the types that they inherit from.
_VALUES: dict[type, Any] = {
    schema.Choice: lambda fields, field: fields.dice.choice(field.words),
    schema.Person: lambda fields, _: fields.person(),
    schema.PersonOrName: lambda fields, _: fields.dice.choice([fields.person(), "Sam", "x" * 80]),
    schema.RecordId: lambda fields, _: fields.record(),
    schema.RecordOrText: lambda fields, _: fields.dice.choice([fields.record(), "North"]),
    schema.Moment: lambda fields, field: fields.moment(field),
    schema.Integer: lambda fields, field: fields.integer(field),
    schema.Text: lambda fields, field: fields.text(field),
    schema.Map: lambda fields, field: fields.map(field),
    schema.Many: lambda fields, field: fields.many(field),
    PackedAddresses: lambda fields, _: fields.dice.choice([b"", bytes(7), bytes(19), bytes(26)]),
    schema.Bytes: lambda fields, field: fields.bytes(field),
    Bound: lambda fields, _: fields.bound(),
    RegisterChange: lambda fields, _: fields.change(),
    LogCuts: lambda fields, _: fields.cuts(),
}

_PLAIN_VALUES: dict[type, Any] = {
    schema.Choice: _VALUES[schema.Choice],
    schema.Moment: lambda fields, _: fields.dice.choice(DAYS),
    schema.Person: lambda fields, _: fields.dice.choice(fields.people),
    schema.PersonOrName: lambda fields, _: fields.dice.choice(fields.people),
    schema.Map: lambda fields, field: {fields.dice.choice(NAMES[:2]): fields.plain_value(field.of)},
    schema.Many: lambda fields, field: [fields.plain_value(field.of)],
    schema.Integer: lambda fields, field: max(fields.dice.randrange(4), field.min),
    schema.Text: lambda _, field: (
        "FREQ=WEEKLY" if "RRULE" in field.help else "x".ljust(field.min, "x")
    ),
}
