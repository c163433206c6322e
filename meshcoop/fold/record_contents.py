"""Opens the contents that every home of the neighbourhood can open."""

from collections import OrderedDict
from typing import NamedTuple

from meshcoop.fold.key_ring import KeyRing
from protocol.errors import Refused
from protocol.fold.content import read_unchecked
from protocol.fold.registry import KINDS
from protocol.record import codec, envelope, sealing
from protocol.record.envelope import Record

_MOST_READ = 500  # records whose contents are kept in memory


class ReadContent(NamedTuple):
    """The content of a record.

    If this home cannot open the content, `kind` is None. If a rule of the kind forbids the content,
    `fault` is the refusal.
    """

    kind: str | None
    fields: dict[str, object]
    fault: Refused | None = None


class RecordContents:
    """Reads open records, and records that are sealed with a group key. Never opens private
    records. So all homes fold the same contents.
    """

    def __init__(self, neighbourhood: bytes, ring: KeyRing) -> None:
        self._neighbourhood = neighbourhood
        self._ring = ring
        # The plain contents of the records that were read last, with their faults. Contents never
        # change. A thread is mostly read several times in a row: shown, answered, folded.
        self._read: OrderedDict[bytes, tuple[bytes, Refused | None]] = OrderedDict()

    def open(self, record: Record) -> bytes | None:
        """Returns the plain content of a record. Returns None if the content is missing here, or if
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
        """Returns the values to which a record's sealed content is bound: neighbourhood, device and
        number.
        """
        return sealing.content_context(self._neighbourhood, record.header.device, record.header.seq)

    def read(self, record: Record) -> ReadContent:
        """Reads the content of a record. Raises Refused if the form of the content is wrong."""
        kept = self._read.get(record.id) if record.content is not None else None
        plain = self.open(record) if kept is None else kept[0]
        if plain is None:
            return ReadContent(None, {})
        # Contents that are kept were checked when they were first read.
        name, fields = read_unchecked(plain) if kept is None else codec.unpack_again(plain)
        if kept is None:
            kept = plain, _find_fault(name, fields, record.header.audience)
            self._read[record.id] = kept
            if len(self._read) > _MOST_READ:
                self._read.popitem(last=False)
        return ReadContent(name, fields, kept[1])


def _find_fault(name: str, fields: dict[str, object], audience_code: int) -> Refused | None:
    """Returns the reason why a record of a known kind is malformed. Returns None if the record is
    well-formed.
    """
    if name not in KINDS:
        return None
    if not KINDS[name].fits_audience(audience_code):
        audience = envelope.AUDIENCES[KINDS[name].audience]
        if KINDS[name].audience_code == audience_code & ~envelope.AUTOMATIC:
            return Refused("R-10.9d", "software signs no {name} by itself", name=name)
        if not KINDS[name].lasting:
            return Refused(
                "R-10.9",
                "a record of the kind {name} has the audience {audience}",
                name=name,
                audience=audience,
            )
        return Refused(
            "R-10.9",
            "a record of the kind {name} has the audience {audience} and lasts",
            name=name,
            audience=audience,
        )
    try:
        KINDS[name].check_fields(fields)
    except Refused as refusal:
        return refusal.without_frames()
    return None
