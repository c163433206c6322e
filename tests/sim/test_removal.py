"""A neighbour is removed while everybody is online. From then on the neighbour's home hears
nothing.
"""

import trio

from protocol.record import sealing as seal
from tests.support.council import renew
from tests.support.simulated_street import Street

CROWD = ("ada", "ben", "cho", "dan", "eve")


async def removal(street: Street) -> None:
    """Lets a council of three remove Dan. Dan has a copy of everything and keeps trying to
    connect.
    """
    async with trio.open_nursery() as nursery:
        for home in street.homes.values():
            await nursery.start(home.live)
        await street.settle()
        ada, ben, cho, dan, eve = (street.homes[name] for name in CROWD)
        council = sorted(one.identity.person for one in (ada, ben, cho))
        renewal = renew(ada.author, moderators=council)
        await street.settle()
        for home in (ben, cho, eve):
            home.post("vote", {"choice": "yes"}, renewal.id)
        await street.settle()
        assert ada.author.state.authority.term.id == renewal.id
        gone = dan.identity.person
        for home in (ada, ben):
            home.must_post("remove", {"person": gone.hex(), "why": "threats"})
        with trio.fail_after(60):
            while any(known(one, dan) for one in (ada, ben, cho, eve)):  # noqa: ASYNC110  # simulated time
                await trio.sleep(1)
        after = cho.must_post("offer", {"title": "among ourselves"})
        del street.homes["dan"]
        await street.settle()
        await trio.sleep(120)  # time for enough rounds of sync
        assert not dan.author.state.store.records.has(after.id)
        for home in (ada, ben, cho, eve):
            assert not known(home, dan)
            assert home.author.state.views.find(after.id).title == "among ourselves"
        assert seal.read_epoch_key_id(after.content) not in dan.author.state.ring
        nursery.cancel_scope.cancel()


def known(home, other):
    """Returns whether `home` talks with `other` or counts the person of `other` as a member."""
    talking = {one.person for one in home.mesh.conversations.values()}
    return other.identity.person in talking | set(home.author.state.authority.members)


def test_who_is_removed_hears_nothing_more(simulate):
    simulate(1, removal, CROWD)
