"""Newcomers: members who are not on the roll yet. They cannot vote on the next term.

A renewal can add newcomers to the roll. Software agrees to such a renewal by itself only if its
person vouched for all of these newcomers (specs/16 R-16.5e). Otherwise software asks the person.

The charter says how many vouchers a newcomer needs. If the roll has fewer people than that, the
vouches of the whole roll are enough for the time being. Once the roll grows, such a newcomer needs
further vouchers, and software asks people for them (R-16.5o).
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from meshcoop.fold.log_ends import MOST_DAYS
from meshcoop.fold.slices import pause
from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import Admit
from protocol.kinds.people import Profile
from protocol.record.envelope import DAY_MS

DAYS = MOST_DAYS  # on so many days a newcomer wrote before software proposes them
_ASKED_MS = 28 * DAY_MS  # R-16.5q: how long voters are asked to vouch for somebody who is no member


class Short(NamedTuple):
    """Somebody for whom too few people have vouched.

    If `is_member` is True, the person is a member only as long as the roll stays small. `missing`
    is the number of vouchers that the person lacks. `admits` are the vouches that count or will
    count, the earliest first; `vouchers` are their authors.
    """

    person: bytes
    is_member: bool
    missing: int
    vouchers: frozenset[bytes]
    admits: tuple[AuthorityRecord, ...]


def has_vouched(state: State, voucher: bytes, newcomer: bytes) -> bool:
    """Returns whether `voucher` has vouched for `newcomer`, and the vouch still counts."""
    authority = state.authority
    assert authority is not None, "the person is a member by it"
    return any(
        admit.fields["person"] == newcomer
        and authority.person_of_device(admit.device) == voucher
        and authority.stands(admit.device, admit.seq)
        for admit in state.authority_fold.records_of(Admit)
    )


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


def find_short(state: State) -> dict[bytes, Short]:
    """Finds the people for whom too few people have vouched (R-16.5o).

    Some newcomers will vote soon. Their vouches are included, although they count only once these
    newcomers are on the roll.
    """
    authority = state.authority
    assert authority is not None, "somebody asks who belongs"
    return _find_short(state, authority, find_future_vouchers(state, authority))


def _find_short(state: State, authority: Authority, soon: frozenset[bytes]) -> dict[bytes, Short]:
    if authority.term.vouchers == 1:
        return {}  # whoever has a voucher has enough
    seats = frozenset[bytes]().union(*(term.roll for term in authority.chain.terms))
    counted = seats | soon
    admits: dict[bytes, dict[bytes, AuthorityRecord]] = {}
    for admit in state.authority_fold.records_of(Admit):
        pause()
        voucher = authority.member_of_device(admit.device)
        if voucher in counted and authority.stands(admit.device, admit.seq):
            admits.setdefault(admit.fields["person"], {}).setdefault(voucher, admit)
    listed = seats | authority.left
    if len(authority.term.roll) == 1:
        listed |= soon  # the only voter is asked to add all of them at once
    return {
        person: Short(
            person,
            person in authority.members,
            authority.term.vouchers - len(of_person),
            frozenset(of_person),
            tuple(of_person.values()),
        )
        for person, of_person in admits.items()
        if person not in listed and len(of_person) < authority.term.vouchers
    }


def find_future_vouchers(state: State, authority: Authority) -> frozenset[bytes]:
    """Returns the newcomers who will vote soon: they wrote on two days, and somebody on the roll
    vouched for them.

    If the roll has enough people to vouch, returns nobody.
    """
    roll = authority.term.roll
    if len(roll) >= authority.term.vouchers:
        return frozenset()
    vouched_for = set().union(*(vouched_for_by(state, voter) for voter in roll))
    return frozenset(ready(state, vouched_for))


def find_asked(state: State, person: bytes, now: int) -> list[Short]:
    """Returns the people for whom software asks `person` to vouch (R-16.5p). Some members have
    vouched for these people already, but these people need further vouchers.

    The charter's rule `room` says how many newcomers one voucher may have. If a voucher has more
    newcomers, software asks about only that many of them.
    """
    authority = state.authority
    assert authority is not None, "the person is a member by it"
    soon = find_future_vouchers(state, authority)
    if person not in authority.term.roll | soon or not authority.has_room(person):
        return []
    asked = []
    newcomers_of: Counter[bytes] = Counter()
    by_age = sorted(
        _find_short(state, authority, soon).values(), key=lambda short: _order(short.admits[0])
    )
    for short in by_age:
        vouchers = [who for who in short.vouchers if newcomers_of[who] < authority.charter["room"]]
        newcomers_of.update(short.vouchers)
        latest = max(authority.term.since, short.admits[-1].time)
        is_fresh = short.is_member or now - latest <= _ASKED_MS
        if vouchers and is_fresh and person not in {short.person, *short.vouchers}:
            asked.append(short)
    return asked


def find_given_name(state: State, person: bytes) -> str | None:
    """Returns the name that a person gave themselves, if this home can read it. Finds also the name
    of a former member, whose profile is not shown any more.
    """
    authority = state.authority
    assert authority is not None, "somebody vouched for the person"
    name = None
    for device in authority.devices_of(person):
        for record in state.log_ends.records(device.key):
            with suppress(Refused):
                content = state.contents.read(record)
                if content.kind == declared_of(Profile).name and content.fault is None:
                    name = str(content.fields["name"])
    return name


def _order(admit: AuthorityRecord) -> tuple[int, bytes]:
    return admit.time, admit.id


def ready(state: State, people: Iterable[bytes]) -> list[bytes]:
    """Returns those of the given members who wrote on at least two days. Who has been a member for
    longest comes first.
    """
    authority = state.authority
    assert authority is not None, "the people are members by it"
    members = sorted((authority.members[person].since, person) for person in people)
    return [person for _, person in members if count_days(state, person) == DAYS]


def count_days(state: State, person: bytes) -> int:
    """Counts the days on which a person wrote something, up to two. Records that software signed by
    itself do not count.
    """
    authority = state.authority
    assert authority is not None, "the person is a member by it"
    pause()
    return state.log_ends.count_days(device.key for device in authority.devices_of(person))
