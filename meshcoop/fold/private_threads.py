"""The private threads that this home's devices can read (specs/15, R-15.1).

A private thread folds like any other thread, but only from the records that this home can open. Its
views stay in memory.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from meshcoop.fold.private_records import Opened, PrivateRecords
from meshcoop.fold.state import State
from meshcoop.fold.views import Waiting
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold import fold
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import View
from protocol.record.sealing import BoxKey

V = TypeVar("V", bound=Kind)


class PrivateThreads:
    """The private threads that this home can read. They are folded when a caller asks for them."""

    def __init__(self, state: State, guest_boxes: Sequence[BoxKey] = ()) -> None:
        """`guest_boxes` are the box keys of a guest. The guest has given the PIN for
        this one call.
        """
        self._state = state
        self._records = PrivateRecords(state, guest_boxes)
        self._folded: dict[bytes, Thread] | None = None
        self._folded_under: Authority | None = None
        self._folded_at_change = 0  # the change count of the records that were folded

    @property
    def change_count(self) -> int:
        """A number that changes whenever a private record comes or goes."""
        return self._records.change_count

    def open_new(self, most: int | None = None) -> bool:
        """Tries to open new records of the store, at most `most` of them. Returns whether more new
        records are left.
        """
        return self._records.open_new(most)

    def find_opened(self, record_id: bytes) -> Opened | None:
        """Returns the open private record with this id, or None."""
        return self._records.find(record_id)

    def kind_of(self, record_id: bytes) -> DeclaredKind | None:
        """Returns the kind of a private record. Returns None if the record is not private, or if
        this home cannot read it.
        """
        if not self._records.is_private(record_id):
            return None
        self.open_new()
        opened = self._records.find(record_id)
        return KINDS.get(opened.kind or "") if opened else None

    def threads(self) -> Mapping[bytes, Thread]:
        """Returns a map from the id of each private record to its thread."""
        self.open_new()
        authority = self._state.authority
        change_count = self._records.change_count
        if (
            self._folded is not None
            and self._folded_under is authority
            and self._folded_at_change == change_count
        ):
            return self._folded
        entries, is_whole = self._entries()
        groups: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in entries.values():
            groups[_root(entry, entries)].append(entry)
        folded: dict[bytes, Thread] = {}
        for group in groups.values():
            assert authority is not None, "without authority there are no entries"
            thread = fold.fold_thread(group, authority)
            folded.update((entry.id, thread) for entry in group)
        # A record that is ahead of the clock may be due at the next call.
        self._folded = folded if is_whole else None
        self._folded_under = authority
        self._folded_at_change = change_count
        return folded

    def entries_of(self, about: bytes) -> list[Entry]:
        """Returns the entries of a record's thread. Raises Refused if this home cannot read the
        record.
        """
        thread = self.threads().get(about)
        if thread is None:
            raise Refused("R-10.5", "nothing private that this home can read has this id")
        # The entries are read again, because folding has emptied the retracted entries.
        entries, _ = self._entries()
        return [entries[record_id] for record_id in thread.entries]

    def find_view(self, record_id: bytes) -> View | None:
        """Returns the view of one private record. Returns None if this home has no such view."""
        thread = self.threads().get(record_id)
        return thread.views.get(record_id) if thread else None

    def of_kind(self, view_type: type[V], about: bytes | None = None) -> list[V]:
        """Returns the private views of one class, the newest first. If `about` is given, returns
        only the views about that record.
        """
        views = [
            view
            for thread in self._each_thread()
            for view in thread.views.values()
            if isinstance(view, view_type) and about in {None, view.about}
        ]
        return sorted(views, key=lambda view: (-view.created, view.id))

    def awaited_of(self, person: bytes) -> Iterator[Waiting]:
        """Yields the private views that wait for an answer of this person."""
        for thread in self._each_thread():
            for view_id, result in thread.results.items():
                for awaited in result.awaited:
                    if awaited.who == person:
                        yield Waiting(view_id, awaited)

    def _each_thread(self) -> Iterable[Thread]:
        """Returns all private threads. Each thread comes only once."""
        return {id(thread): thread for thread in self.threads().values()}.values()

    def _entries(self) -> tuple[dict[bytes, Entry], bool]:
        """Returns the entries of the opened records, by id. Leaves out records that are dated ahead
        of this home's clock. Also returns whether all records are in the result.
        """
        entries: dict[bytes, Entry] = {}
        if self._state.authority is None:
            return entries, False
        is_whole = True
        for opened in self._records:
            entry = self._state.thread_fold.entry(opened.row)
            if entry is None:
                is_whole = False  # ahead of this home's clock
                continue
            if entry.fault is None:
                entry = entry._replace(kind=opened.kind, fields=opened.fields, fault=opened.fault)
            entries[entry.id] = entry._replace(about=opened.about, key=opened.key)
        return entries, is_whole


def _root(entry: Entry, entries: Mapping[bytes, Entry]) -> bytes:
    """Returns the id of the root record of an entry's thread. A record on the way to the root may
    be missing here. Then returns the id of the last record before the gap.
    """
    while entry.about in entries:
        entry = entries[entry.about or b""]
    return entry.id
