"""Nobody's software makes false people voters: a home says yes only for whom its person vouched."""

from contextlib import suppress
from itertools import combinations

import pytest

from meshcoop.author import newcomers
from meshcoop.author import renewal as deciding
from meshcoop.author.folding import fold_at_once
from protocol.authority.additions import find_additions
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record.envelope import DAY_MS
from tests.support.street_in_memory import settle, street

MOST = 8


def a_day(*homes, writing=True):
    """Lets a day pass. Everybody writes something, and then all software acts and all homes sync."""
    homes[0].street.clock += DAY_MS
    for home in homes:
        if writing:
            home.post("offer", title="something")
    settle(*homes)
    for home in homes:
        fold_at_once(home.state, deciding.decide(home.author))
    settle(*homes)
    for home in homes:
        fold_at_once(home.state, deciding.decide(home.author))
    settle(*homes)


def roll(home):
    return home.state.authority.term.roll


def votes_of(home, device):
    """Returns the votes that the software of a device signed by itself."""
    log = home.store.records.of_log(device, 1, 10_000)
    automatic = [one for one in log if one.header.is_automatic]
    return [one for one in automatic if home.state.contents.read(one).kind == "vote"]


def admit(by, home):
    one = home.me
    return by.write("admit", person=one.person, statement=one.statement)


@pytest.mark.parametrize("days", [6, pytest.param(30, marks=pytest.mark.long)])
def test_one_invited_person_with_ten_false_friends_does_not_expel_the_founders(days):
    """Attacker: an invited person with a patched node and ten false friends, for whom one founder
    vouches too. Asset: who decides.
    """
    with street(homes=6, vouchers=1) as homes:
        founders, mal = homes[:5], homes[5]
        people = {home.me.person for home in founders}
        deciding.renew(founders[0].author, joining=[home.me.person for home in homes[1:]])
        settle(*homes)
        assert roll(mal) == {*people, mal.me.person}
        false = [mal.street.person() for _ in range(10)]
        for friend in false:
            mal.admit(friend)
        settle(*homes)
        asked = set()
        for day in range(days):
            mal.take(_false_renewal(mal, false, day))
            a_day(*homes, writing=day < 2)
            for home in founders:
                assert not votes_of(home, home.me.device)
            additions = find_additions(founders[1].state.authority)
            asked |= {person for added in additions.values() for person in added}
        assert people <= roll(founders[0])
        assert roll(founders[0]) == {*people, mal.me.person}
        assert {friend.person for friend in false} <= asked  # in words: the list `adds`


def _false_renewal(mal, false, day):
    known = mal.state.authority
    rounds = [one.round for one in known.renewals.values() if one.parent == known.term.id]
    return mal.forge(
        "renewal", parent=known.term.id, round=1 + max(rounds, default=0), vouchers=1, share=50,
        moderators=sorted(known.term.moderators), joining=sorted(one.person for one in false[day % 2:]),
    )  # fmt: skip


def test_rounds_of_empty_renewals_make_no_home_vote():
    """Attacker: a member on the roll. Asset: everybody's room to write, and their votes."""
    with street(homes=3) as homes:
        ada, ben, mal = homes
        deciding.renew(ada.author)
        settle(*homes)
        term = mal.state.authority.term
        for number in range(240):
            empty = mal.forge(
                "renewal", parent=term.id, round=number + 1, vouchers=1, share=50,
                moderators=sorted(term.moderators),
            )  # fmt: skip
            for home in homes:
                home.take(empty)
        before = [home.head.seq for home in (ada, ben)]
        for home in (ada, ben):
            fold_at_once(home.state, deciding.decide(home.author))
        votes = [home.head.seq - seq for home, seq in zip((ada, ben), before, strict=True)]
        assert max(votes) <= 1  # an accept of the term


