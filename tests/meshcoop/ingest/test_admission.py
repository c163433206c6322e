"""A late revocation or certificate removes no record from a store. If a newcomer has accepted an
admission, the admission still counts after the voucher's log forks.
"""

import pytest

from meshcoop.author import automatic as duties
from meshcoop.author.folding import fold_at_once
from meshcoop.author.key_giving import give_by_record
from protocol.kinds.accept_and_close import Accept
from protocol.kinds.neighbourhood import Admit
from tests.support.council import by_software
from tests.support.street_in_memory import Street, settle


@pytest.fixture
def street():
    with Street() as here:
        yield here


def accept(home):
    fold_at_once(home.state, duties.accept_charter(home.author))


def backup(street, home):
    """Copies a home as it is now. The copy does not change when the original does."""
    copy = street.twin(home)
    copy.feed(home.wires())
    return copy


def settled_in(street, founder, voucher):
    """Makes the home of a newcomer. `voucher` has vouched for them, and their software has accepted
    the charter.
    """
    home = street.neighbour(voucher)
    settle(founder, voucher, home)
    accept(home)
    return home


def test_a_newcomer_names_what_brought_them_in_once(street):
    ada = street.found()
    ben = settled_in(street, ada, ada)
    accept(ben)

    (one,) = ben.state.authority_fold.records_of(Accept)
    brought = {act.id for act in ben.state.authority_fold.records_of(Admit)}
    assert one.parents[0] == ben.state.neighbourhood
    assert set(one.parents[1:]) == brought
    accept(ada)  # a founder has nothing to accept
    assert len(ada.state.authority_fold.records_of(Accept)) == 0


def test_a_founder_whose_disk_was_restored_takes_nobody_along(street):
    ada = street.found()
    copy = backup(street, ada)
    ben = settled_in(street, ada, ada)
    by_software(ada, ben)  # puts Ben on the roll
    cho = settled_in(street, ada, ben)
    offer = ben.post("offer", title="bread rolls")
    settle(ada, ben, cho)

    twice = copy.forge("offer", title="from the restored disk", prev=copy.head.id)
    for home in (ada, ben, cho):
        home.take(twice)
    settle(ada, ben, cho)

    late = street.twin(cho)
    settle(ben, late)
    assert ben.store.logs.find(ada.me.device).fork is not None
    for home in (ben, cho, late):
        assert set(home.state.authority.members) == {one.me.person for one in (ada, ben, cho)}
        assert home.view(offer).title == "bread rolls"
        assert home.ids() == ben.ids()
        home.state.rebuild()
        assert home.state_hash() == ben.state_hash()


def test_without_an_accept_a_fork_takes_the_newcomer_along_alike_everywhere(street):
    ada = street.found()
    copy = backup(street, ada)
    ben = street.neighbour(ada)
    ben.post("offer", title="bread rolls")
    settle(ada, ben)
    twice = copy.forge("offer", title="from the restored disk", prev=copy.head.id)

    early, late = street.twin(ben), street.twin(ben)
    early.feed(ben.wires())
    early.take(twice)
    late.take(*ada.records()[:1], twice)
    late.feed(ben.wires())
    settle(early, late)

    assert early.ids() == late.ids()
    assert ben.me.person not in early.state.authority.members


def test_a_voucher_revoked_later_changes_who_belongs_and_not_what_is_stored(street):
    ada = street.found()
    ben = street.neighbour(ada)
    by_software(ada, ben)  # puts Ben on the roll
    after = ben.head.seq
    cho = street.neighbour(ben)
    settle(ada, ben, cho)
    cho.post("offer", title="I live here")
    late = street.twin(ada)
    settle(ada, ben, cho)
    ada.write("device", statement=ben.revocation(after))
    late.feed(one.wire for one in ada.records() if one.header.device == ada.me.device)

    settle(ada, ben, cho, late)

    assert ada.ids() == late.ids()
    assert cho.me.person not in late.state.authority.members


def test_a_further_certificate_that_comes_late_changes_no_store(street):
    ada = street.found()
    ben = street.neighbour(ada)
    spares = [street.person() for _ in range(4)]
    slow = ada.forge("device", statement=ben.certificate(spares[3]), time=street.clock)
    for spare in spares[:3]:
        ben.write("device", statement=ben.certificate(spare))
    last = street.home(ben, spares[2])
    last.feed(ben.wires())
    give_by_record(ben.author, spares[2].device, ben.state.ring.all())
    last.feed(ben.wires())
    last.post("offer", title="fourth device")
    first, second = street.twin(ada), street.twin(ada)
    first.feed(last.wires())
    first.take(slow)
    second.take(*ada.records(), slow)
    second.feed(last.wires())

    settle(first, second)

    assert first.ids() == second.ids()
    assert first.state_hash() == second.state_hash()


def test_what_both_signed_stays_with_all_that_it_hangs_from(street):
    ada = street.found()
    ben = street.neighbour(ada)
    copy = backup(street, ada)

    def said(home, kind, about=None, **fields):
        one = home.post(kind, about, **fields)
        settle(ada, ben)
        return one

    request = said(ada, "request", title="a lift", minutes=60)
    agreement = said(ada, "agreement", said(ben, "response", request))
    receipt = said(ada, "receipt", agreement)
    said(ben, "confirm", receipt)
    before = ben.balances()
    assert sorted(before.values()) == [-60, 60]

    twice = copy.forge("offer", title="from the restored disk")
    for home in (ada, ben):
        home.take(twice)
    settle(ada, ben)
    late = street.twin(ben)
    settle(ben, late)

    for home in (ada, ben, late):
        assert home.view(receipt).state == "confirmed"
        assert home.balances() == before
        assert home.ids() == ben.ids()
