"""Nobody's software makes false people voters: a home says yes only for whom its person vouched."""

from itertools import combinations
from types import SimpleNamespace

import pytest
import trio

from meshcoop.api.methods.method_table import Methods
from meshcoop.author import newcomers
from meshcoop.author import renewal as deciding
from meshcoop.author.folding import fold_at_once
from meshcoop.author.witness_list import choose_witnesses
from meshcoop.cli.plain_text import format_remark
from protocol.authority.additions import find_additions
from protocol.fold.registry import KINDS
from protocol.record.envelope import DAY_MS
from tests.meshcoop.api.test_steps import node_of
from tests.support.council import renew
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
        renew(founders[0].author, joining=[home.me.person for home in homes[1:]])
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
            asked |= _asked_in_words(founders[1])
        assert people <= roll(founders[0])
        assert roll(founders[0]) == {*people, mal.me.person}
        mals = mal.me.person.hex()[:8]
        assert {f"{one.person.hex()[:8]}: {mals} vouched" for one in false} <= asked


def _asked_in_words(home):
    """Returns the sentences with which Today and `meshcoop next` ask the home's person. Nobody can
    agree to them with one key, because they would give the street to others.
    """
    rows = trio.run(Methods(node_of(home)).table()["list"], {"what": "waiting"})["rows"]
    assert all(row["is_typed"] for row in rows)
    return {format_remark(remark) for row in rows for remark in row["says"]}


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
        renew(ada.author)
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
        renew(ada.author)
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
                witnesses=choose_witnesses(mal.state, term.roll, mal.now()),
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
        renew(ada.author, joining=[home.me.person for home in homes[1:3]])
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


def test_a_newcomer_is_proposed_alone_after_a_week_beside_false_people():
    """Attacker: somebody on the roll, who got a yes to a renewal full of false people. Asset: the
    vote of a newcomer in it.
    """
    with street(homes=4, vouchers=1) as homes:
        ada, ben, mal, cho = homes
        quiet = [ada.street.person() for _ in range(2)]
        for one in quiet:
            ada.admit(one)
        on_roll = [ben.me.person, mal.me.person, *(one.person for one in quiet)]
        renew(ada.author, joining=on_roll)
        settle(*homes)
        false = mal.street.person()
        mal.admit(false)
        joining = sorted([false.person, cho.me.person])
        full = renew(mal.author, joining=joining)
        settle(*homes)
        ada.author.write(KINDS["vote"], {"choice": "yes"}, about=full.id)
        ben.author.write(KINDS["vote"], {"choice": "no"}, about=full.id)
        for day in range(8):
            a_day(ada, cho, writing=day < 2)
            additions = find_additions(ada.state.authority)
            assert ({cho.me.person} in additions.values()) == (day >= 6), day


@pytest.mark.parametrize("vouchers", range(1, 13))
def test_a_home_that_is_on_for_one_hour_a_day_has_its_turn(vouchers):
    """Attacker: a voucher whose patched home never proposes. Asset: the vote of a newcomer."""
    people = [bytes([n]) * 32 for n in range(vouchers)]
    authority = SimpleNamespace(
        vouchers_of=lambda newcomer: set(people), term=SimpleNamespace(roll=frozenset(people))
    )
    evening = 19 * 3_600_000
    for person in people:
        hours = [day * DAY_MS + evening for day in range(8 * vouchers)]
        assert any(deciding.has_turn(authority, person, b"newcomer", hour) for hour in hours)
