"""The registry of the kinds of records (specs/10-kinds.md). Each kind is one class.

    @kind("response", about=("offer", "request"))
    class Response(Kind):
        states = States({"waiting": "Nobody has answered it.", ...})
        minutes = Minutes(required=True)

        def fold_entry(self, thread, entry): ...

Attributes of the type Field are the fields of the record. `states` has a sentence for each state,
and the specs print these sentences as a table. `fold_entry` changes the views of the thread. If the
record does not count, `fold_entry` raises Refused, and the history of the thread shows the refusal.
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
    """The states that the views of a kind can have. The usual state of a new view comes first.

    Each state is a word, with a sentence that says when a view has this state. If a record brings
    the view into this state, the sentence names the kind of that record in backticks.
    """


NO_VIEW = States()  # for a kind whose records only change the views of other records


class Kind:
    """A kind of record: the base class of all kinds.

    A subclass declares its fields and states, and overrides the methods that it needs.

    The author's software calls the first methods before it signs a record. The fold calls the next
    methods. The code that shows a view calls the last method.
    """

    name: ClassVar[str]
    plural: ClassVar[str]
    about: ClassVar[tuple[str, ...]]
    audience: ClassVar[int]
    fields: ClassVar[dict[str, Field]]
    states: ClassVar[States]  # every kind declares its states, or NO_VIEW

    # If True, others rely on such records: they never expire and cannot be retracted.
    lasting: ClassVar[bool]
    # If True, people write such records with `post`. If False, only software writes them.
    posted: ClassVar[bool]
    # If True, a record counts even if the record that it is about lost its content.
    stands_alone: ClassVar[bool] = False
    # If True, authority judges whether a record counts. Forks of its log do not matter.
    judged_by_authority: ClassVar[bool] = False
    # The name of a field and a state. If the moment in this field is past and the view is still in
    # the first state of the kind, the view is shown in the state that is named here.
    deadline: ClassVar[tuple[str, str] | None] = None
    # Entries that a view has beside the fields: entries with people, and entries with times in ms.
    extra_people_fields: ClassVar[tuple[str, ...]] = ()
    extra_time_fields: ClassVar[tuple[str, ...]] = ()

    @property
    def audience_code(self) -> int:
        """The number in a header that says who can read a record and if it is lasting (R-10.9)."""
        return self.audience | (LASTING if self.lasting else 0)

    @property
    def is_private(self) -> bool:
        """True if records of this kind are encrypted as a whole, for some people only."""
        return self.audience == PRIVATE

    @property
    def is_root(self) -> bool:
        """True if a record of this kind begins a thread."""
        return not self.about

    @property
    def first_state(self) -> str:
        """The state that a new view of this kind usually has."""
        return next(iter(self.states))

    @property
    def may_be_private(self) -> bool:
        """True if a record of this kind can be private (R-10.9).

        This is so if the kind is private, or if such a record can be about a private record.
        """
        return self.audience == PRIVATE or any(
            name in KINDS and KINDS[name].audience == PRIVATE for name in self.about
        )

    def check_fields(self, fields: dict[str, Any]) -> None:
        """Raises Refused if a required field is missing or a value is wrong (R-10.2, R-10.3).

        Fields that this version does not know are not checked, because a later version may have
        added them.
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
        """Turns the input of a person into the values of fields.

        Private fields are not encrypted yet. Raises Refused if a field is unknown or has a
        value that cannot be understood.
        """
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
        """Returns the people that the fields of a record name."""
        people: set[bytes] = set()
        for name, field in self.fields.items():
            value = fields.get(name)
            if field.names_people and value is not None:
                people |= field.people(value)
        return people

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the fields that the author left out, and returns all fields (R-10.7).

        The author's software calls this method before it signs the record.
        """
        del thread, today
        return entry.fields

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the author's software should not sign the record.

        If other software signs such a record all the same, other homes still count it.
        """

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if software should not sign an `accept` of a record of this kind."""

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Returns the people for whom the private parts of the record `entry` are encrypted.

        If the whole thread is private, the kind of its root record answers this for every record of
        the thread.
        """
        del thread
        return {entry.person}

    def handed_keys(self, fields: dict[str, Any]) -> dict[bytes, bytes]:
        """Returns the keys that a record with these fields gives to its readers.

        Each key opens another private record, and comes with the id of that record.
        """
        del fields
        return {}

    def is_adopted(self, thread: Thread, entry: Entry) -> bool:
        """Returns True if a decision of the roll makes the record count, even after a fork."""
        del thread, entry
        return False

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """Returns True if `entry` makes `target`, by another person, count even after a fork."""
        del thread, entry, target
        return False

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Changes the views of the thread by the record `entry`. A root record gets its own view.

        Raises Refused if the record does not count.
        """
        if self.is_root:
            thread.make_view(entry, state=self.first_state)

    def apply_accept(self, thread: Thread, entry: Entry) -> None:
        """Changes the thread by `entry`, an `accept` of a record of this kind.

        Raises Refused if the accept does not count.
        """

    def apply_close(self, thread: Thread, entry: Entry) -> None:
        """Changes the thread by `entry`, a `close` of a record of this kind.

        A kind overrides this if a close changes more than the state of the record. Raises Refused
        if the close does not count.
        """

    def settle_view(self, thread: Thread, view: dict[str, Any]) -> None:
        """Sets the state of a view after all records of the thread are folded.

        Later views settle first, so answers settle before the records that they answer.
        """

    def clock_state(self, view: dict[str, Any]) -> tuple[str, str] | None:
        """Returns a moment and a state. After this moment the view is shown in this state.

        Returns None if the clock does not change the state of the view.
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

    Raises ValueError, at import, if the name is taken or a state has no sentence.
    """

    def register(cls: type[K]) -> type[K]:
        if name in KINDS:
            raise ValueError(f"kind {name} is declared twice")
        _check_states(name, cls)
        # Fields are collected first: the next lines replace a field called `name` or `about`.
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

    This imports many modules. So a program may show its first screen before it calls this.
    """
    import_module("protocol.kinds")


def people_in(view: dict[str, Any]) -> set[bytes]:
    """Returns the people that a view names.

    The author of the record is included only if a field names the author.
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
    """Packs `[kind, fields]`, the unencrypted content of a record. Skips empty fields (R-10.1)."""
    return codec.pack([name, {key: value for key, value in fields.items() if value is not None}])


def pack_private_content(name: str, fields: dict[str, Any], about: bytes | None) -> bytes:
    """Packs `[kind, fields, about]`, the unencrypted content of a private record (R-10.10)."""
    filled = {key: value for key, value in fields.items() if value is not None}
    return codec.pack([name, filled, about])


def read_content(plain: bytes) -> tuple[str, dict[str, Any]]:
    """Reads the unencrypted content of a record. Returns the name of the kind and the fields.

    If the kind is known, the fields are checked. Raises Refused if a field or the form of the
    content is wrong.
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
    """Reads the unencrypted content of a private record.

    Returns the name of the kind, the fields, and the id of the record that it is about, if any.
    Raises Refused if a field or the form of the content is wrong, or if the kind cannot be private.
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
    """Returns a description of each kind, made of plain lists and dictionaries.

    The command `meshcoop kinds`, the tables of the specs and the forms on the screen use it.
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

    The fields of the base classes come first.
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
