"""Turns views into plain values, as the local API shows them (R-06.10).

The annotations of a kind say which types the values of its views have. A person becomes `{id,
name}`, a time becomes an ISO 8601 text, and all other bytes become a hexadecimal text.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    NotRequired,
    Protocol,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from meshcoop.clock import iso_time
from protocol.fold.facets import Subject
from protocol.fold.registry import KINDS
from protocol.fold.view import View
from protocol.schema.values import Meaning

_UNCHANGED = frozenset({str, int, bool, type(None)})  # types of values that are shown as they are

Shown = dict[str, Any]


class Naming(Protocol):
    """Shows people and records in words, because readers cannot tell them apart by ids alone. A
    person is shown with a name, and a record with its text.
    """

    def show_person(self, person: bytes) -> Shown:
        """Shows a person as `{id, name}`."""

    def show_named(self, name: str) -> Shown:
        """Shows a person who does not belong to the neighbourhood as `{id, name}`. In the result,
        `id` is None.
        """

    def show_subject(self, subject: Subject) -> Shown | None:
        """Shows the person or the record that people are asked to judge. Returns None if this
        person or record is not here.
        """


def show_values(view: View, naming: Naming) -> Shown:
    """Returns the values of a view as plain values, in the same order."""
    converters = _converters_of_kind(view.kind)
    return {
        name: converters.get(name, _show_untyped)(value, naming)
        for name, value in vars(view).items()
    }


def show_result(method: Callable[..., Mapping[str, object]], *args: Any, naming: Naming) -> Shown:
    """Calls a method that returns a TypedDict, and returns its result as plain values."""
    result = method(*args)
    if not result:
        return {}
    converter = _converter_of_result(getattr(method, "__func__", method))
    shown: Shown = converter(result, naming)
    return shown


def show_input(fields: Mapping[str, object]) -> Shown:
    """Returns fields in the form that the API method `post` takes. In this form, full ids name
    people and records.
    """
    return {name: _show_input(value) for name, value in fields.items()}


# -- from annotations to converters ---------------------------------------------------------------

_Converter = Callable[[Any, Naming], Any]


@cache
def _converters_of_kind(name: str) -> dict[str, _Converter]:
    """Returns a converter for each value of a kind's views.

    If the kind is not registered, returns converters only for the values that every view has.
    """
    declared = KINDS.get(name)
    hints = _common_hints() if declared is None else declared.hints
    return {value: _converter_of(hint) for value, hint in hints.items()}


def _common_hints() -> dict[str, Any]:
    hints = get_type_hints(View, include_extras=True)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


@cache
def _converter_of_result(function: Callable[..., object]) -> _Converter:
    return _converter_of(get_type_hints(function, include_extras=True)["return"])


def _converter_of(hint: Any) -> _Converter:
    """Returns the function that turns a value with this annotation into a plain value."""
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if is_typeddict(hint):
        return _typed_dict_converter(hint)
    find_converter = _BY_ORIGIN.get(get_origin(hint))
    return find_converter(hint) if find_converter else _show_untyped


def _annotated_converter(hint: Any) -> _Converter:
    plain, *meanings = get_args(hint)
    if Meaning.PERSON in meanings:
        return _show_person
    if Meaning.TIME in meanings:
        return _show_time
    return _converter_of(plain)


def _qualified_converter(hint: Any) -> _Converter:
    """Returns the converter of a value that a TypedDict marks as required or as not required."""
    return _converter_of(get_args(hint)[0])


def _optional_converter(hint: Any) -> _Converter:
    """Returns the converter of values that may be None."""
    given = [part for part in get_args(hint) if part is not type(None)]
    if len(given) != 1:
        return _show_untyped
    convert = _converter_of(given[0])

    def show_optional(value: Any, naming: Naming) -> Any:
        return None if value is None else convert(value, naming)

    return _show_unchanged if convert is _show_unchanged else show_optional


def _list_converter(hint: Any) -> _Converter:
    (part,) = get_args(hint)
    convert = _converter_of(part)

    def show_list(value: list[Any], naming: Naming) -> list[Any]:
        return [convert(item, naming) for item in value]

    return _show_unchanged if convert is _show_unchanged else show_list


def _dict_converter(hint: Any) -> _Converter:
    """Returns the converter of maps from texts to values. All values of such a map have the same
    type.
    """
    _, part = get_args(hint)
    convert = _converter_of(part)

    def show_map(value: dict[str, Any], naming: Naming) -> Shown:
        return {name: convert(item, naming) for name, item in value.items()}

    return _show_unchanged if convert is _show_unchanged else show_map


def _typed_dict_converter(hint: Any) -> _Converter:
    """Returns the converter of maps that a TypedDict describes."""
    converters = {
        name: _converter_of(part)
        for name, part in get_type_hints(hint, include_extras=True).items()
    }

    def show_map(value: Mapping[str, Any], naming: Naming) -> Shown:
        return {
            name: converters.get(name, _show_untyped)(item, naming) for name, item in value.items()
        }

    return show_map


# -- converters -----------------------------------------------------------------------------------


def _show_unchanged(value: Any, naming: Naming) -> Any:
    del naming
    return value


def _show_text(value: Any, naming: Naming) -> Any:
    """Shows a text. A state of a view may still be an enum. Frames cannot carry enums, so this
    function turns the state into a text.
    """
    del naming
    return str(value) if isinstance(value, str) else value


def _show_hex(value: bytes, naming: Naming) -> str:
    del naming
    return value.hex()


def _show_time(value: int, naming: Naming) -> str:
    del naming
    return iso_time(value)


def _show_person(value: bytes | str, naming: Naming) -> Shown:
    if isinstance(value, str):  # the name of somebody outside
        return naming.show_named(value)
    return naming.show_person(value)


def _show_subject(value: Subject, naming: Naming) -> Shown | None:
    return naming.show_subject(value)


def _show_untyped(value: Any, naming: Naming) -> Any:
    """Shows a value whose parts can have any type, such as the change that a proposal makes."""
    del naming
    return _show_input(value)


def _show_input(value: Any) -> Any:
    if type(value) in _UNCHANGED:
        return value  # most values stay as they are, so this test comes first
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list | tuple):
        return [_show_input(part) for part in value]
    if isinstance(value, dict):
        return {name: _show_input(part) for name, part in value.items()}
    return value


_SIMPLE: dict[Any, _Converter] = {
    str: _show_text,
    int: _show_unchanged,
    bool: _show_unchanged,
    bytes: _show_hex,
    Subject: _show_subject,
}

_BY_ORIGIN: dict[Any, Callable[[Any], _Converter]] = {
    Annotated: _annotated_converter,
    Required: _qualified_converter,
    NotRequired: _qualified_converter,
    Union: _optional_converter,
    UnionType: _optional_converter,
    list: _list_converter,
    dict: _dict_converter,
}
