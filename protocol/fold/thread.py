"""A thread while it is folded: its records, the views of these records, and its history."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from protocol.authority import registers
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.schema.fields import Field
from protocol.schema.register_names import HIDDEN

View = dict[str, Any]

Index = TypeVar("Index")


class DeclaredKind(Protocol):
    """The parts of a kind that the code of threads needs.

    They are declared here, because the module of kinds imports this module.
    """

    @property
    def name(self) -> str:
        """The name of the kind."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields of the kind, by their names."""

    @property
    def states(self) -> Mapping[str, str]:
        """Each state of the kind's views, with a sentence that says when a view has this state."""

    def named_people(self, fields: dict[str, Any]) -> set[bytes]:
        """Returns the people that the fields of a record name."""


class Entry(NamedTuple):
    """A record with its decrypted content.

    `kind` is None if this home lacks the content or the key that decrypts the content.
    """

    id: bytes
    device: bytes
    seq: int
    time: int
    about: bytes | None
    person: bytes
    kind: str | None
    fields: dict[str, Any]
    fault: Refused | None = None  # the reason, if the content does not count
    lasting: bool = False  # if True, others rely on it, and nobody can retract it
    key: bytes | None = None  # in a private record: decrypts its content
    by: bytes | None = None  # the signer, if they signed by proxy
    proxy: bytes | None = None  # the id of that proxy

    @property
    def order(self) -> tuple[int, bytes]:
        """The sort key for records that are about the same record: time, then id."""
        return self.time, self.id

    def without_content(self) -> "Entry":
        """Returns a copy without the kind and the fields, so that the content does not count."""
        return self._replace(kind=None, fields={})


class HistoryLine(NamedTuple):
    """A line of a thread's history: a record and, if it does not count, the refusal."""

    entry: Entry
    refusal: Refused | None


@dataclass
class Thread:
    """One thread: its records, and the views that have been made of these records so far."""

    authority: Authority
    entries: dict[bytes, Entry]
    kinds: Mapping[str, DeclaredKind]  # the registry
    views: dict[bytes, View] = field(default_factory=dict)
    history: list[HistoryLine] = field(default_factory=list)
    marks: dict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))
    log_heads: Mapping[bytes, int] = field(default_factory=dict)  # device → last number
    _linked: dict[tuple[str, str, bytes | None], list[View]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _indexes: dict[Callable[[], Any], Any] = field(default_factory=dict)

    def index(self, index_type: Callable[[], Index]) -> Index:
        """Returns the thread's index of the type `index_type`. A new index is empty.

        A family of kinds keeps there the facts from one record that it needs for other records.
        Examples are the links of a service and the people in a circle.
        """
        if index_type not in self._indexes:
            self._indexes[index_type] = index_type()
        kept: Index = self._indexes[index_type]
        return kept

    def target_of(self, entry: Entry) -> Entry:
        """Returns the record that `entry` is about. Raises Refused if that record is not here."""
        if entry.about is None:
            raise Refused("R-10.5", f"a {entry.kind} is about something")
        if entry.about not in self.entries:
            raise Refused(
                "R-03.13", "the record that it is about is not here yet, or is ahead of this clock"
            )
        return self.entries[entry.about]

    def find_view(self, record_id: bytes | None, kind: str) -> View | None:
        """Returns the view of a record, or None if it does not count or is of another kind."""
        view = self.views.get(record_id or b"")
        return view if view is not None and view["kind"] == kind else None

    def make_view(self, entry: Entry, *, state: str, **more: Any) -> View:
        """Makes the view of `entry` with the fields of its kind, and adds the view to the thread.

        Private fields are empty in the view (R-03.14).
        """
        kind = self.kinds[entry.kind or ""]
        assert state in kind.states, "a kind declares every state of its views"
        declared = {
            name: None if kind_field.private else entry.fields.get(name)
            for name, kind_field in kind.fields.items()
        }
        view = {
            "id": entry.id,
            "kind": entry.kind,
            "author": entry.person,
            "created": entry.time,
            "about": entry.about,
            "state": state,
            **declared,
            **more,
        }
        if entry.by is not None:
            view["by"] = entry.by
        self.views[entry.id] = view
        for link in ("about", "intent"):
            self._linked[kind.name, link, view.get(link)].append(view)
        return view

    def people_about(self, entry: Entry) -> set[bytes]:
        """Returns the people that a record concerns, without its own author (R-14.5).

        These are the people that its fields name, and the author of the record that it answers.
        """
        kind = self.kinds.get(entry.kind or "")
        people = kind.named_people(entry.fields) if kind else set()
        answered = self.entries.get(entry.about or b"")
        if answered is not None:
            people = people | {answered.person}
        return people - {entry.person}

    def is_hidden(self, record_id: bytes) -> bool:
        """Returns True if the moderators or the roll have hidden the words of this record."""
        holding = self.authority.registers.get((HIDDEN, record_id))
        entry = self.entries.get(record_id)
        if holding is None or entry is None:
            return False
        return registers.is_hidden(holding, self.people_about(entry))

    def linked_views(self, kind: str, link: str, record_id: bytes) -> list[View]:
        """Returns the views of one kind that refer to this record, in the order of the fold.

        `link` is the entry of the view that has the record's id: "about" or "intent".
        """
        return self._linked[kind, link, record_id]
