"""Open records as authority reads them."""

from protocol.authority import authority
from protocol.authority import records as acts
from protocol.authority.records import Act
from protocol.errors import Refused
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.record import envelope
from protocol.record.envelope import Record


def act_of(record: Record, neighbourhood: bytes) -> Act | None:
    """Reads an open record as authority does; None if it is malformed or something else."""
    if record.content is None or record.fields.reach != envelope.OPEN:
        return None
    try:
        name, values = schema.read_content(record.content)
        if name not in acts.KINDS or KINDS[name].audience_code != record.fields.audience:
            return None
        act = Act(
            record.id,
            record.fields.device,
            record.fields.seq,
            record.fields.time,
            name,
            values,
            tuple(record.fields.parents),
            envelope.digest(record.content),
        )
        if record.id == neighbourhood:
            authority.founding(act)  # it refuses a charter that cannot found a neighbourhood
    except Refused:
        return None
    return act
