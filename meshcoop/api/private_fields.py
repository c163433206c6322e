"""Opens those private fields of views that are sealed to a device of this home."""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any

import msgpack

from meshcoop.fold.state import State
from protocol.errors import Refused
from protocol.fold.registry import KINDS, people_in
from protocol.fold.view import View
from protocol.record import sealing as seal
from protocol.record.envelope import Record
from protocol.record.sealing import BoxKey


class PrivateFields:
    """Opens the private fields of views with the keys of this home, and with the further keys in
    `boxes`.
    """

    def __init__(self, state: State, boxes: Iterable[BoxKey] = ()) -> None:
        self._state = state
        self._boxes = [*state.ring.boxes.values(), *boxes]

    def open_fields(self, view: View, parties: set[bytes] | None = None) -> dict[str, Any]:
        """Returns the private fields of a view. A field that no key here opens has the value None.

        The view names some of its parties. `parties` are people who may also be parties. If
        `parties` is None, the author of the answered record may be a party.
        """
        names = _private_names(view.kind)
        if not names or not self._may_read(view, parties):
            return {}
        row = self._state.store.records.find(view.id)
        if row is None:
            return {}
        entry = self._state.thread_fold.entry(row)
        return self.open_record(row.record, view.kind, entry.fields if entry else {})

    def open_record(
        self, record: Record, kind: str | None, fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Returns the private fields of a record. `fields` are the record's sealed fields. A field
        that no key here opens has the value None.
        """
        names = _private_names(kind) if kind else ()
        return {name: self._open(record, name, fields[name]) for name in names if fields.get(name)}

    def _may_read(self, view: View, parties: set[bytes] | None) -> bool:
        """Returns whether it is possible that a person with a device at this home is a party to the
        view.
        """
        # Trying every key on every view would take long. So keys are tried for likely readers only.
        if parties is None:
            about = self._state.views.find(view.about or b"")
            if about is None:
                return True  # nobody can tell who the parties are, so the keys are tried
            parties = {about.author}
        likely = parties | {view.author, view.by} | people_in(view)
        return not self._readers.isdisjoint(likely)

    @cached_property
    def _readers(self) -> set[bytes]:
        """The people with device keys at this home."""
        authority = self._state.authority
        if authority is None:
            return set()
        own = {box.public for box in self._boxes}
        return {device.person for device in authority.devices.values() if device.box in own}

    def _open(self, record: Record, name: str, sealed: bytes) -> Any:
        header = record.header
        context = seal.private_field_context(
            self._state.neighbourhood, header.device, header.seq, name
        )
        try:
            packed = seal.open_private_content(sealed, self._boxes, context)
            return None if packed is None else msgpack.unpackb(packed)
        except (Refused, ValueError):
            return None  # the author sealed the field wrongly, so nobody can read it


@cache
def _private_names(kind_name: str) -> tuple[str, ...]:
    kind = KINDS.get(kind_name)
    if kind is None:
        return ()
    return tuple(name for name, field in kind.fields.items() if field.private)
