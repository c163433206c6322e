"""Newcomers: members who are not on the roll yet. They cannot vote on the next term.

A renewal can add newcomers to the roll. Software agrees to this alone only if its person vouched
for all of them (specs/16 R-16.5e). Otherwise software asks the person.
"""

from collections.abc import Iterable, Iterator

from meshcoop.fold.state import State
from protocol.kinds.neighbourhood import Admit
from protocol.record.envelope import DAY_MS, Record

_LOOKED_AT = 64  # records at each end of a log from which its days are read
DAYS = 2  # on so many days a newcomer wrote before software proposes them


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
    return [person for _, person in members if count_days(state, person) == DAYS]


def count_days(state: State, person: bytes) -> int:
    """Returns on how many days a person wrote something, but at most two. Records that software
    signed by itself do not count.
    """
    authority = state.authority
    assert authority is not None, "the person is a member by it"
    days: set[int] = set()
    for device in authority.devices_of(person):
        for record in _records_of(state, device.key):
            if not record.header.is_automatic:
                days.add(record.header.time // DAY_MS)
            if len(days) == DAYS:
                return DAYS
    return len(days)


def _records_of(state: State, device: bytes) -> Iterator[Record]:
    """Yields the first records of a device's log, and then the last."""
    log = state.store.logs.find(device)
    if log is not None:
        yield from state.store.records.of_log(device, 1, _LOOKED_AT)
        last = max(_LOOKED_AT + 1, log.head.seq - _LOOKED_AT + 1)
        yield from state.store.records.of_log(device, last, _LOOKED_AT)
