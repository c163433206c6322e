"""Test vectors of the kinds: contents with the fewest fields and with all of them."""

from typing import Any

from meshcoop.dev.specs.vectors import keys, plain, seed
from protocol.authority.register_change import Change, Cuts
from protocol.authority.relays import MAX_PACKED, Addresses
from protocol.authority.terms import STANDING
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS, Kind
from protocol.record.envelope import PRIVATE
from protocol.record.packed_addresses import pack_addresses
from protocol.schema.bounds import Bound
from protocol.schema.fields import (
    Bytes,
    Choice,
    Field,
    Integer,
    Many,
    Map,
    Moment,
    Named,
    Person,
    Record,
    Text,
)

_LONG = 40
_CUTS = [[keys("Ana").device, 7]]


def generate() -> dict[str, Any]:
    """The generated vector file of the kinds."""
    return {"kinds": _kinds()}


def _kinds() -> list[dict[str, Any]]:
    found = []
    for name in sorted(KINDS):
        for what, fields in (("least", _least(KINDS[name])), ("full", _full(KINDS[name]))):
            found.append(_case(KINDS[name], what, fields))
    return found


def _case(kind: Kind, what: str, fields: dict[str, Any]) -> dict[str, Any]:
    case = {"kind": kind.name, "name": what, "fields": plain(fields)}
    if kind.audience != PRIVATE:
        return {**case, "content": schema.content(kind.name, fields).hex()}
    about = None if kind.root else seed("about")
    content = schema.private_content(kind.name, fields, about)
    return {**case, "about": plain(about), "content": content.hex()}


def _least(kind: Kind) -> dict[str, Any]:
    fields = kind.fields.items()
    return {name: _example(name, one) for name, one in fields if one.required and not one.beside}


def _full(kind: Kind) -> dict[str, Any]:
    return {name: _example(name, one) for name, one in kind.fields.items() if not one.beside}


def _example(name: str, field: Field) -> Any:
    """A value that the field may hold."""
    if field.private:
        return seed(name)
    smallest, largest = field.bounds
    examples: dict[type[Field], Any] = {
        Choice: getattr(field, "words", ("",))[0],
        Moment: "2026-11-23" if getattr(field, "day_only", False) else "2026-11-23T09:30",
        Person: keys("Ana").person,
        Named: f"{name} é",
        Bound: ["share", 60, 99],
        Cuts: _CUTS,
        Change: [STANDING, keys("Ana").person, 1, _CUTS],
        Record: seed("record"),
        Addresses: pack_addresses(
            ("/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/4001"), MAX_PACKED
        ),
        Bytes: (seed(name) * 16)[: max(smallest or 0, min(_LONG, largest or 0))],
    }
    for type_, example in examples.items():
        if isinstance(field, type_):
            return example
    if isinstance(field, Map):
        return {"cook": _example(name, field.of)}
    if isinstance(field, Many):
        return [_example(name, field.of)]
    if isinstance(field, Integer):
        return largest
    if isinstance(field, Text):
        return f"{name} é".ljust(field.min, "x")[: field.max]
    raise TypeError(f"no example for a field of type {field.type_name}")
