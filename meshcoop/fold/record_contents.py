"""The contents of records, as far as all homes of the neighbourhood can open them alike."""

from meshcoop.fold.key_ring import KeyRing
from protocol.errors import Refused
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.record import envelope, sealing
from protocol.record.envelope import Record


class RecordContents:
    """Opens what is open, and what is sealed with a key of the ring. Private records stay closed:
    what folds is what all homes see alike.
    """

    def __init__(self, neighbourhood: bytes, ring: KeyRing) -> None:
        self._neighbourhood = neighbourhood
        self._ring = ring

    def open(self, record: Record) -> bytes | None:
        """The plain content of a record, or None where it is not here or not for this home."""
        if record.content is None or record.header.base_audience == envelope.PRIVATE:
            return None
        if record.header.base_audience == envelope.OPEN:
            return record.content
        key = self._ring.get(sealing.read_epoch_key_id(record.content))
        if key is None:
            return None
        return sealing.open_epoch_content(key, record.content, self.context(record))

    def context(self, record: Record) -> bytes:
        """The context that sealed content of this record is bound to."""
        return sealing.content_context(self._neighbourhood, record.header.device, record.header.seq)

    def read(self, record: Record) -> tuple[str | None, dict[str, object]]:
        """The kind and the fields of a record; (None, {}) where it stays closed. Raises Refused."""
        plain = self.open(record)
        if plain is None:
            return None, {}
        name, values = schema.read_content(plain)
        if name in KINDS and KINDS[name].audience_code != record.header.audience:
            audience = envelope.AUDIENCES[KINDS[name].audience]
            lasting = " and lasts" if KINDS[name].lasting else ""
            raise Refused("R-10.9", f"a {name} has the audience {audience}{lasting}")
        return name, values
