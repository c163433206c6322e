"""The registry of kinds (specs/10-kinds.md). Each kind is one class, declared once.

    @kind("response", about=("offer", "request"))
    class Response(Kind):
        states = States({"waiting": "Nobody has answered it.", ...})
        minutes = Minutes(required=True)

        def fold_entry(self, thread, entry): ...

The fields are the class's Field attributes. The states, with a sentence each, become the state
tables of the specs. `fold_entry` changes the thread's views if the record counts. If it does not
count, `fold_entry` raises Refused, and the history then shows the refusal.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar, TypeVar

from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread
from protocol.record import codec
from protocol.record.envelope import AUDIENCES, EPOCH, LASTING, PRIVATE
from protocol.schema.fields import Field, Resolve

KINDS: dict[str, "Kind"] = {}

_ID = 32

K = TypeVar("K", bound="Kind")


class States(dict[str, str]):
    """The states of a kind's views in order, the usual first state first.

    Each state is a word with a sentence that says when a view has it. The sentence names in
    backticks the kinds of the records that bring a view there.
    """


NO_VIEW = States()  # for a kind whose records only change the views of other records


class Kind:
    """A kind of record.

    Subclasses declare fields and states, and override methods where they differ.

    First come the methods that the author's software calls before it signs, then those of the fold,
    then the one for views that are shown.
    """

    name: ClassVar[str]
    plural: ClassVar[str]
    about: ClassVar[tuple[str, ...]]
    audience: ClassVar[int]
    fields: ClassVar[dict[str, Field]]
    states: ClassVar[States]  # every kind declares them, or NO_VIEW

    # Others rely on its records: they neither expire nor can be retracted.
    lasting: ClassVar[bool]
    # People write its records with `post`; others are written by their software alone.
    posted: ClassVar[bool]
    # A record still counts if the record that it is about has lost its content.
    stands_alone: ClassVar[bool] = False
    # Authority judges whether a record counts; forks of its author's log do not matter.
    judged_by_authority: ClassVar[bool] = False
    # A field and a state. After the field's moment, a view in the first state is shown in this one.
    deadline: ClassVar[tuple[str, str] | None] = None
    # Keys that views add to the fields: those that name people, then those that are times in ms.
    extra_people_fields: ClassVar[tuple[str, ...]] = ()
    extra_time_fields: ClassVar[tuple[str, ...]] = ()

    @property
    def audience_code(self) -> int:
        """The audience as headers write it (R-10.9)."""
        return self.audience | (LASTING if self.lasting else 0)

    @property
    def is_private(self) -> bool:
        """True if whole records of this kind are sealed to some people."""
        return self.audience == PRIVATE

    @property
    def is_root(self) -> bool:
        """True if a record of this kind begins a thread."""
        return not self.about

    @property
    def first_state(self) -> str:
        """The state of a view to which nothing has happened yet."""
        return next(iter(self.states))

    @property
    def may_be_private(self) -> bool:
        """True if the kind is private, or if it may answer a private kind (R-10.9)."""
        return self.audience == PRIVATE or any(
            name in KINDS and KINDS[name].audience == PRIVATE for name in self.about
        )

    def check_fields(self, fields: dict[str, Any]) -> None:
        """Raises Refused if a required field is missing or a field has a wrong value (R-10.2,
        R-10.3).

        It does not look at fields that this version does not know: a later version may have added
        them.
        """
        for name, field in self.fields.items():
            self._check_field(name, field, fields.get(name))

    def _check_field(self, name: str, field: Field, value: Any) -> None:
        if field.beside:
            if value is not None:
                raise Refused("R-10.11", f"{name} goes in a record beside the {self.name}")
        elif value is None:
            if field.required:
                raise Refused("R-10.2", f"{self.name} needs {name}")
        elif field.private:
            if type(value) is not bytes:
                raise Refused("R-10.6", f"{name} is private to both parties and comes sealed")
        else:
            field.check(name, value)

    def read_input(self, given: dict[str, Any], resolve: Resolve) -> dict[str, Any]:
        """Reads a person's input as fields. Private fields are not sealed yet. Raises Refused."""
        unknown = sorted(set(given) - set(self.fields))
        if unknown:
            names = ", ".join(self.fields) or "none"
            raise Refused("R-10.4", f"{self.name} has no field {unknown[0]}; its fields: {names}")
        return {
            name: self.fields[name].read(name, value, resolve)
            for name, value in given.items()
            if value is not None
        }

    def named_people(self, fields: dict[str, Any]) -> set[bytes]:
        """Returns the people that a record's fields name."""
        people: set[bytes] = set()
        for name, field in self.fields.items():
            value = fields.get(name)
            if field.names_people and value is not None:
                people |= field.people(value)
        return people

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the fields that a person may leave out, and returns all fields (R-10.7).

        The author's software calls it before it signs.
        """
        del thread, today
        return entry.fields

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the author's software should not sign the record.

        Homes that receive such a record would still let it count.
        """

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the author's software should not sign an `accept` about this kind."""

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Returns the people who can read this kind's private fields.

        In a private thread the kind of its root decides this for all records: `entry` is the record
        to be sealed.
        """
        del thread
        return {entry.person}

    def handed_keys(self, fields: dict[str, Any]) -> dict[bytes, bytes]:
        """Returns the keys of other private records that this record hands on, by record id."""
        del fields
        return {}

    def is_adopted(self, thread: Thread, entry: Entry) -> bool:
        """Returns True if a decision of the roll lets the record stand even beyond a fork."""
        del thread, entry
        return False

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """Returns True if `entry`, by another person, lets `target` stand even beyond a fork."""
        del thread, entry, target
        return False

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Lets a record change the thread's views. A root makes its own view. Raises Refused."""
        if self.is_root:
            thread.make_view(entry, state=self.first_state)

    def apply_accept(self, thread: Thread, entry: Entry) -> None:
        """Lets an `accept` about a record of this kind change the thread. Raises Refused."""

    def apply_close(self, thread: Thread, entry: Entry) -> None:
        """Lets a `close` about a record of this kind change more than its state. Raises Refused."""

    def settle_view(self, thread: Thread, view: dict[str, Any]) -> None:
        """Sets the view's state once all records of the thread are folded, leaves first."""

    def clock_state(self, view: dict[str, Any]) -> tuple[str, str] | None:
        """Returns a moment and the state in which the view is shown after it.

        Returns None if the clock does not change the view's state.
        """
        if self.deadline is None or view["state"] != self.first_state:
            return None
        field, state = self.deadline
        moment = view.get(field)
        return (moment, state) if moment else None


