"""Neighbourhoods on a faulty network: whatever happens on the way, all homes agree in the end."""

from random import Random

import pytest
import trio

from tests.support.simulated_people import act
from tests.support.simulated_street import NAMES, Home, Simulate, Street, store_of
from tests.support.street_checks import check

ACTIVE = 40.0  # seconds in which people post
SEEDS = 1  # of the default suite, 5 s of the processor each
FEWER = NAMES[:8]  # homes of the default suite; all of NAMES cost twice as much
ALL_SEEDS = 230


async def bad_weather(street: Street) -> None:
    """Runs most of a minute with loss, partitions, killed homes and a newcomer. Then all faults
    end.
    """
    await weather(street, copied=None)


async def bad_weather_and_a_copied_disk(street: Street) -> None:
    """Runs bad weather. Meanwhile a home's disk is copied, and both copies go on posting."""
    await weather(street, copied="ben")


async def weather(street: Street, copied: str | None) -> None:
    network, random = street.network, street.random
    forked: set[bytes] = set()
    network.loss, network.duplication, network.delay = 0.3, 0.1, (0.005, 1.5)
    network.breaks, network.refusals = 0.01, 0.1
    async with trio.open_nursery() as nursery:
        for home in street.homes.values():
            await nursery.start(home.live)
        async with trio.open_nursery() as story:
            for home in list(street.homes.values()):
                story.start_soon(people_post, home)
            story.start_soon(partitions, street)
            story.start_soon(deaths, street, nursery, Random(random.random()))
            story.start_soon(somebody_comes, street, nursery, Random(random.random()))
            if copied:
                forked.add(street.homes[copied].identity.device)
                story.start_soon(a_copy, street, nursery, copied)
        await street.settle()
        check(street, frozenset(forked))
        nursery.cancel_scope.cancel()


async def people_post(home: Home) -> None:
    random = home.random
    while trio.current_time() < ACTIVE:
        await trio.sleep(random.expovariate(1 / 12))
        if home.up:
            act(home, random)


async def partitions(street: Street) -> None:
    random = Random(f"{street.seed} partitions")
    for _ in range(random.randint(2, 3)):
        await trio.sleep(random.uniform(2, 8))
        names = list(street.homes)
        random.shuffle(names)
        at = random.randint(1, len(names) - 1)
        street.network.partition([names[:at], names[at:]])
        await trio.sleep(random.uniform(4, 12))
        street.network.end_partition()


async def deaths(street: Street, nursery: trio.Nursery, random: Random) -> None:
    for _ in range(random.randint(2, 4)):
        await trio.sleep(random.uniform(2, 10))
        home = random.choice([one for one in street.homes.values() if one.up])
        await home.kill()
        await trio.sleep(random.uniform(0, 12))
        await nursery.start(home.live)


async def somebody_comes(street: Street, nursery: trio.Nursery, random: Random) -> None:
    await trio.sleep(random.uniform(5, 25))
    # Only people on the roll let somebody in (R-03.6c): at first, that is the founder alone.
    founder = street.homes["ada"]
    while not founder.up:  # noqa: ASYNC110  # the simulation has no event for it
        await trio.sleep(1)
    home = street.newcomer("zoe", founder)
    await nursery.start(home.live)
    await people_post(home)


async def a_copy(street: Street, nursery: trio.Nursery, name: str) -> None:
    await trio.sleep(Random(f"{street.seed} copy").uniform(1, 25))
    copy = street.clone(street.homes[name], f"{name}-copy")
    await nursery.start(copy.live)
    await people_post(copy)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_homes_agree_after_bad_weather(seed: int, simulate: Simulate) -> None:
    street = simulate(seed, bad_weather, FEWER)
    assert street.events > 300


@pytest.mark.long
@pytest.mark.parametrize("seed", range(ALL_SEEDS))
def test_homes_agree_after_more_bad_weather(seed: int, simulate: Simulate) -> None:
    simulate(seed, bad_weather)


def test_a_seed_tells_the_same_story_twice(simulate: Simulate) -> None:
    once, again = (simulate(3, bad_weather, NAMES[:4]) for _ in range(2))
    assert (once.trace, once.events) == (again.trace, again.events)


async def copied_disk(street: Street) -> None:
    """Copies Ben's disk. Both copies post while a partition keeps them apart."""
    homes, network = street.homes, street.network
    async with trio.open_nursery() as nursery:
        for home in homes.values():
            await nursery.start(home.live)
        await street.settle()
        clone = street.clone(homes["ben"], "ben-copy")
        network.partition([["ada", "ben", "cem"], ["dot", "eva", "ben-copy"]])
        await nursery.start(clone.live)
        ada, ben, dot = homes["ada"], homes["ben"], homes["dot"]
        asked = ada.must_post("request", {"title": "A lift", "minutes": "30"})
        offered = dot.must_post("offer", {"title": "Bread", "minutes": "20"})
        await trio.sleep(10)
        receipts = [
            await exchange(ada, ben, asked.id),
            await exchange(dot, clone, offered.id),
        ]
        loose = [one.must_post("offer", {"title": one.name}).id for one in (ben, clone)]
        await trio.sleep(10)
        await street.settle()
        device = frozenset({ben.identity.device})
        check(street, forked=device)
        state = ada.author.state if ada.author else None
        assert state is not None
        fork = store_of(ada).logs.find(ben.identity.device)
        assert fork is not None
        assert fork.fork is not None
        for one in receipts:  # both parties signed these receipts, so they stay
            view = state.views.find(one)
            assert view is not None
            assert view.state == "confirmed"
        assert all(state.views.find(one) is None for one in loose)
        minutes = {one: two.balance for one, two in state.views.balances().items()}
        assert minutes == {
            ada.identity.person: -30,
            dot.identity.person: 20,
            ben.identity.person: 10,
        }
        nursery.cancel_scope.cancel()


