"""Decides whether a record may be stored. Either its device must be certified already, or the
record must carry the certificate of its device (R-03.31).

A member can add a device without vouchers. The first record of the device's log carries a
certificate that the member's root key has signed. Every home stores this record, because its author
belongs to the neighbourhood.
"""

from meshcoop.fold.open_records import read_authority_record
from meshcoop.fold.state import State
from protocol.authority.admission import read_founding_certificates
from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.kinds.neighbourhood import Admit, Device
from protocol.record import root_statement
from protocol.record.envelope import Record
from protocol.record.root_statement import PLACE_SIZE, Certificate


def is_storable(state: State, record: Record) -> bool:
    """Returns whether a record may be stored.

    There are two cases: the record's device is certified already (R-03.19), or the record carries
    the certificate of its device (R-03.31).
    """
    device = record.header.device
    if not state.authority_fold.is_storable(device):
        return _brings_itself(state, record)
    # Perhaps this log is stored only because its first record brought the certificate. Another
    # record with number 1 would fork this log, and the fork would drop it.
    is_another_first = record.header.seq == 1 and state.store.logs.find(device) is not None
    if not is_another_first:
        return True
    return _is_certified_by_others(state, device) or _brings_itself(state, record)


def _brings_itself(state: State, record: Record) -> bool:
    """Returns whether a record is the first of its log and carries the certificate of its own
    device. The certificate must count.

    The person who signed the certificate must be a member, or must have been a member. This person
    must be allowed one more device (R-03.19d).
    """
    act = read_authority_record(record, state.neighbourhood) if record.header.seq == 1 else None
    if act is None:
        return False
    certified = _certificate(state, act)
    if certified is None or certified.device != act.device or state.authority is None:
        return False
    return state.authority.takes_device(certified.person, act.device, (act.time, act.id))


def _is_certified_by_others(state: State, device: bytes) -> bool:
    """Returns whether the charter or a record of another device certifies this device."""
    assert state.authority is not None, "the device is storable by it"
    founders = read_founding_certificates(state.authority.charter)
    if any(founder.device == device for founder in founders):
        return True
    acts = state.authority_fold.records_of(Admit, Device)
    certificates = (_certificate(state, act) for act in acts if act.device != device)
    return any(certified is not None and certified.device == device for certified in certificates)


def _certificate(state: State, act: AuthorityRecord) -> Certificate | None:
    """Returns the certificate in an authority record. Returns None if the record has no certificate
    that is made for this neighbourhood.
    """
    try:
        statement = root_statement.read_statement(act.fields.get("statement", b""))
    except Refused:
        return None
    is_here = statement.place == state.neighbourhood[:PLACE_SIZE]
    return statement if isinstance(statement, Certificate) and is_here else None
