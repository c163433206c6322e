"""The registry of kinds (specs/10-kinds.md): every kind that this program knows, by its name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from protocol.errors import Refused
from protocol.fold.kind import Kind
from protocol.fold.thread import CLOSINGS, Entry
from protocol.fold.view import WORDLESS, States, Tombstone, View
from protocol.local_clock import LocalClock
from protocol.record.envelope import AUDIENCES, AUTOMATIC, EPOCH, LASTING, PRIVATE
from protocol.schema.fields import Field, Moment, Resolve
from protocol.schema.values import Meaning

KINDS: dict[str, "DeclaredKind"] = {}

K = TypeVar("K", bound=Kind)

UNLIMITED = 2**31  # software signs as many such records a day as the quota has room for


class FieldDescription(TypedDict):
    """Describes what a field may hold. Clients get this description, so it has only texts, numbers
    and the like.
    """

    name: str
    type: str
    required: bool
    private: bool
    beside: bool
    filled: bool
    min: int | None
    max: int | None
    choices: list[str]
    default: object
    help: str


class KindDescription(TypedDict):
    """A kind in plain values: what its records can be about, and its states and fields."""

    name: str
    root: bool
    about: list[str]
    audience: str
    posted: bool
    automatic_a_day: int
    lasting: bool
    states: list[str]
    fields: list[FieldDescription]


_SIGNERS = frozenset({"author", "by"})


@dataclass(frozen=True)
class DeclaredKind:
    """A registered kind: its name, its options and the class of its views."""

    name: str
    plural: str
    audience: int
    # If True, others rely on such records: they never expire and cannot be retracted.
    lasting: bool
    # If True, people write such records with `post`. If False, only software writes them.
    posted: bool
    # How many such records software may sign in a day without asking a person, in answer to one
    # kind of record (R-03.15j). If it is 0, software signs none by itself (R-10.9d).
    automatic_a_day: int
    view_type: type[Kind]
    fields: Mapping[str, Field]
    hints: Mapping[str, Any]  # value of a view → its annotation
    answers: tuple[str, ...] | Callable[[type[Kind]], bool]

    @property
    def about(self) -> tuple[str, ...]:
        """The names of the kinds that records of this kind can be about. "*" stands for any
        kind.
        """
        if isinstance(self.answers, tuple):
            return self.answers
        return tuple(sorted(kind.name for kind in KINDS.values() if self.answers(kind.view_type)))

    @property
    def answers_anything(self) -> bool:
        """True if records of this kind can be about any record, even about a record of an unknown
        kind.
        """
        return isinstance(self.answers, tuple) and "*" in self.answers

    @property
    def audience_code(self) -> int:
        """The number in a header that says two things: who can read a record, and whether the
        record is lasting (R-10.9).
        """
        return self.audience | (LASTING if self.lasting else 0)

    def fits_audience(self, code: int) -> bool:
        """Returns True if a record of this kind may have the audience number `code` (R-10.9)."""
        may_be_automatic = self.automatic_a_day > 0 or not code & AUTOMATIC
        return may_be_automatic and code & ~AUTOMATIC == self.audience_code

    @property
    def is_private(self) -> bool:
        """True if records of this kind are encrypted as a whole, for some people only."""
        return self.audience == PRIVATE

    @property
    def is_root(self) -> bool:
        """True if a record of this kind begins a thread."""
        return not self.view_type.record_is_answer

    @property
    def states(self) -> tuple[States, ...]:
        """The states of the kind's views. The state in which a view usually begins comes first.

        The tuple is empty if records of the kind make no views.
        """
        return tuple(self.view_type.State)

    @property
    def is_core(self) -> bool:
        """True if the specs describe the kind; a plug-in's kinds have a dot in their names."""
        return is_core_name(self.name)

    @property
    def may_be_private(self) -> bool:
        """True if a record of this kind can be private (R-10.9).

        There are two cases: the kind is private, or a record of this kind can be about a record of
        a private kind.
        """
        return self.is_private or any(
            name in KINDS and KINDS[name].is_private for name in self.about
        )

    @cached_property
    def public_names(self) -> frozenset[str]:
        """The names of the fields that everybody who has the record can read."""
        return frozenset(name for name, rule in self.fields.items() if not rule.private)

    @cached_property
    def signed_names(self) -> tuple[str, ...]:
        """The names of the public fields that stand in the record itself, and not beside it."""
        return tuple(
            name for name, rule in self.fields.items() if not (rule.private or rule.beside)
        )

    @cached_property
    def _moments(self) -> tuple[tuple[str, Moment], ...]:
        return tuple((name, rule) for name, rule in self.fields.items() if isinstance(rule, Moment))

    @cached_property
    def asked_names(self) -> tuple[str, ...]:
        """The names of the fields that a person fills in; software fills in the others."""
        return tuple(name for name, rule in self.fields.items() if not rule.filled)

    def can_answer(self, target: "DeclaredKind | None") -> bool:
        """Returns True if a record of this kind can be about a record of the kind `target`.

        `target` is None for a kind that this program does not know.
        """
        if not isinstance(self.answers, tuple):
            return target is not None and self.answers(target.view_type)
        return self.answers_anything or (target is not None and target.name in self.answers)

    def check_fields(self, fields: Mapping[str, Any]) -> None:
        """Raises Refused if a required field is missing or a value is wrong (R-10.2, R-10.3).

        Fields that this version does not know are not checked, because a later version may have
        added them.
        """
        for name, field_rule in self.fields.items():
            self._check_field(name, field_rule, fields.get(name))

    def check_moments(self, fields: Mapping[str, Any], clock: LocalClock) -> None:
        """Raises Refused if a moment is too long ago or too far ahead (R-10.21).

        `clock` shows the time at which the record is signed.
        """
        for name, rule in self._moments:
            if name in fields:
                rule.check_span(name, fields[name], clock)

    def _check_field(self, name: str, field_rule: Field, value: Any) -> None:
        if field_rule.beside:
            if value is not None:
                raise Refused(
                    "R-10.11",
                    "{field} goes in a record beside the {name}",
                    field=name,
                    name=self.name,
                )
        elif value is None:
            if field_rule.required:
                raise Refused("R-10.2", "{name} needs {field}", field=name, name=self.name)
        elif field_rule.private:
            if type(value) is not bytes:
                raise Refused(
                    "R-10.6", "{field} is private to both parties and comes sealed", field=name
                )
        else:
            field_rule.check(name, value)

    def read_input(self, given: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
        """Turns the input of a person into the values of fields.

        Private fields are not encrypted yet. Raises Refused if a field is unknown or has a value
        that cannot be understood.
        """
        unknown = sorted(set(given) - set(self.fields))
        if unknown:
            names = ", ".join(self.fields) or "none"
            raise Refused(
                "R-10.4",
                "{name} has no field {unknown}; its fields: {names}",
                name=self.name,
                unknown=unknown[0],
                names=names,
            )
        values = {
            name: self.fields[name].read(name, value, resolve)
            for name, value in given.items()
            if value is not None
        }
        for name, value in values.items():
            self.fields[name].check_read(name, value)
        return values

    def draft(self, entry: Entry) -> Kind:
        """Returns the draft of a record: its values, without the private fields (R-03.14)."""
        view_type = self.view_type
        view = view_type.__new__(view_type)
        values = vars(view)
        values.update(view_type.blank)
        for name, make in view_type.fresh.items():
            values[name] = make()
        values["id"] = entry.id
        values["kind"] = self.name
        values["author"] = entry.person
        values["created"] = entry.time
        values["about"] = entry.about
        public_names = self.public_names
        for name, value in entry.fields.items():
            if name in public_names:
                values[name] = value
        if entry.by is not None:
            values["by"] = entry.by
        return view


def kind(
    name: str,
    *,
    about: tuple[str, ...] | Callable[[type[Kind]], bool] = (),
    audience: int = EPOCH,
    plural: str | None = None,
    lasting: bool = False,
    posted: bool = True,
    automatic_a_day: int = 0,
) -> Callable[[type[K]], type[K]]:
    """Registers the decorated class as the kind `name`.

    A record of the kind `name` can answer records of the kinds `about`. This argument has the names
    of these kinds, or it is a function that returns True for their classes. If it is left out, the
    records answer nothing and begin threads.

    Raises ValueError, at import, if there is already a kind with this name. Raises ValueError also
    if the class lacks words, states or an example, or if two of its declarations contradict each
    other.
    """

    def register(view_type: type[K]) -> type[K]:
        if name in KINDS:
            raise ValueError(f"kind {name} is declared twice")
        fields = _declared_fields(view_type)
        hints = _value_hints(view_type, fields)
        declared = DeclaredKind(
            name=name,
            plural=plural or f"{name}s",
            audience=audience,
            lasting=lasting,
            posted=posted,
            automatic_a_day=automatic_a_day,
            view_type=view_type,
            fields=fields,
            hints=hints,
            answers=about,
        )
        _check(declared)
        _prepare(view_type, declared)
        KINDS[name] = declared
        return view_type

    return register


def load_kinds() -> None:
    """Registers all kinds that this program knows.

    This function imports many modules. So a program can show its first screen before it calls this
    function.
    """
    import_module("protocol.kinds")


def declared_of(view_type: type[Kind]) -> DeclaredKind:
    """Returns the registered kind that has this class."""
    for declared in KINDS.values():
        if declared.view_type is view_type:
            return declared
    raise KeyError(f"{view_type.__name__} is registered as no kind")


def names_of(*view_types: type[Kind]) -> tuple[str, ...]:
    """Returns the names of the kinds that have these classes.

    A base class stands for all kinds whose classes inherit from it.
    """
    return tuple(
        declared.name for declared in KINDS.values() if issubclass(declared.view_type, view_types)
    )


def is_core_name(name: str) -> bool:
    """Returns True for the name of a kind in the specs, and False for a plug-in's kind."""
    return "." not in name


def package_of(name: str) -> str | None:
    """Returns the package of a kind, by the name of the kind. Returns None for a core kind."""
    return None if is_core_name(name) else name.partition(".")[0]


def is_newer(entry: Entry) -> bool:
    """Returns True if this home can read a record, but this program does not know its kind."""
    return entry.kind is not None and entry.kind not in KINDS


def first_state(view_type: type[Kind]) -> str:
    """Returns the state that a new view of this kind usually has."""
    return next(iter(view_type.State), "")


def view_of(values: dict[str, Any]) -> View:
    """Makes a view again from its values, as they were unpacked."""
    declared = KINDS.get(values["kind"])
    return (declared.view_type if declared else Tombstone).of_values(values)


def people_in(view: View) -> set[bytes]:
    """Returns the people that a view names.

    The author of the record is one of them only if a value of the view names the author.
    """
    declared = KINDS.get(view.kind)
    if declared is None:
        return set()
    values = vars(view)
    return {
        person
        for name, hint in declared.hints.items()
        if name not in _SIGNERS
        for person in _people_in_value(hint, values.get(name))
    }


def is_person_hint(hint: Any) -> bool:
    """Returns True if an annotation says that a value stands for a person."""
    return get_origin(hint) is Annotated and Meaning.PERSON in get_args(hint)


def describe_kinds() -> list[KindDescription]:
    """Returns a description of each kind, made of plain lists and dictionaries.

    The command `meshcoop kinds`, the tables of the specs and the forms on the screen use it.
    """
    return [
        {
            "name": declared.name,
            "root": declared.is_root,
            "about": list(declared.about),
            "audience": AUDIENCES[declared.audience],
            "posted": declared.posted,
            "automatic_a_day": declared.automatic_a_day,
            "lasting": declared.lasting,
            "states": [str(state) for state in declared.states],
            "fields": [_describe_field(name, rule) for name, rule in declared.fields.items()],
        }
        for declared in KINDS.values()
    ]


# -- what a class declares ------------------------------------------------------------------------


def _declared_fields(view_type: type[Kind]) -> dict[str, Field]:
    """Returns the fields of a class and of its base classes.

    The fields of the base classes come first.
    """
    return {
        name: value
        for base in reversed(view_type.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, Field)
    }


def _value_hints(view_type: type[Kind], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Returns the annotation of each value that a view of this class has."""
    hints = {
        name: hint
        for name, hint in get_type_hints(view_type, include_extras=True).items()
        if get_origin(hint) is not ClassVar
    }
    missing = fields.keys() - hints.keys()
    if missing:
        raise ValueError(f"{view_type.__name__}.{min(missing)} has no annotation")
    return hints


def _prepare(view_type: type[Kind], declared: DeclaredKind) -> None:
    """Stores in the class the values with which each of its views begins."""
    is_optional = {"by", "hidden"} - declared.fields.keys()  # absent unless there is something
    blank: dict[str, object] = {}
    fresh: dict[str, Callable[[], object]] = {}
    for name, hint in declared.hints.items():
        if name in is_optional:
            continue
        default = getattr(view_type, name, None)
        if name in declared.fields:
            blank[name] = None
        elif default is None and get_origin(hint) in {list, dict}:
            fresh[name] = get_origin(hint)
        else:
            blank[name] = default
    blank["state"] = first_state(view_type)
    view_type.record_fields = declared.fields
    view_type.blank = blank
    view_type.fresh = fresh
    fields_without_words = {
        name
        for name, rule in declared.fields.items()
        if rule.private or type(rule).texts is Field.texts
    }
    view_type.wordless = (WORDLESS - declared.fields.keys()) | fields_without_words
    view_type.record_is_answer = declared.answers != ()


def _check(declared: DeclaredKind) -> None:
    """Raises ValueError if a class lacks a declaration, or if two declarations contradict each
    other.
    """
    view_type = declared.view_type
    for name in ("State", "wording", "example"):
        if not hasattr(view_type, name):
            raise ValueError(f"kind {declared.name} declares no {name}")
    for state in declared.states:
        if not state.sentence.endswith("."):
            raise ValueError(
                f"kind {declared.name} does not say in a sentence when a view is {state}"
            )
    _check_named_states(declared)
    for name, rule in declared.fields.items():
        _check_annotation(declared, name, rule)
    try:
        declared.check_fields(view_type.example)
    except Refused as refusal:
        raise ValueError(f"the example of kind {declared.name}: {refusal.reason}") from None


def _check_named_states(declared: DeclaredKind) -> None:
    view_type = declared.view_type
    states = {str(state) for state in declared.states}
    bys = [view_type.accept, *view_type.closing.values()]
    named = [state for by in bys if by for state in (*by.while_, *by.instead)]
    named += [by.makes for by in bys if by and by.makes]
    named += [view_type.deadline[1]] if view_type.deadline else []
    for word in named:
        if word not in states:
            raise ValueError(f"kind {declared.name} names {word!r}, which is none of its states")
    for mark in view_type.closing:
        if mark not in CLOSINGS:
            raise ValueError(f"kind {declared.name} is closed as {mark}, which is no closing word")


def _check_annotation(declared: DeclaredKind, name: str, rule: Field) -> None:
    hint = declared.hints[name]
    may_be_none = not rule.required or rule.private or rule.beside or rule.is_wording
    is_none_allowed = get_origin(hint) in {Union, UnionType} and type(None) in get_args(hint)
    if may_be_none != is_none_allowed:
        must = "may be None" if may_be_none else "is never None"
        raise ValueError(f"kind {declared.name}: {name} {must}, and its annotation says otherwise")
    if rule.names_people != bool(_mentions_person(hint)):
        raise ValueError(f"kind {declared.name}: {name} names people, and so must its annotation")


def _mentions_person(hint: Any) -> bool:
    return is_person_hint(hint) or any(_mentions_person(part) for part in get_args(hint))


def _people_in_value(hint: Any, value: Any) -> Iterable[bytes]:
    """Yields the people in a value. `hint`, the annotation of the value, says which parts of the
    value are people.
    """
    if value is None or not get_args(hint):
        return
    if is_person_hint(hint):
        if isinstance(value, bytes):
            yield value
    elif isinstance(value, list):
        for part in value:
            yield from _people_in_value(_part_hint(hint, list), part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _people_in_value(_part_hint(hint, dict), part)
    elif isinstance(value, bytes):
        for part in get_args(hint):
            yield from _people_in_value(part, value)


def _part_hint(hint: Any, container: type) -> Any:
    """Returns the annotation of the values in a list or a map."""
    if get_origin(hint) is container:
        return get_args(hint)[-1]
    for part in get_args(hint):
        if get_origin(part) is container:
            return get_args(part)[-1]
    return None


def _describe_field(name: str, rule: Field) -> FieldDescription:
    smallest, largest = rule.bounds
    return {
        "name": name,
        "type": rule.type_name,
        "required": rule.required,
        "private": rule.private,
        "beside": rule.beside,
        "filled": rule.filled,
        "min": smallest,
        "max": largest,
        "choices": list(getattr(rule, "words", ())),
        "default": rule.default,
        "help": rule.help,
    }