async def exchange(asks: Home, answers: Home, intent: bytes) -> bytes:
    """Posts a response, an agreement, a receipt and a confirm. Returns the receipt's id."""
    response = answers.must_post("response", {}, intent)
    await trio.sleep(10)
    agreement = asks.must_post("agreement", {}, response.id)
    await trio.sleep(10)
    receipt = answers.must_post("receipt", {}, agreement.id)
    await trio.sleep(10)
    asks.must_post("confirm", {}, receipt.id)
    return receipt.id


@pytest.mark.long
@pytest.mark.parametrize("seed", range(60))
def test_homes_agree_after_bad_weather_and_a_copied_disk(seed: int, simulate: Simulate) -> None:
    street = simulate(seed, bad_weather_and_a_copied_disk)
    assert street.events > 300


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))]
)
def test_after_a_fork_homes_agree_and_what_was_countersigned_stays(
    seed: int, simulate: Simulate
) -> None:
    simulate(seed, copied_disk, NAMES[:5])


async def long_absence(street: Street) -> None:
    homes = street.homes
    cem = homes["cem"]
    async with trio.open_nursery() as nursery:
        for home in homes.values():
            await nursery.start(home.live)
        await street.settle()
        await cem.kill()
        street.network.loss = 0.3
        for at in range(200):
            for one in (homes["ada"], homes["ben"]):
                one.must_post("offer", {"title": f"number {at} of {one.name}"})
            await trio.sleep(0.1)
        assert len(cem.heard) == len(set(cem.heard))
        before = len(cem.heard)
        await nursery.start(cem.live)
        await street.settle()
        check(street)
        came = cem.heard[before:]
        assert len(came) == len(set(came)) >= 400
        assert set(homes["ada"].posted + homes["ben"].posted) <= set(came)
        nursery.cancel_scope.cancel()


def test_a_home_that_was_away_gets_everything_once(simulate: Simulate) -> None:
    simulate(1, long_absence, NAMES[:3])


async def two_halves(street: Street) -> None:
    """Cuts the street into two halves for a long time. Each half has more homes than a home has
    links.
    """
    names = list(street.homes)
    async with trio.open_nursery() as nursery:
        for home in street.homes.values():
            await nursery.start(home.live)
        await street.settle()
        street.network.partition([names[:10], names[10:]])
        await trio.sleep(300)
        for name in (names[0], names[-1]):
            street.homes[name].must_post("offer", {"title": name})
        await street.settle()
        check(street)
        nursery.cancel_scope.cancel()


def test_halves_that_were_apart_for_long_find_each_other(simulate: Simulate) -> None:
    simulate(1, two_halves, tuple(f"home{at}" for at in range(20)))


DAY = 86_400.0


async def two_machines(street: Street) -> None:
    """Gives Ben a machine at home and one at work. Ben uses both for a day and a night."""
    homes = street.homes
    async with trio.open_nursery() as nursery:
        for home in homes.values():
            await nursery.start(home.live)
        await street.settle()
        work = street.newcomer("ben-at-work", homes["ada"], homes["ben"])
        await nursery.start(work.live)
        await street.settle()
        street.network.loss = 0.3
        async with trio.open_nursery() as story:
            for home in (homes["ben"], work):
                story.start_soon(posts_all_day, home)
            story.start_soon(cut_now_and_then, street)
        await street.settle()
        check(street)
        assert len(homes["ben"].posted) > 50
        assert len(work.posted) > 50
        state = homes["ada"].author.state if homes["ada"].author else None
        assert state is not None
        views = [state.views.find(one) for one in homes["ben"].posted + work.posted]
        assert {one and one.author for one in views} == {homes["ben"].identity.person}
        nursery.cancel_scope.cancel()


async def posts_all_day(home: Home) -> None:
    """Posts all day, often in the same second as the other machine of the same person."""
    begun = trio.current_time()
    while trio.current_time() < begun + DAY:
        await trio.sleep(600 * home.random.randint(1, 3))
        home.must_post("offer", {"title": f"{len(home.posted)} of {home.name}"})


async def cut_now_and_then(street: Street) -> None:
    for _ in range(3):
        await trio.sleep(DAY / 8)
        street.network.partition([["ben"], ["ben-at-work", "ada"]])
        await trio.sleep(DAY / 8)
        street.network.end_partition()


@pytest.mark.long
def test_two_machines_of_one_person_post_for_a_day(simulate: Simulate) -> None:
    simulate(5, two_machines, NAMES[:2])


async def a_copied_disk_on_another_machine(street: Street) -> None:
    """Starts a copy of Ben's disk on another machine. The copy reads, but signs nothing and says
    why.
    """
    homes = street.homes
    async with trio.open_nursery() as nursery:
        for home in homes.values():
            await nursery.start(home.live)
        await street.settle()
        clone = street.clone(homes["ben"], "ben-copy")
        clone.elsewhere = True
        await nursery.start(clone.live)
        for at in range(20):
            homes["ben"].must_post("offer", {"title": f"number {at}"})
            assert clone.post("offer", {"title": "from the copy"}) is None
            await trio.sleep(30)
        await street.settle()
        check(street)  # no log is forked
        assert {str(one.rule) for one in clone.refused} == {"R-03.32"}
        assert "copied or moved here from another machine" in clone.refused[0].reason
        assert set(homes["ben"].posted) <= set(store_of(clone).records.ids())
        nursery.cancel_scope.cancel()


def test_a_copied_disk_that_starts_does_not_fork(simulate: Simulate) -> None:
    simulate(6, a_copied_disk_on_another_machine, NAMES[:3])
