"""Lists everything that a person has written, with the words that this home can read."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from meshcoop.api.list_pages import Rows, read_cursor
from meshcoop.api.plain_values import Shown, show_input
from meshcoop.api.private_fields import PrivateFields
from meshcoop.clock import iso_time
from meshcoop.fold.private_threads import PrivateThreads
from meshcoop.fold.slices import pause
from meshcoop.fold.state import State
from protocol.errors import Refused
from protocol.record import envelope
from protocol.record.envelope import Record
from protocol.record.sealing import BoxKey

_AT_ONCE = 50  # records read from a log in one step


class WrittenRecords:
    """All records in the logs of one person's devices. Records that do not count are included."""

    def __init__(
        self, state: State, person: bytes, private: PrivateThreads, boxes: Sequence[BoxKey]
    ) -> None:
        self._state = state
        authority = state.authority
        devices = authority.devices_of(person) if authority else []
        self._devices = sorted(device.key for device in devices)
        self._private = private
        self._private_fields = PrivateFields(state, boxes)

    def rows(self, after: str | None) -> Rows[Record]:
        """Returns the records as rows of a list, one log after the other. If `after` is the cursor
        of a row, leaves out the earlier rows without reading them.
        """
        cursor, number = read_cursor(after)
        first = self._find_own(cursor) if cursor else None
        left_out = number - 1 if first and number else 0
        count_of_log = self._state.store.records.count_of_log
        total = sum(count_of_log(device) for device in self._devices)
        return Rows(self._each_record(first), self._show, _cursor_of, total, left_out=left_out)

    def _find_own(self, cursor: str) -> Record | None:
        with suppress(ValueError):
            row = self._state.store.records.find(bytes.fromhex(cursor))
            if row is not None and row.record.header.device in self._devices:
                return row.record
        return None

    def _each_record(self, first: Record | None) -> Iterator[Record]:
        devices = self._devices
        seq = 0
        last_id = b""
        if first is not None:
            yield first
            devices = devices[devices.index(first.header.device) :]
            seq = first.header.seq
            last_id = first.id
        for device in devices:
            while part := self._state.store.records.of_log(device, seq, _AT_ONCE, last_id):
                yield from part
                seq = part[-1].header.seq
                last_id = part[-1].id
            seq = 0
            last_id = b""

    def _show(self, records: list[Record]) -> list[Shown]:
        shown = []
        for record in records:
            shown.append(self._show_record(record))
            pause()
        return shown

    def _show_record(self, record: Record) -> Shown:
        header = record.header
        kind, fields = self._read(record)
        return {
            "id": record.id.hex(),
            "kind": kind,
            "created": iso_time(header.time),
            "about": record.about.hex() if record.about else None,
            "device": header.device.hex(),
            "number": header.seq,
            "fields": show_input(fields),
            "erased": record.content is None,
        }

    def _read(self, record: Record) -> tuple[str | None, dict[str, Any]]:
        """Returns the kind and the fields of a record. Leaves out what this home cannot read."""
        opened = self._private.find_opened(record.id)
        if opened is not None:
            return opened.kind, opened.fields
        if record.header.base_audience == envelope.PRIVATE:
            return None, {}
        try:
            kind, fields, _ = self._state.contents.read(record)
        except Refused:
            return None, {}
        private = self._private_fields.open_record(record, kind, fields)
        return kind, {**fields, **private}


def _cursor_of(record: Record) -> str:
    return record.id.hex()
