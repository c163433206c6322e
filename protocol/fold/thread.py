"""A thread while it is folded: its records, the views of these records, and its history."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from protocol.authority import registers
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.facets import (
    ActionFacts,
    Awaited,
    Credit,
    MeasureFacts,
    ServiceFacts,
    TrialFacts,
)
from protocol.fold.view import View
from protocol.local_clock import LocalClock
from protocol.schema.register_names import HIDDEN

Index = TypeVar("Index")
V = TypeVar("V", bound=View)


class Mark(StrEnum):
    """Something that another record of a thread can do to a record, such as accepting it.

    A `close` ends a record with one of the words from `WITHDRAWN` on.
    """

    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    WORDED = "worded"  # the words of an open record are here
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    DISPUTED = "disputed"
    ENDED = "ended"


CLOSINGS = (Mark.WITHDRAWN, Mark.DECLINED, Mark.CANCELLED, Mark.DISPUTED, Mark.ENDED)


class Entry(NamedTuple):
    """A record with its decrypted content.

    `kind` is None if this home lacks the content, or lacks the key that decrypts the content. If
    there is a `fault`, the record does not count, but its kind and fields stay. So records about
    this record fold in the same way as at a home that does not know the kind, and so sees no fault
    (R-10.8d).
    """

    id: bytes
    device: bytes
    seq: int
    time: int
    about: bytes | None
    person: bytes
    kind: str | None
    fields: dict[str, Any]
    fault: Refused | None = None  # the reason, if the record does not count
    lasting: bool = False  # if True, others rely on it, and nobody can retract it
    is_sealed: bool = True  # if True, its content is sealed for the members; a proxy needs that
    key: bytes | None = None  # in a private record: decrypts its content
    by: bytes | None = None  # the signer, if they signed by proxy
    proxy: bytes | None = None  # the id of that proxy
    is_seen: bool = False  # if True, no later cut, revocation or fork undoes it

    @property
    def order(self) -> tuple[int, bytes]:
        """The sort key for records that are about the same record: time, then id."""
        return self.time, self.id

    def without_content(self) -> "Entry":
        """Returns a copy of this entry without the kind and the fields, so that its content does
        not count.
        """
        return self._replace(kind=None, fields={})


class HistoryLine(NamedTuple):
    """A line of a thread's history: a record and, if it does not count, the refusal."""

    entry: Entry
    refusal: Refused | None


class ViewResult(NamedTuple):
    """The data that a home stores about a view: its packed values, and data that follow from the
    values.

    `texts` are the words by which people find the view.
    """

    packed: bytes
    texts: tuple[str, ...] = ()
    credits: tuple[Credit, ...] = ()
    awaited: tuple[Awaited, ...] = ()
    relies: tuple[bytes, ...] = ()  # the people without whom the view cannot go on


