"""Opens the contents that every home of the neighbourhood can open alike."""

from meshcoop.fold.key_ring import KeyRing
from protocol.errors import Refused
from protocol.fold.content import read_content
from protocol.fold.registry import KINDS
from protocol.record import envelope, sealing
from protocol.record.envelope import Record


class RecordContents:
    """Reads open records, and opens records that are sealed with an epoch key. It leaves private
    records closed, so that all homes fold the same contents.
    """

    def __init__(self, neighbourhood: bytes, ring: KeyRing) -> None:
        self._neighbourhood = neighbourhood
        self._ring = ring

    def open(self, record: Record) -> bytes | None:
        """Returns the plain content of a record. Returns None if the content is missing here or if
        this home cannot open it.
        """
        if record.content is None or record.header.base_audience == envelope.PRIVATE:
            return None
        if record.header.base_audience == envelope.OPEN:
            return record.content
        key = self._ring.get(sealing.read_epoch_key_id(record.content))
        if key is None:
            return None
        return sealing.open_epoch_content(key, record.content, self.context(record))

    def context(self, record: Record) -> bytes:
        """Returns the context to which the sealed content of a record is bound: neighbourhood,
        device and number.
        """
        return sealing.content_context(self._neighbourhood, record.header.device, record.header.seq)

    def read(self, record: Record) -> tuple[str | None, dict[str, object]]:
        """Returns the kind and the fields of a record. Returns (None, {}) if the record cannot be
        opened. Raises Refused if its content breaks a rule.
        """
        plain = self.open(record)
        if plain is None:
            return None, {}
        name, values = read_content(plain)
        if name in KINDS and KINDS[name].audience_code != record.header.audience:
            audience = envelope.AUDIENCES[KINDS[name].audience]
            lasting = " and lasts" if KINDS[name].lasting else ""
            raise Refused(
                "R-10.9",
                "a {name} has the audience {audience}{lasting}",
                name=name,
                audience=audience,
                lasting=lasting,
            )
        return name, values
