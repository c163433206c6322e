"""A person leaves the neighbourhood by a statement of the root key."""

import pytest

from meshcoop.author import departure
from protocol.errors import AlreadySo
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import Device
from protocol.record import root_statement
from tests.support.council import by_software, members, propose, vote
from tests.support.street_in_memory import settle, street


def leave(home):
    """Posts what the person's root key signs, as the command `leave` does."""
    plan = departure.plan_leave(home.author, home.me.person)
    place = home.state.neighbourhood[: root_statement.PLACE_SIZE]
    statement = root_statement.state_leave(home.me.root_seed, plan.n, plan.cuts, place)
    return home.author.write(declared_of(Device), {"statement": statement})


def test_who_leaves_is_out_everywhere_and_what_they_wrote_stays():
    with street(homes=3) as (ada, ben, cho):
        by_software(ada, ben, cho)
        offer = ben.post("offer", title="bread rolls")
        leave(ben)
        settle(ada, ben, cho)
        for home in (ada, ben, cho):
            assert members(home) == {ada.me.person, cho.me.person}
            assert home.view(offer).title == "bread rolls"
            assert ben.me.person in home.state.authority.left
        with pytest.raises(AlreadySo) as already:
            leave(ben)
        assert already.value.rule == "R-03.34"


def test_a_vote_brings_back_who_left():
    with street(homes=3) as (ada, ben, cho):
        by_software(ada, ben, cho)
        leave(ben)
        settle(ada, ben, cho)
        restoration = propose(ada, f"restore {ben.me.person.hex()}")
        settle(ada, ben, cho)
        vote(restoration, [ada, cho], (ada, ben, cho))
        assert ben.me.person in members(cho)
        assert departure.plan_leave(ben.author, ben.me.person).n == 3