@dataclass
class Thread:
    """One thread: its records, and the views that have been made of these records so far.

    A draft is a record as its kind reads it, whether the record counts or not. Once the record
    counts, the draft becomes its view.
    """

    authority: Authority
    entries: dict[bytes, Entry]
    drafts: dict[bytes, View] = field(default_factory=dict)
    views: dict[bytes, View] = field(default_factory=dict)
    history: list[HistoryLine] = field(default_factory=list)
    results: dict[bytes, ViewResult] = field(default_factory=dict)
    failures: list[Exception] = field(
        default_factory=list
    )  # raised by the code of kinds (R-10.16a)
    log_heads: Mapping[bytes, int] = field(default_factory=dict)  # device → last number
    # An action → what this home knows of it now. Software that signs sets it; no fold reads it.
    facts_of_action: Callable[[bytes], ActionFacts | None] = field(default=lambda _: None)
    # The same for a measure in use.
    facts_of_measure: Callable[[bytes], MeasureFacts | None] = field(default=lambda _: None)
    # The same for a service that has not ended.
    facts_of_service: Callable[[bytes], ServiceFacts | None] = field(default=lambda _: None)
    # A trial → what this home knows of it now. Software that signs sets it; no fold reads it.
    facts_of_trial: Callable[[bytes], TrialFacts | None] = field(default=lambda _: None)
    _clock: LocalClock | None = None
    # record → what was done to it → the person who did it → the first record that says so
    _marks: dict[bytes, dict[Mark, dict[bytes, bytes]]] = field(default_factory=dict)
    _linked: dict[tuple[str, bytes | None], list[View]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _indexes: dict[Callable[[], Any], Any] = field(default_factory=dict)

    @property
    def clock(self) -> LocalClock:
        """The local time at which somebody looks at the thread, or is about to answer in it.

        Software sets the clock before it signs a record or shows the thread. While a thread is
        folded, there is no clock. So all homes make the same views.
        """
        assert self._clock is not None, "a fold reads no clock"
        return self._clock

    @clock.setter
    def clock(self, clock: LocalClock) -> None:
        self._clock = clock

    def index(self, index_type: Callable[[], Index]) -> Index:
        """Returns the thread's index of the type `index_type`. Makes an empty one if there is none.

        In an index, a family of kinds keeps facts about some records, because it needs these facts
        for other records. Examples are the links of a service and the people in a circle.
        """
        if index_type not in self._indexes:
            self._indexes[index_type] = index_type()
        kept: Index = self._indexes[index_type]
        return kept

    def target_of(self, entry: Entry) -> Entry:
        """Returns the record that `entry` is about. Raises Refused if the thread does not have that
        record.
        """
        if entry.about is None:
            raise Refused(
                "R-10.5", "a record of the kind {kind} is about something", kind=entry.kind
            )
        if entry.about not in self.entries:
            raise Refused(
                "R-03.13", "the record that it is about is not here yet, or is ahead of this clock"
            )
        return self.entries[entry.about]

    def target(self, draft: View) -> Entry:
        """Returns the record that a draft is about. Raises Refused if the thread does not have that
        record.
        """
        return self.target_of(self.entries[draft.id])

    def find_draft(self, record_id: bytes | None, view_type: type[V]) -> V | None:
        """Returns the draft of a record, or None if the draft is not of the type `view_type`."""
        draft = self.drafts.get(record_id or b"")
        return draft if isinstance(draft, view_type) else None

    def find_view(self, record_id: bytes | None, view_type: type[V]) -> V | None:
        """Returns the view of a record, or None if the record does not count.

        Also returns None if the view is not of the type `view_type`.
        """
        view = self.find(record_id)
        return view if isinstance(view, view_type) else None

    def find(self, record_id: bytes | None) -> View | None:
        """Returns the view of a record, or None if the record does not count."""
        return self.views.get(record_id or b"")

    def add_view(self, draft: View) -> None:
        """Turns a draft into the view of its record, because the record counts."""
        self.views[draft.id] = draft
        for link in {"about", "intent"} & vars(draft).keys():
            self._linked[link, vars(draft)[link]].append(draft)

    def linked_views(self, view_type: type[V], link: str, record_id: bytes) -> list[V]:
        """Returns the views of one kind that refer to this record, in the order of the fold.

        `link` is the name of the value that refers to the record: "about" or "intent".
        """
        return [view for view in self._linked[link, record_id] if isinstance(view, view_type)]

    def mark(self, record_id: bytes, mark: Mark, draft: View) -> None:
        """Puts a mark on a record. A mark says what a person did to the record, such as accepting
        it.

        Here, the person is the author of `draft`.
        """
        marks = self._marks.setdefault(record_id, {})
        marks.setdefault(mark, {}).setdefault(draft.author, draft.id)

    def is_marked(self, record_id: bytes, *marks: Mark, by: bytes | None = None) -> bool:
        """Returns True if a record has any of these marks. A mark says what a person did to the
        record.

        If `by` is given, only the marks by this person matter.
        """
        done = self._marks.get(record_id)
        if not done:
            return False
        return any(mark in done and by in {None, *done[mark]} for mark in marks)

    def marked_by(self, record_id: bytes, mark: Mark) -> set[bytes]:
        """Returns the people who put this mark on a record, such as the people who accepted the
        record.
        """
        return set(self._marks.get(record_id, {}).get(mark, ()))

    def marking_record(self, record_id: bytes, mark: Mark, person: bytes) -> bytes | None:
        """Returns the id of the record by which a person put this mark on another record, or None.

        For example, it is the `accept` of a person who accepted the other record.
        """
        return self._marks.get(record_id, {}).get(mark, {}).get(person)

    def people_about(self, entry: Entry) -> set[bytes]:
        """Returns the people that a record concerns, without its own author (R-14.5).

        The result has every id in the fields of the record, because an id may stand for a person.
        It also has the author of the record that this record answers. So a home that does not know
        the kind finds the same people.
        """
        people = set(ids_in(entry.fields))
        answered = self.entries.get(entry.about or b"")
        if answered is not None:
            people.add(answered.person)
        return people - {entry.person}

    def is_hidden(self, record_id: bytes) -> bool:
        """Returns True if the moderators or the roll have hidden the words of this record."""
        holding = self.authority.registers.get((HIDDEN, record_id))
        entry = self.entries.get(record_id)
        if holding is None or entry is None:
            return False
        return registers.is_hidden(holding, self.people_about(entry))


def ids_in(value: object) -> list[bytes]:
    """Returns all byte strings in a value of a field, even inside lists and maps."""
    ids: list[bytes] = []
    parts: list[Any] = [value]
    for part in parts:  # the list grows on the way
        part_type = type(part)
        if part_type is bytes:
            ids.append(part)
        elif part_type is dict:
            parts += part.values()
        elif part_type is list:
            parts += part
    return ids