def test_many_sets_of_ones_own_newcomers_get_few_votes_a_day():
    """Attacker: somebody on the roll who proposes each set of another's newcomers. Asset: what that
    person's home can write.
    """
    with street(homes=3, vouchers=1) as homes:
        ada, ben, mal = homes
        deciding.renew(ada.author)
        settle(*homes)
        guests = [ada.street.person() for _ in range(5)]
        for guest in guests:
            ada.admit(guest)
        settle(*homes)
        term = mal.state.authority.term
        sets = [chosen for size in (1, 2, 3) for chosen in combinations(guests, size)]
        for number, chosen in enumerate([*sets, *sets]):
            proposed = mal.forge(
                "renewal", parent=term.id, round=number + 1, vouchers=1, share=50,
                moderators=sorted(term.moderators), joining=sorted(one.person for one in chosen),
            )  # fmt: skip
            for home in homes:
                home.take(proposed)
        for _ in range(3):
            fold_at_once(ada.state, deciding.decide(ada.author))
        assert len(votes_of(ada, ada.me.device)) == MOST
        assert votes_of(ben, ben.me.device) == []
        for _ in range(5):
            ada.street.clock += DAY_MS
            fold_at_once(ada.state, deciding.decide(ada.author))
        assert len(votes_of(ada, ada.me.device)) == len(sets)  # each set once, however often


def test_a_renewal_full_of_false_people_does_not_keep_a_newcomer_out():
    """Attacker: somebody on the roll. Asset: the vote of a newcomer."""
    with street(homes=4, vouchers=1) as homes:
        ada, _, mal, cho = homes
        deciding.renew(ada.author, joining=[home.me.person for home in homes[1:3]])
        settle(*homes)
        false = mal.street.person()
        mal.admit(false)
        known = mal.state.authority
        joining = sorted([false.person, cho.me.person])
        mal.take(
            mal.forge(
                "renewal",
                parent=known.term.id,
                round=1,
                vouchers=1,
                share=50,
                joining=joining,
                moderators=sorted(known.term.moderators),
            )
        )
        for _ in range(3):
            a_day(*homes)
        additions = find_additions(ada.state.authority)
        assert {cho.me.person} in additions.values()


def test_nobody_takes_along_who_is_alone_on_the_roll():
    """Attacker: none. Asset: a street of two that can still decide when one of the two is gone."""
    with street(homes=2) as homes:
        ada, ben = homes
        for _ in range(4):
            a_day(*homes)
        assert roll(ada) == {ada.me.person}
        ready = newcomers.ready(ada.state, newcomers.vouched_for_by(ada.state, ada.me.person))
        assert ready == [ben.me.person]


def test_a_street_grows_with_few_keys():
    """Measures how many answers people give while a street of nine comes onto the roll."""
    with street(homes=9, vouchers=2) as homes:
        ada, *others = homes
        everybody = {home.me.person for home in homes}
        keys = 1  # Ada, alone on the roll, lets two vote
        deciding.renew(ada.author, joining=[home.me.person for home in others[:2]])
        settle(*homes)
        for newcomer in others[2:]:  # the second voucher, so that two homes agree by themselves
            admit(others[0], newcomer)
        settle(*homes)
        days = 0
        while roll(ada) != everybody and days < 30:
            a_day(*homes, writing=days < 3)
            days += 1
            keys += _press_once(homes)
        assert roll(ada) == everybody
        assert keys <= 8, keys
        assert days <= 15


def _press_once(homes):
    """Lets people say yes until an open renewal passes. Returns how many keys they pressed."""
    pressed = 0
    for renewal in sorted(find_additions(homes[0].state.authority)):
        for home in homes:
            authority = home.state.authority
            ballot = authority.renewals[renewal]
            if ballot.parent != authority.term.id or home.me.person not in authority.term.roll:
                continue
            if home.me.person in ballot.yes or 2 * len(ballot.yes) > ballot.roll:
                continue
            with suppress(Refused):  # they said yes to a rival in this round
                home.author.write(KINDS["vote"], {"choice": "yes"}, about=renewal)
                pressed += 1
            settle(*homes)
        break
    return pressed
