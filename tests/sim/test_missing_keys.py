"""Homes that are on ask each other for the keys that they lack.

Attacker: a member who writes under a key that leaves somebody out, and gives this key to nobody.
Asset: words.
"""

import trio

from protocol.kinds.neighbourhood import WantKeys
from tests.support.hostile_keys import key_of, post_epoch
from tests.support.simulated_relays import RelayHome
from tests.support.simulated_street import Street

NAMES = ("ada", "ben", "cho", "mal")
WITHIN = 10  # simulated seconds
ON = 120
OFF_MS = 45 * 60_000


async def leave_one_out(street: Street) -> None:
    """Lets Mal write under a key that he has sealed for everybody but Ben."""
    async with trio.open_nursery() as nursery:
        for home in street.homes.values():
            await nursery.start(home.live)
        await street.settle()
        _, ben, _, mal = street.homes.values()
        devices = mal.author.state.authority.devices
        readers = {home.identity.device for home in street.homes.values() if home is not ben}
        mal.mesh.on_keys_wanted = lambda *_: None
        key = post_epoch(mal.author, [devices[device].box for device in readers])
        offer = mal.must_post("offer", {"title": "bread"})
        assert key_of(offer) == key.id
        with trio.fail_after(WITHIN):
            while ben.author.state.views.find(offer.id) is None:  # noqa: ASYNC110 -- simulated
                await trio.sleep(1)
        nursery.cancel_scope.cancel()


def test_a_home_that_is_on_soon_reads_what_comes_under_a_key_that_it_lacks(simulate):
    simulate(1, leave_one_out, NAMES)


async def join_and_meet_only_a_relay(street: Street) -> None:
    """Lets somebody join at Mal's home, who gives no key. Then only a relay is on. The newcomer's
    home is on for two minutes, every 45 minutes.
    """
    (mal,) = street.homes.values()
    relay = RelayHome(street, "relay")
    async with trio.open_nursery() as nursery:
        for node in (relay, mal):
            await nursery.start(node.live)
        await street.settle()
        await relay.enrolled_by(mal)
        await street.settle()
        mal.mesh.on_keys_wanted = lambda *_: None
        newcomer = street.newcomer("newcomer", mal)
        asked = []
        for _ in range(3):
            await nursery.start(newcomer.live)
            await trio.sleep(ON)
            asked.append(newcomer.author.state.authority_fold.records_of(WantKeys))
            await newcomer.kill()
            newcomer.skew += OFF_MS
            if mal.up:
                await mal.kill()
        assert [len(wants) for wants in asked] == [0, 0, 1]
        assert relay.served.store.records.has(asked[-1][0].id)
        nursery.cancel_scope.cancel()


def test_a_newcomer_who_is_seldom_on_and_meets_only_a_relay_asks_for_keys(simulate):
    simulate(1, join_and_meet_only_a_relay, ("mal",))
