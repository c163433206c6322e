"""A hundred homes behind NATs, with two relays and a faulty network: everything reaches
everyone.
"""

import time

import pytest
import trio

from tests.support.simulated_relays import RelayHome
from tests.support.simulated_street import Home, Simulate, Street, store_of

NAMES = tuple(f"home{n:03}" for n in range(100))


@pytest.mark.long
def test_a_hundred_homes_reach_each_other_through_two_relays(simulate: Simulate):
    async def hundred(street: Street) -> None:
        street.network.put_behind_nat(*NAMES)
        street.network.loss, street.network.delay = 0.05, (0.1, 0.4)
        homes = list(street.homes.values())
        relays = [RelayHome(street, "one"), RelayHome(street, "two")]
        async with trio.open_nursery() as nursery:
            for node in (*relays, *homes):
                if isinstance(node, Home):
                    node.knows = [one.address for one in relays]
                await nursery.start(node.live)
            for relay in relays:
                await relay.enrolled_by(homes[0])
            await trio.sleep(60)
            began, before = time.process_time(), street.events
            for at, home in enumerate(homes):
                home.must_post("request", {"title": f"wish {at}", "minutes": "30"})
                await trio.sleep(1)
            await street.settle()
            stored = street.events - before
            print(  # noqa: T201 -- the figures that are asked for
                f"\n{store_of(homes[0]).records.count()} records at each of {len(homes)} homes,"
                f" {1e3 * (time.process_time() - began) / stored:.2f} ms of processor for each of"
                f" {stored} storings, agreed after {trio.current_time():.0f} simulated seconds"
            )
            ids = set(store_of(homes[0]).records.ids())
            with trio.fail_after(300):
                while any(set(relay.served.store.records.ids()) != ids for relay in relays):  # noqa: ASYNC110
                    await trio.sleep(10)
            nursery.cancel_scope.cancel()

    simulate(100, hundred, NAMES)
