"""Nobody takes a street over alone, and false people are few (R-03.6, R-03.7)."""

from types import SimpleNamespace

import pytest

from protocol.authority import authority
from protocol.authority.admission import MAX_LIVE_DEVICES
from tests.support.authority_records import START, charter, ids, people, public
from tests.support.council import by_software, members
from tests.support.street_in_memory import settle, street

MONTH = 30 * 86_400_000
ROOM = 10


def false_people(count):
    """Makes people who have nothing but a key. They never sign anything."""
    return [SimpleNamespace(key=b"false %26d" % n, statement=b"none") for n in range(count)]


def renewed(parent, voters, **lists):
    renewal = voters[0].renews(parent, voters[:3], **lists)
    return [renewal, *(voter.says("yes", renewal) for voter in voters)]


@pytest.mark.parametrize(("vouchers", "let_in"), [(1, ROOM), (2, 0)])
def test_one_invited_person_who_admits_ten_and_renews_once_takes_nothing_over(vouchers, let_in):
    """Attacker: an invited person with a patched node and ten false friends. Asset: who decides."""
    founders, (mal,) = people(*"ABCDE"), people("M")
    friends = people(*(f"friend {n}" for n in range(ROOM)))
    first = charter(*founders, vouchers=vouchers)
    acts = [who.admits(mal) for who in founders[:2]]
    acts += [mal.admits(friend) for friend in friends]
    acts += [friend.admits(other) for friend in friends for other in friends]
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {*ids(founders), mal.key}  # Mal is on no roll yet

    acts += renewed(first, founders[:3], joining=[mal], vouchers=vouchers)
    acts += renewed(acts[-4], [mal, *friends], joining=friends, leaving=founders, vouchers=vouchers)
    known = authority.fold_authority(first, acts, {})
    assert known.term.roll == {*ids(founders), mal.key}
    assert len(set(known.members) - known.term.roll) == let_in


def test_a_patched_node_alone_brings_nobody_in_and_the_founders_belong():
    """Attacker: an invited person with a patched node. Asset: who belongs, at real homes."""
    with street(homes=4, vouchers=2) as (ada, ben, cho, mal):
        by_software(ada, ben, cho, mal)
        founders = {home.me.person for home in (ada, ben, cho, mal)}
        friends = [ada.street.person() for _ in range(ROOM)]
        for friend in friends:
            mal.admit(friend)
        parent = ada.state.authority.term.id
        renewal = mal.forge(
            "renewal", parent=parent, round=9, moderators=[mal.me.person], vouchers=1, share=50,
            joining=sorted(friend.person for friend in friends),
        )  # fmt: skip
        mal.take(renewal)
        by_software(ada, ben, cho, mal)
        for home in (ada, ben, cho):
            assert members(home) == founders
            assert home.state.authority.term.roll == founders
        settle(ada, ben, cho, mal)


def test_three_thousand_false_members_with_months_long_past_are_ten():
    """Attacker: a member with four devices who claims months long past. Assets: who belongs, and
    the room on everybody's disk.
    """
    ada, mal = people("A", "M")
    first = charter(ada, mal, vouchers=1, room=ROOM)
    devices = [public(seed) for seed in mal.devices[:MAX_LIVE_DEVICES]]
    acts = [mal.carries(mal.certify(n)) for n in range(1, MAX_LIVE_DEVICES)]
    for n, friend in enumerate(false_people(3000)):
        time = START - MONTH * (n // ROOM)
        acts.append(mal.admits(friend, device=devices[n % len(devices)], time=time))
    known = authority.fold_authority(first, acts, {})
    assert len(known.members) == 2 + ROOM
    assert len(known.ever_let_in) == 2 + 3 * ROOM * len(devices)

    acts += renewed(first, [ada, mal], vouchers=1)  # lists none of them
    assert len(authority.fold_authority(first, acts, {}).members) == 2 + ROOM
