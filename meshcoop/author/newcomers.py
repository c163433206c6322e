"""Newcomers: members who are not on the roll yet. They cannot vote on the next term.

A renewal can add newcomers to the roll. Software agrees to this alone only if its person vouched
for all of them (specs/16 R-16.5e). Otherwise software asks the person.
"""

from collections.abc import Iterable

from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.kinds.neighbourhood import Admit
from protocol.record.envelope import DAY_MS, Record

_LOOKED_AT = 64  # records at each end of a log from which its days are read
_DAYS = 2  # on so many days a newcomer wrote before software proposes them


def vouched_for_by(state: State, person: bytes) -> set[bytes]:
    """Returns the newcomers for whom a person vouched. Newcomers are members who are not on the
    roll.
    """
    authority = state.authority
    assert authority is not None, "the person is a member by it"
    vouched_for = {
        admit.fields["person"]
        for admit in state.authority_fold.records_of(Admit)
        if authority.person_of_device(admit.device) == person
        and authority.stands(admit.device, admit.seq)
    }
    return vouched_for & (authority.members.keys() - authority.term.roll)


def ready(state: State, people: Iterable[bytes]) -> list[bytes]:
    """Returns the given members who wrote on at least two days. The earliest member comes first."""
    authority = state.authority
    assert authority is not None, "the people are members by it"
    members = sorted((authority.members[person].since, person) for person in people)
    return [person for _, person in members if len(_days_of(state, authority, person)) >= _DAYS]


def _days_of(state: State, authority: Authority, person: bytes) -> set[int]:
    """Returns days on which a person wrote something. Records that software signed by itself do not
    count.
    """
    days: set[int] = set()
    for device in authority.devices_of(person):
        log = state.store.logs.find(device.key)
        if log is not None:
            last = max(1, log.head.seq - _LOOKED_AT + 1)
            days |= _days(state.store.records.of_log(device.key, 1, _LOOKED_AT))
            days |= _days(state.store.records.of_log(device.key, last, _LOOKED_AT))
    return days


def _days(records: Iterable[Record]) -> set[int]:
    return {record.header.time // DAY_MS for record in records if not record.header.is_automatic}
