"""Makes test vectors for each kind of record: a content with the fewest fields, and a content with
all fields.
"""

from collections.abc import Mapping
from typing import Any

from meshcoop.dev.specs.vectors import Document, keys_of, seed_of, to_json
from protocol.authority.register_change import LogCuts, RegisterChange
from protocol.authority.relays import MAX_PACKED_ADDRESSES, PackedAddresses
from protocol.fold import content as contents
from protocol.fold.registry import KINDS, DeclaredKind
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
    Person,
    PersonOrName,
    RecordId,
    RecordOrText,
    Text,
)
from protocol.schema.register_names import STANDING

_MAX_BYTES = 40
_CUTS = [[keys_of("Ana").device, 7]]


def make_documents() -> Document:
    """Makes the vector file of the kinds. Returns a map from the file's name in specs/vectors/ to
    the file's content.
    """
    return {"kinds": _kinds()}


def _kinds() -> list[Document]:
    cases = []
    for _, kind in sorted(KINDS.items()):
        if not kind.is_core:
            continue
        cases.append(_make_case(kind, "least", _fill_required(kind)))
        cases.append(_make_case(kind, "full", _fill_all(kind)))
    return cases


def _make_case(kind: DeclaredKind, name: str, fields: Mapping[str, Any]) -> Document:
    case = {"kind": kind.name, "name": name, "fields": to_json(fields)}
    if kind.audience != PRIVATE:
        return {**case, "content": contents.pack_content(kind.name, fields).hex()}
    about = None if kind.is_root else seed_of("about")
    content = contents.pack_private_content(kind.name, fields, about)
    return {**case, "about": to_json(about), "content": content.hex()}


def _fill_required(kind: DeclaredKind) -> dict[str, Any]:
    return {
        name: make_example(name, field)
        for name, field in kind.fields.items()
        if field.required and not field.beside
    }


def _fill_all(kind: DeclaredKind) -> dict[str, Any]:
    return {
        name: make_example(name, field) for name, field in kind.fields.items() if not field.beside
    }


def make_example(name: str, field: Field) -> Any:
    """Makes an example of a value that the field may hold."""
    if field.private:
        return seed_of(name)
    smallest, largest = field.bounds
    size = max(smallest or 0, min(_MAX_BYTES, largest or 0))
    # The order matters: a field gets the example of the first type in this list that fits.
    examples: dict[type[Field], Any] = {
        Choice: getattr(field, "words", ("",))[0],
        Moment: "2026-11-23" if getattr(field, "day_only", False) else "2026-11-23T09:30",
        Person: keys_of("Ana").person,
        PersonOrName: f"{name} é",
        RecordOrText: f"{name} é",
        Bound: ["share", 60, 99],
        LogCuts: _CUTS,
        RegisterChange: [STANDING, keys_of("Ana").person, 1, _CUTS],
        RecordId: seed_of("record"),
        PackedAddresses: pack_addresses(
            ("/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/4001"), MAX_PACKED_ADDRESSES
        ),
        Bytes: (seed_of(name) * 16)[:size],
    }
    for field_type, example in examples.items():
        if isinstance(field, field_type):
            return example
    if isinstance(field, Map):
        return {"cook": make_example(name, field.of)}
    if isinstance(field, Many):
        return [make_example(name, field.of)]
    if isinstance(field, Integer):
        return largest
    if isinstance(field, Text):
        return f"{name} é".ljust(field.min, "x")[: field.max]
    raise TypeError(f"no example for a field of type {field.type_name}")
