"""Private threads, as this home's devices can read them (specs/15, R-15.1).

What is opened here stays in memory: no view, search table, log or export ever holds it. Folding is
that of all threads, over the records that this home can open.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from meshcoop.fold.state import State
from meshcoop.store.records import Row
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold import fold as thread
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS, Kind
from protocol.fold.thread import Entry, Thread, View
from protocol.record import envelope as record
from protocol.record import sealing as seal
from protocol.record.envelope import Record
from protocol.record.sealing import BoxKey


class Opened(NamedTuple):
    """A private record that this home can read. `row` is without its content."""

    row: Row
    key: bytes
    kind: str | None
    fields: dict[str, object]
    about: bytes | None
    fault: Refused | None


class Private:
    """What this home can read of private records, folded when somebody asks."""

    def __init__(self, state: State, guest: Sequence[BoxKey] = ()) -> None:
        self._state = state
        self._guest = guest  # whose PIN has been given, for this one call
        self._opened: dict[bytes, Opened | None] = {}  # by id; None: not for this home
        self._keys: dict[bytes, set[bytes]] = defaultdict(set)  # handed on for records not here yet
        self._boxes = 0  # how many box keys were tried
        self._folded: dict[bytes, Thread] | None = None
        self._under: Authority | None = None

    def open(self, most: int | None = None) -> bool:
        """Opens what is new in the store, at most so many; whether there is more."""
        held = self._state.store.records.private_ids()
        self._forget(held)
        new = [one for one in held if one not in self._opened]
        for record_id in new[:most]:
            row = self._state.store.records.find(record_id)
            assert row is not None
            self._opened[record_id] = None
            self._read(row, self._own_key(row.record))
            for key in self._keys.pop(record_id, ()):
                self._read(row, key)
        return most is not None and len(new) > most

    def reads(self, record_id: bytes) -> Kind | None:
        """The kind of a record of a private thread, if this home can read it."""
        row = self._state.store.records.find(record_id)
        if row is None or row.record.fields.reach != record.PRIVATE:
            return None
        self.open()
        found = self._opened.get(record_id)
        return KINDS.get(found.kind or "") if found else None

    def threads(self) -> Mapping[bytes, Thread]:
        """The private threads, each under the id of every record in it."""
        self.open()
        authority = self._state.authority
        if self._folded is not None and self._under is authority:
            return self._folded
        entries, whole = self._entries()
        folded: dict[bytes, Thread] = {}
        groups: dict[bytes, list[Entry]] = defaultdict(list)
        for one in entries.values():
            groups[_root(one, entries)].append(one)
        for group in groups.values():
            assert authority is not None
            told = thread.fold(group, authority)
            folded.update((one.id, told) for one in group)
        self._folded, self._under = (folded if whole else None), authority
        return folded

    def thread(self, about: bytes | None, extra: Iterable[Entry] = ()) -> Thread:
        """The thread that a record about `about` joins, folded with `extra` not yet posted."""
        authority = self._state.authority
        assert authority is not None
        if about is None:
            return thread.fold(extra, authority)
        known = self.threads().get(about)
        if known is None:
            raise Refused("R-10.5", "nothing private that this home can read has this id")
        # Not the thread's own entries: in these, what is retracted has been emptied.
        entries, _ = self._entries()
        return thread.fold([*(entries[one] for one in known.entries), *extra], authority)

    def view(self, record_id: bytes) -> View | None:
        """The view of one record."""
        found = self.threads().get(record_id)
        return found.views.get(record_id) if found else None

    def of_kind(self, kind: str, about: bytes | None = None) -> list[View]:
        """Views of one kind, newest first; `about`: only those that answer this record."""
        folded = {id(one): one for one in self.threads().values()}
        found = [
            view
            for one in folded.values()
            for view in one.views.values()
            if view["kind"] == kind and about in {None, view["about"]}
        ]
        return sorted(found, key=lambda view: (-view["created"], view["id"]))

    # -- opening ----------------------------------------------------------------------------------

    def _forget(self, held: Mapping[bytes, bool]) -> None:
        """Erased content is forgotten; a new device may read what was closed; quotas may move."""
        if self._boxes != len(self._state.ring.boxes):
            self._boxes = len(self._state.ring.boxes)
            self._opened = {one: found for one, found in self._opened.items() if found}
        for record_id, found in list(self._opened.items()):
            if record_id not in held or (found and found.row.over != held[record_id]):
                del self._opened[record_id]
                self._folded = None

    def _own_key(self, one: Record) -> bytes | None:
        try:
            return seal.private_key(
                one.content or b"", [*self._state.ring.boxes.values(), *self._guest]
            )
        except Refused:
            return None  # sealed wrongly by its author: nobody can read it

    def _read(self, row: Row, key: bytes | None) -> None:
        """Opens a record, and then those whose keys it hands on."""
        waiting = [(row, key)]
        while waiting:
            row, key = waiting.pop()
            found = self._open(row, key) if key else None
            if found is None or self._opened.get(row.record.id):
                continue
            self._opened[row.record.id] = found
            self._folded = None
            if found.kind not in KINDS or found.fault:
                continue
            for record_id, handed in KINDS[found.kind].hands_on(found.fields).items():
                if record_id not in self._opened:
                    self._keys[record_id].add(handed)
                elif self._opened[record_id] is None:
                    other = self._state.store.records.find(record_id)
                    assert other is not None
                    waiting.append((other, handed))

    def _open(self, row: Row, key: bytes) -> Opened | None:
        one = row.record
        try:
            place = self._state.contents.context(one)
            plain = seal.uncover(seal.open_with(key, one.content or b"", place))
        except Refused:
            return None
        closed = Opened(row._replace(record=one._replace(content=None)), key, None, {}, None, None)
        try:
            if one.fields.parents or one.fields.lasting:
                raise Refused("R-15.1", "the header of a private record tells nothing else")
            kind, fields, about = schema.read_private(plain)
        except Refused as refusal:
            return closed._replace(fault=refusal)
        return closed._replace(kind=kind, fields=fields, about=about)

    # -- folding ----------------------------------------------------------------------------------

    def _entries(self) -> tuple[dict[bytes, Entry], bool]:
        """What can be read, by id; whether all of it is due by this clock."""
        found: dict[bytes, Entry] = {}
        opened = [one for one in self._opened.values() if one]
        if self._state.authority is None:
            return found, False
        for one in opened:
            entry = self._state.thread_fold.entry(one.row)
            if entry is None:
                continue  # ahead of this clock
            told = entry._replace(about=one.about, key=one.key)
            if told.fault is None:
                told = told._replace(kind=one.kind, fields=one.fields, fault=one.fault)
            found[entry.id] = told
        return found, len(found) == len(opened)


def _root(entry: Entry, entries: Mapping[bytes, Entry]) -> bytes:
    """The first record of its thread, or the one whose answered record is not here."""
    while entry.about in entries:
        entry = entries[entry.about or b""]
    return entry.id
