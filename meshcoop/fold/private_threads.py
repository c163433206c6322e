"""The private threads that this home's devices can read (specs/15, R-15.1).

A private thread folds like any other thread, but only from the records that this home can open. The
views of private threads stay in memory.
"""

import math
import operator
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import trio

from meshcoop.fold.clock_limit import DRIFT_MS
from meshcoop.fold.private_records import Opened, PrivateRecords
from meshcoop.fold.state import State
from meshcoop.fold.thread_fold import fold_beside
from meshcoop.fold.views import Waiting
from protocol.errors import Refused
from protocol.fold import fold
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import View
from protocol.record.sealing import BoxKey

V = TypeVar("V", bound=Kind)

_AT_ONCE = 50  # records that are opened, or whose entries are read, in one step


class _FoldedGroup(NamedTuple):
    """The opened records of one thread, and the ids of those records that were folded. At the time
    `due` (ms), the thread must be folded again, because the next of its postponed records is due
    then.
    """

    records: list[Opened]
    ids: list[bytes]
    due: float


class PrivateThreads:
    """The private threads that this home can read. They are folded when a caller asks for them. A
    thread is folded again only if it has changed.
    """

    def __init__(self, state: State, guest_boxes: Sequence[BoxKey] = ()) -> None:
        """`guest_boxes` are the box keys of a guest who has given their PIN for this call."""
        self._state = state
        self._records = PrivateRecords(state, guest_boxes)
        self._threads: dict[bytes, Thread] = {}  # by the id of each record
        self._folded: dict[bytes, _FoldedGroup] = {}  # by the id of the root record
        self._folded_under: tuple[object, object] = (None, None)  # the authority and the proxies
        self._groups: Mapping[bytes, list[Opened]] = {}  # by the id of the root record
        self._grouped_at = -1  # the change count of the records that were grouped
        self._folded_at = -1  # the same, if nothing was left to fold
        self._due: float = 0  # when a record that was dated ahead may be folded, milliseconds

    @property
    def change_count(self) -> int:
        """A number that changes whenever a private record comes or goes."""
        return self._records.change_count

    def open_new(self, most: int | None = None) -> bool:
        """Tries to open at most `most` new records of the store. Returns whether more new records
        are left.
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

    async def prepare(self) -> None:
        """Opens and folds the private records, a few in each step. Other tasks may run meanwhile.

        After that, the other methods have little to do until a record changes.
        """
        while self.open_new(_AT_ONCE):
            await trio.lowlevel.checkpoint()
        for records in self._unfolded():
            entries: list[Entry] = []
            for start in range(0, len(records), _AT_ONCE):
                entries += self._entries(records[start : start + _AT_ONCE])
                await trio.lowlevel.checkpoint()
            authority = self._state.authority
            if authority is None:
                return
            parts = _part_by_root(entries)
            self._keep(records, parts, [await fold_beside(part, authority) for part in parts])

    def threads(self) -> Mapping[bytes, Thread]:
        """Returns a map from the id of each private record to its thread."""
        self.open_new()
        authority = self._state.authority
        for records in self._unfolded():
            assert authority is not None, "without authority there are no threads"
            parts = _part_by_root(self._entries(records))
            self._keep(records, parts, [fold.fold_thread(part, authority) for part in parts])
        return self._threads

    def entries_of(self, about: bytes) -> list[Entry]:
        """Returns the records of a record's thread, with their open contents. Raises Refused if
        this home cannot read the given record.
        """
        thread = self.threads().get(about)
        if thread is None:
            raise Refused("R-10.5", "nothing private that this home can read has this id")
        # The entries are read again, because folding has emptied the retracted entries.
        opened = (self._records.find(record_id) for record_id in thread.entries)
        return self._entries(filter(None, opened))

    def find_view(self, record_id: bytes) -> View | None:
        """Returns the view of one private record. Returns None if this home has no such view."""
        thread = self.threads().get(record_id)
        return thread.views.get(record_id) if thread else None

    def of_kind(self, view_type: type[V], about: bytes | None = None) -> list[V]:
        """Returns the private views of one class, the newest first. If `about` is given, returns
        only the views that answer that record.
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
        """Returns all private threads, each of them once."""
        return {id(thread): thread for thread in self.threads().values()}.values()

    def _unfolded(self) -> list[list[Opened]]:
        """Returns the threads that have changed since they were folded, or were never folded. A
        thread is given as its records.
        """
        thread_fold = self._state.thread_fold
        basis = (self._state.authority, thread_fold.proxies)
        if any(map(operator.is_not, basis, self._folded_under)):
            self._folded_under = basis
            self._folded_at = -1
            self._folded.clear()
            self._threads.clear()
        if self._state.authority is None:
            return []
        now = self._state.now()
        if self._records.change_count == self._folded_at and now < self._due:
            return []
        groups = self._group()
        for root, folded in list(self._folded.items()):
            records = groups.get(root, [])
            is_same = len(records) == len(folded.records) and all(
                map(operator.is_, records, folded.records)
            )
            if not is_same or now >= folded.due:
                for record_id in self._folded.pop(root).ids:
                    self._threads.pop(record_id, None)
        unfolded = [records for root, records in groups.items() if root not in self._folded]
        if not unfolded:
            self._folded_at = self._records.change_count
            self._due = min((folded.due for folded in self._folded.values()), default=math.inf)
        return unfolded

    def _group(self) -> Mapping[bytes, list[Opened]]:
        """Returns the opened records of each thread, by the id of its root record."""
        if self._grouped_at != self._records.change_count:
            self._grouped_at = self._records.change_count
            abouts = {opened.row.record.id: opened.about for opened in self._records}
            roots = _find_roots(abouts)
            self._groups = defaultdict(list)
            for opened in self._records:
                self._groups[roots[opened.row.record.id]].append(opened)
        return self._groups

    def _keep(self, records: list[Opened], parts: list[list[Entry]], threads: list[Thread]) -> None:
        """Keeps the folded threads. Also notes when the postponed records are due: those that are
        dated ahead of this home's clock, and that no fold contains yet.
        """
        by_id = {
            entry.id: thread for part, thread in zip(parts, threads, strict=True) for entry in part
        }
        ahead = [
            opened.row.record.header.time for opened in records if opened.row.record.id not in by_id
        ]
        abouts = {opened.row.record.id: opened.about for opened in records}
        root = next(iter(_find_roots(abouts).values()))
        due = min(ahead, default=math.inf) - DRIFT_MS
        self._folded[root] = _FoldedGroup(records, list(by_id), due)
        self._threads.update(by_id)

    def _entries(self, records: Iterable[Opened]) -> list[Entry]:
        """Returns opened records as the fold takes them. Leaves out records that are dated ahead of
        this home's clock.
        """
        entries: list[Entry] = []
        for opened in records:
            entry = self._state.thread_fold.entry(opened.row)
            if entry is None:
                continue
            if entry.fault is None:
                entry = entry._replace(kind=opened.kind, fields=opened.fields, fault=opened.fault)
            entries.append(entry._replace(about=opened.about, key=opened.key))
        return entries


def _part_by_root(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Groups opened records by thread."""
    by_id = {entry.id: entry for entry in entries}
    roots = _find_roots({entry.id: entry.about for entry in by_id.values()})
    parts: dict[bytes, list[Entry]] = defaultdict(list)
    for entry in by_id.values():
        parts[roots[entry.id]].append(entry)
    return list(parts.values())


def _find_roots(abouts: Mapping[bytes, bytes | None]) -> dict[bytes, bytes]:
    """Returns for each record the id of the root record of its thread. `abouts` maps each record to
    the record that it answers.

    If a record on the way to the root is missing, returns the id of the last record before the gap.
    """
    roots: dict[bytes, bytes] = {}
    for first in abouts:
        path = [first]
        while path[-1] not in roots and (about := abouts[path[-1]]) in abouts:
            path.append(about or b"")
        root = roots.get(path[-1], path[-1])
        roots.update(dict.fromkeys(path, root))
    return roots
