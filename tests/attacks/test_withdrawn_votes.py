"""What a voter can do to take back a yes to a renewal, which stands (R-03.23)."""

from itertools import count

from meshcoop.author.founding import Identity
from protocol.authority.admission import MAX_KNOWN_DEVICES
from tests.support.council import by_software, renew
from tests.support.street_in_memory import MORNING, settle, street


def test_a_no_in_another_past_takes_back_no_yes():
    """Attacker: a voter who forks their own log. Asset: a term that passed (R-01.14n)."""
    with street() as (ada, ben):
        renew(ada.author, joining=[ben.me.person])
        by_software(ada, ben)
        renewal = renew(ada.author, share=60)
        settle(ada, ben)
        past = ben.street.twin(ben)
        past.feed(ben.wires())
        ben.post("offer", title="before the vote")
        yes = ben.post("vote", renewal, choice="yes")
        settle(ada, ben)
        assert ada.state.authority.term.id == renewal.id
        offer = past.put(past.forge("offer", title="another past"))
        tries = (past.forge("vote", renewal, choice="no", time=past.now() + n) for n in count())
        no = next(one for one in tries if one.id < yes.id)
        for home in (ada, ben):
            home.feed([offer.wire, no.wire])
            assert home.store.logs.find(ben.me.device).fork == offer.header.seq
            assert home.state.authority.term.id == renewal.id
        assert ada.ids() == ben.ids()


def push_out(home, taker):
    """Certifies so many devices with an earlier time that the home's own device is not among the
    first 32 any more. Returns the records that do it.
    """
    firsts = []
    for _ in range(MAX_KNOWN_DEVICES):
        extra = Identity.of(home.me.root_seed, home.street.dice.randbytes, home.street.place)
        phone = home.street.home(home, extra)
        phone.feed(taker.wires())
        first = phone.forge("device", statement=extra.statement, time=MORNING)
        firsts.append(first.wire)
    return firsts


def test_many_backdated_devices_fell_no_term_that_more_than_half_accepted():
    """Attacker: a voter who certifies 32 devices. Asset: a term that passed (R-03.22h)."""
    with street(homes=3) as (ada, ben, cho):
        renew(ada.author, joining=[ben.me.person, cho.me.person])
        by_software(ada, ben, cho)
        renewal = renew(ada.author, share=60)
        settle(ada, ben, cho)
        ben.post("vote", renewal, choice="yes")
        by_software(ada, ben, cho)
        before = ada.wires()
        firsts = push_out(ben, ada)
        late = ada.street.home(ada, *ada.who)
        late.feed([*ada.wires()[:1], *firsts])
        for home in (ada, cho, late):
            home.feed(firsts)
            home.feed(before)
            assert ben.me.device not in home.state.authority.storable_devices
            assert home.state.authority.term.id == renewal.id
        settle(ada, cho, late)
        assert ada.ids() == cho.ids() == late.ids()


def test_many_backdated_devices_can_fell_a_term_before_half_accepted_it():
    """What is not stopped (A-03.18): the yes goes with the device, and only the others' accepts
    keep the term.
    """
    with street(homes=2) as (ada, ben):
        renew(ada.author, joining=[ben.me.person])
        by_software(ada, ben)
        renewal = renew(ada.author, share=60)
        settle(ada, ben)
        ben.post("vote", renewal, choice="yes")
        by_software(ada, ben)
        assert ada.state.authority.term.id == renewal.id
        ada.feed(push_out(ben, ada))
        assert ada.state.authority.term.id != renewal.id
