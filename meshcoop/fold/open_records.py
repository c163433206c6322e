"""Reads the open records from which authority is folded."""

from protocol.authority import authority
from protocol.authority import record_index as acts
from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.fold.content import read_content
from protocol.fold.registry import KINDS
from protocol.record import envelope
from protocol.record.envelope import Record


def read_authority_record(record: Record, neighbourhood: bytes) -> AuthorityRecord | None:
    """Reads an authority record. Returns None if the record is malformed, or if its kind has
    nothing to do with authority.
    """
    if record.content is None or record.header.base_audience != envelope.OPEN:
        return None
    try:
        name, values = read_content(record.content)
        is_judged = name in acts.AUTHORITY_KINDS
        if not is_judged or not KINDS[name].fits_audience(record.header.audience):
            return None
        act = AuthorityRecord(
            record.id,
            record.header.device,
            record.header.seq,
            record.header.time,
            name,
            values,
            tuple(record.header.parents),
            envelope.content_digest(record.content),
        )
        if record.id == neighbourhood:
            authority.read_charter(act)  # refuses a charter that cannot found a neighbourhood
    except Refused:
        return None
    return act
