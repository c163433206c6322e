"""Whose records are stored: of certified devices, and of one that brings itself (R-03.31).

A further device of a member needs no vouchers: its first record carries the certificate that the
person's root key has signed, and every home stores it because the person belongs.
"""

from meshcoop.fold.clock_limit import DRIFT_MS
from meshcoop.fold.open_records import act_of
from meshcoop.fold.state import State
from protocol.authority.records import Act
from protocol.errors import Refused
from protocol.record import root_statement as statement
from protocol.record.envelope import Record
from protocol.record.root_statement import Certified


def storable(state: State, one: Record) -> bool:
    """Whether a record is stored, as far as it depends on whose it is (R-03.19, R-03.31)."""
    device = one.fields.device
    if not state.authority_fold.is_storable(device):
        return _brings_itself(state, one)
    # A log that rests on its own first record has no other first one, or a fork could drop it.
    second = one.fields.seq == 1 and state.store.logs.find(device) is not None
    return not second or _brought(state, device) or _brings_itself(state, one)


def _brings_itself(state: State, one: Record) -> bool:
    """Whether it is number 1 of its log and carries its own device's certificate, by a person whose
    devices' records are stored.
    """
    act = act_of(one, state.neighbourhood) if one.fields.seq == 1 else None
    if act is None or act.time > state.now() + DRIFT_MS:  # ahead of the clock it waits outside
        return False
    said = _certified(state, act)
    belonging = state.authority.belonging if state.authority else frozenset()
    return said is not None and said.device == act.device and said.person in belonging


def _brought(state: State, device: bytes) -> bool:
    """Whether the charter, or a record of another log, certifies the device."""
    assert state.authority is not None
    founders = map(statement.read, state.authority.charter["founders"])
    acts = [act for kind in ("admit", "device") for act in state.authority_fold.acts(kind)]
    others = (_certified(state, act) for act in acts if act.device != device)
    return any(said is not None and said.device == device for said in (*founders, *others))


def _certified(state: State, act: Act) -> Certified | None:
    """The certificate that an act carries, if it is for this neighbourhood."""
    try:
        said = statement.read(act.fields.get("statement", b""))
    except Refused:
        return None
    here = said.place == state.neighbourhood[: statement.PLACE]
    return said if isinstance(said, Certified) and here else None