def kind(
    name: str,
    *,
    about: tuple[str, ...] = (),
    audience: int = EPOCH,
    plural: str | None = None,
    lasting: bool = False,
    posted: bool = True,
) -> Callable[[type[K]], type[K]]:
    """Registers the decorated class as the kind `name`.

    Raises ValueError, at import, if a kind of that name exists already or if a state has no
    sentence.
    """

    def register(cls: type[K]) -> type[K]:
        if name in KINDS:
            raise ValueError(f"kind {name} is declared twice")
        _check_states(name, cls)
        # Collected first: a field called `name` or `about` hides the class's own attribute.
        cls.fields = _declared_fields(cls)
        cls.name = name
        cls.about = about
        cls.audience = audience
        cls.plural = plural or f"{name}s"
        cls.lasting = lasting
        cls.posted = posted
        KINDS[name] = cls()
        return cls

    return register


def load_kinds() -> None:
    """Registers all kinds that this program knows.

    A program that has to show something first calls it late.
    """
    import_module("protocol.kinds")


def people_in(view: dict[str, Any]) -> set[bytes]:
    """Returns the people that a view names.

    Its author is not among them unless the view names them.
    """
    kind = KINDS.get(view["kind"])
    if kind is None:
        return set()
    people = kind.named_people(view)
    for name in kind.extra_people_fields:
        value = view.get(name)
        if isinstance(value, list):
            people.update(value)
        elif value is not None:
            people.add(value)
    return people


