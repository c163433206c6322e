"""What a voter can do to take back a yes to a renewal, which stands (R-03.23)."""

from itertools import count

from tests.support.council import by_software, renew
from tests.support.street_in_memory import settle, street


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
