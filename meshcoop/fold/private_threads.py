"""Private threads, as this home's devices can read them (specs/15, R-15.1).

Folding is that of all threads, over the records that this home can open. What it gives stays in
memory, as they do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from meshcoop.fold.private_records import PrivateRecords
from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold import fold
from protocol.fold.kind import KINDS, Kind
from protocol.fold.thread import Entry, Thread, View
from protocol.record.sealing import BoxKey


class PrivateThreads:
    """The private threads that this home can read, folded when somebody asks."""

    def __init__(self, state: State, guest_boxes: Sequence[BoxKey] = ()) -> None:
        """`guest_boxes`: those of a guest whose PIN was given, for one call."""
        self._state = state
        self._records = PrivateRecords(state, guest_boxes)
        self._folded: dict[bytes, Thread] | None = None
        self._folded_under: Authority | None = None
        self._folded_at_change = 0  # the change count of the records that were folded

    def open_new(self, most: int | None = None) -> bool:
        """Opens what is new in the store, at most `most` records; returns whether there is more."""
        return self._records.open_new(most)

    def kind_of(self, record_id: bytes) -> Kind | None:
        """The kind of a record of a private thread, if this home can read it."""
        if not self._records.is_private(record_id):
            return None
        self.open_new()
        opened = self._records.find(record_id)
        return KINDS.get(opened.kind or "") if opened else None

    def threads(self) -> Mapping[bytes, Thread]:
        """The private threads, each under the id of every record in it."""
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

    def thread(self, about: bytes | None, extra: Iterable[Entry] = ()) -> Thread:
        """The thread that a record about `about` joins, folded with `extra` not yet posted."""
        authority = self._state.authority
        assert authority is not None, "a home without a charter posts nothing"
        if about is None:
            return fold.fold_thread(extra, authority)
        thread = self.threads().get(about)
        if thread is None:
            raise Refused("R-10.5", "nothing private that this home can read has this id")
        # Not the thread's own entries: in these, what is retracted has been emptied.
        entries, _ = self._entries()
        return fold.fold_thread([*(entries[entry] for entry in thread.entries), *extra], authority)

    def find_view(self, record_id: bytes) -> View | None:
        """The view of one record."""
        thread = self.threads().get(record_id)
        return thread.views.get(record_id) if thread else None

    def of_kind(self, kind: str, about: bytes | None = None) -> list[View]:
        """Views of one kind, newest first; `about`: only those that answer this record."""
        threads = {id(thread): thread for thread in self.threads().values()}
        views = [
            view
            for thread in threads.values()
            for view in thread.views.values()
            if view["kind"] == kind and about in {None, view["about"]}
        ]
        return sorted(views, key=lambda view: (-view["created"], view["id"]))

    def _entries(self) -> tuple[dict[bytes, Entry], bool]:
        """The entries of the open records, by id, and whether all of them are due by this clock."""
        entries: dict[bytes, Entry] = {}
        if self._state.authority is None:
            return entries, False
        is_whole = True
        for opened in self._records:
            entry = self._state.thread_fold.entry(opened.row)
            if entry is None:
                is_whole = False  # ahead of this clock
                continue
            if entry.fault is None:
                entry = entry._replace(kind=opened.kind, fields=opened.fields, fault=opened.fault)
            entries[entry.id] = entry._replace(about=opened.about, key=opened.key)
        return entries, is_whole


def _root(entry: Entry, entries: Mapping[bytes, Entry]) -> bytes:
    """The first record of its thread, or the one whose answered record is not here."""
    while entry.about in entries:
        entry = entries[entry.about or b""]
    return entry.id
