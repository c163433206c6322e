"""Opens private records that are sealed to devices of this home (specs/15, R-15.1).

The opened contents stay in memory. The contents are not written into any stored view, search table,
log or export.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from meshcoop.fold.state import State
from meshcoop.store.records import StoredRecord
from protocol.errors import Refused
from protocol.fold.content import read_private_content
from protocol.fold.registry import KINDS
from protocol.record import envelope, sealing
from protocol.record.envelope import Record
from protocol.record.sealing import BoxKey


class Opened(NamedTuple):
    """A private record that this home can read. To save memory, `row` holds the record without its
    content.
    """

    row: StoredRecord
    key: bytes
    kind: str | None
    fields: dict[str, object]
    about: bytes | None
    fault: Refused | None


class PrivateRecords:
    """Opens the private records of the store.

    Three sorts of keys open them: this home's box keys, a guest's box keys, and keys that other
    private records hand on.
    """

    def __init__(self, state: State, guest_boxes: Sequence[BoxKey]) -> None:
        self._state = state
        self._guest_boxes = guest_boxes
        self._opened: dict[bytes, Opened | None] = {}  # by id; None: this home cannot open it
        self._handed: dict[bytes, set[bytes]] = defaultdict(set)  # keys for records not here yet
        self._box_count = 0  # the number of this home's box keys when records were last opened
        self._seen: tuple[int, ...] = ()  # what the store had counted when all records were opened
        self.change_count = 0  # while this number stays the same, no opened record has changed

    def __iter__(self) -> Iterator[Opened]:
        """Yields the opened records."""
        return (opened for opened in self._opened.values() if opened)

    def find(self, record_id: bytes) -> Opened | None:
        """Returns the opened record with this id, or None if this home has not opened it."""
        return self._opened.get(record_id)

    def is_private(self, record_id: bytes) -> bool:
        """Returns whether the store holds a private record with this id. This home need not be able
        to open the record.
        """
        row = self._state.store.records.find(record_id)
        return row is not None and row.record.header.base_audience == envelope.PRIVATE

    def open_new(self, most: int | None = None) -> bool:
        """Tries to open at most `most` new records of the store. Returns whether more new records
        are left.
        """
        store = self._state.store
        seen = (store.change_count, store.failure_count, len(self._state.ring.boxes))
        if seen == self._seen:
            return False
        held = store.records.private_ids()
        self._forget_changed(held)
        new = [record_id for record_id in held if record_id not in self._opened]
        for record_id in new[:most]:
            row = self._find_row(record_id)
            self._opened[record_id] = None
            self._open_with(row, self._own_key(row.record))
            for key in self._handed.pop(record_id, ()):
                self._open_with(row, key)
        if most is not None and len(new) > most:
            return True
        self._seen = seen
        return False

    def _forget_changed(self, held: Mapping[bytes, bool]) -> None:
        """Forgets the records that must be opened again. `held` has an entry for each private
        record in the store. The key is the record's id. The value says whether the record is above
        its quota.
        """
        # A new device may open records that were closed until now.
        if self._box_count != len(self._state.ring.boxes):
            self._box_count = len(self._state.ring.boxes)
            self._opened = {opened.row.record.id: opened for opened in self}
        # Content may have been erased, and quotas may have moved.
        for record_id, opened in list(self._opened.items()):
            if record_id not in held or (opened and opened.row.over != held[record_id]):
                del self._opened[record_id]
                self.change_count += 1

    def _own_key(self, record: Record) -> bytes | None:
        boxes = [*self._state.ring.boxes.values(), *self._guest_boxes]
        try:
            return sealing.find_content_key(record.content or b"", boxes)
        except Refused:
            return None  # sealed wrongly by its author: nobody can read it

    def _open_with(self, row: StoredRecord, key: bytes | None) -> None:
        """Opens a record with `key`. If this record hands on further keys, also opens the records
        that these keys open.
        """
        waiting = [(row, key)]
        while waiting:
            row, key = waiting.pop()
            opened = self._open(row, key) if key else None
            if opened is None or self._opened.get(row.record.id):
                continue
            self._opened[row.record.id] = opened
            self.change_count += 1
            if opened.kind not in KINDS or opened.fault:
                continue
            for record_id, handed in self._handed_keys(opened.kind, opened.fields).items():
                if record_id not in self._opened:
                    self._handed[record_id].add(handed)
                elif self._opened[record_id] is None:
                    waiting.append((self._find_row(record_id), handed))

    def _handed_keys(self, kind: str, fields: dict[str, object]) -> dict[bytes, bytes]:
        """Returns the keys that a record hands on. Returns no keys if the code of the record's kind
        fails.
        """
        with suppress(Refused), self._state.failures.contained(kind, "handed_keys"):
            return KINDS[kind].view_type.handed_keys(fields)
        return {}

    def _open(self, row: StoredRecord, key: bytes) -> Opened | None:
        record = row.record
        try:
            context = self._state.contents.context(record)
            plain = sealing.unpad(
                sealing.open_with_content_key(key, record.content or b"", context)
            )
        except Refused:
            return None
        # The row is kept without its content, to save memory. The store has the content.
        closed = Opened(
            row._replace(record=record._replace(content=None)), key, None, {}, None, None
        )
        try:
            if record.header.parents or record.header.audience != envelope.PRIVATE:
                raise Refused("R-15.1", "the header of a private record tells nothing else")
            kind, fields, about = read_private_content(plain)
        except Refused as refusal:
            return closed._replace(fault=refusal.without_frames())
        return closed._replace(kind=kind, fields=fields, about=about)

    def _find_row(self, record_id: bytes) -> StoredRecord:
        row = self._state.store.records.find(record_id)
        assert row is not None, "the store has just listed the record"
        return row
