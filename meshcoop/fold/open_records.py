"""Open records as authority reads them."""

from protocol.authority import authority
from protocol.authority import records as acts
from protocol.authority.records import Act
from protocol.errors import Refused
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.record import envelope as record
from protocol.record.envelope import Record


def act_of(one: Record, neighbourhood: bytes) -> Act | None:
    """An open record of authority as it is read; None if it is malformed or something else."""
    if one.content is None or one.fields.reach != record.OPEN:
        return None
    try:
        name, values = schema.read_content(one.content)
        if name not in acts.KINDS or KINDS[name].audience_code != one.fields.audience:
            return None
        fields = one.fields
        place = (one.id, fields.device, fields.seq, fields.time)
        act = Act(*place, name, values, tuple(fields.parents), record.digest(one.content))
        if one.id == neighbourhood:
            authority.founding(act)
    except Refused:
        return None
    return act