def pack_content(name: str, fields: dict[str, Any]) -> bytes:
    """Packs the plain content of a record, `[kind, fields]`. Empty fields are left out (R-10.1)."""
    return codec.pack([name, {key: value for key, value in fields.items() if value is not None}])


def pack_private_content(name: str, fields: dict[str, Any], about: bytes | None) -> bytes:
    """Packs the plain content of a private record, `[kind, fields, about]` (R-10.10)."""
    filled = {key: value for key, value in fields.items() if value is not None}
    return codec.pack([name, filled, about])


def read_content(plain: bytes) -> tuple[str, dict[str, Any]]:
    """Reads plain content and returns the kind's name and the fields.

    If the kind is known, its fields are checked. Raises Refused if they or the form are wrong.
    """
    value = codec.unpack(plain)
    types = [type(part) for part in value] if type(value) is list else []
    if types != [str, dict]:
        raise Refused("R-10.1", "content is a list of a kind's name and its fields")
    name, fields = value
    if name in KINDS:
        KINDS[name].check_fields(fields)
    return name, fields


def read_private_content(plain: bytes) -> tuple[str, dict[str, Any], bytes | None]:
    """Reads the content of a private record: the kind's name, the fields and the id it is about.

    Raises Refused if the form or a field is wrong, or if the kind may not be private.
    """
    value = codec.unpack(plain)
    types = [type(part) for part in value] if type(value) is list else []
    if len(types) != 3 or types[:2] != [str, dict]:  # noqa: PLR2004
        raise Refused("R-10.10", "private content is a kind's name, its fields and an id or nil")
    name, fields, about = value
    if about is not None and (type(about) is not bytes or len(about) != _ID):
        raise Refused("R-10.10", f"what a private record is about is an id of {_ID} bytes, or nil")
    if name in KINDS:
        if not KINDS[name].may_be_private:
            raise Refused("R-10.9", f"a {name} is not private")
        KINDS[name].check_fields(fields)
    return name, fields, about


def describe_kinds() -> list[dict[str, Any]]:
    """Describes the registry as data.

    `meshcoop kinds`, the tables of the specs and the screen's forms use it.
    """
    return [
        {
            "name": kind.name,
            "root": kind.is_root,
            "about": list(kind.about),
            "audience": AUDIENCES[kind.audience],
            "posted": kind.posted,
            "lasting": kind.lasting,
            "states": list(kind.states),
            "fields": [_describe_field(name, field) for name, field in kind.fields.items()],
        }
        for kind in KINDS.values()
    ]


def _check_states(name: str, cls: type[Kind]) -> None:
    states: States | None = getattr(cls, "states", None)
    if states is None:
        raise ValueError(f"kind {name} declares no states: give it States, or NO_VIEW")
    for word, sentence in states.items():
        if not sentence.endswith("."):
            raise ValueError(f"kind {name} does not say in a sentence when a view is {word!r}")
    if cls.deadline is not None and cls.deadline[1] not in states:
        raise ValueError(f"kind {name} ends in {cls.deadline[1]!r}, which is none of its states")


def _declared_fields(cls: type[Kind]) -> dict[str, Field]:
    """Returns the fields of a class and of its base classes.

    Those of the base classes come first.
    """
    return {
        name: value
        for base in reversed(cls.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, Field)
    }


def _describe_field(name: str, field: Field) -> dict[str, Any]:
    smallest, largest = field.bounds
    return {
        "name": name,
        "type": field.type_name,
        "required": field.required,
        "private": field.private,
        "beside": field.beside,
        "filled": field.filled,
        "min": smallest,
        "max": largest,
        "choices": list(getattr(field, "words", ())),
        "default": field.default,
        "help": field.help,
    }
