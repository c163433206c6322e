"""Homes that reach each other only through relays: records reach everybody, though maybe late."""

from random import Random

import pytest
import trio

from meshcoop.home.relay_limits import RelayLimits
from meshcoop.network.doorway import open_door
from protocol.kinds.exchange.exchange import Request
from tests.support.simulated_relays import RelayHome
from tests.support.simulated_street import Home, Simulate, Street, facts, store_of
from tests.support.street_checks import check

HOUR = 3600.0
SHORT_HOUR = 300.0  # an idle hour costs as much of the processor as a busy one
DAYS = 2
WORDS = "the elder asks for a lift"
FOUR = ("ada", "ben", "cem", "dot")


def titles(home: Home) -> list[str]:
    assert home.author is not None
    return sorted(str(view.title) for view in home.author.state.views.of_kind(Request))


async def shift(
    street: Street, nursery: trio.Nursery, home: Home, at: float, seconds: float
) -> None:
    """Starts the home at the second `at`, and stops it `seconds` later. Halfway between start and
    stop, the home posts a request.
    """
    await trio.sleep_until(at)
    await nursery.start(home.live)
    await trio.sleep(seconds / 2)
    home.must_post("request", {"title": f"{home.name} at {at:g} s", "minutes": "30"})
    await trio.sleep(seconds / 2)
    await home.kill()


@pytest.mark.parametrize("hour", [SHORT_HOUR, pytest.param(HOUR, marks=pytest.mark.long)])
def test_homes_that_are_never_up_together(simulate: Simulate, hour: float):
    """One home runs from 20:00 to 21:00, the other from 07:00 to 08:00. The relay always runs. The
    default suite makes the hours shorter.
    """

    async def days(street: Street) -> None:
        ada, ben = street.homes.values()
        relay = RelayHome(street, "relay")
        async with trio.open_nursery() as nursery:
            await nursery.start(relay.live)
            await nursery.start(ada.live)
            await relay.enrolled_by(ada)
            await trio.sleep(30)
            await ada.kill()
            ben.knows = [relay.address]  # a neighbour has told Ben this address
            ada.knows = []
            for day in range(DAYS):
                await shift(street, nursery, ben, 24 * hour * day + 7 * hour, hour)
                await shift(street, nursery, ada, 24 * hour * day + 20 * hour, hour)
            await trio.sleep_until(24 * hour * DAYS + 7 * hour)
            await nursery.start(ben.live)
            await trio.sleep(60)
            there = titles(ben)
            assert len(there) == 2 * DAYS
            assert sum(one.startswith("ada") for one in there) == DAYS
            now = facts(ben)
            await ben.kill()
            await nursery.start(ada.live)
            await trio.sleep(60)
            assert facts(ada) == now
            nursery.cancel_scope.cancel()

    simulate(1, days, ("ada", "ben"))


def test_halves_on_a_relay_each_and_what_a_relay_holds(simulate: Simulate):
    """No home can be dialled. Two homes reach one relay, two reach the other. For a while the
    relays do not reach each other.
    """

    async def halves(street: Street) -> None:
        street.network.put_behind_nat(*FOUR)
        ada, ben, cem, dot = street.homes.values()
        one, two = RelayHome(street, "one"), RelayHome(street, "two")
        async with trio.open_nursery() as nursery:
            for node in (one, two, ada, ben, cem, dot):
                if isinstance(node, Home):
                    node.knows = []
                await nursery.start(node.live)
            await one.enrolled_by(ada)
            await two.enrolled_by(ada)
            for home in (ben, cem, dot):
                assert home.mesh is not None
                home.mesh.peers.learn([one.address])
            await trio.sleep(60)
            assert street.agreed()
            street.network.partition([["one", "ada", "ben"], ["two", "cem", "dot"]])
            asked = ada.must_post("request", {"title": WORDS, "text": WORDS, "minutes": "30"})
            offered = cem.must_post("request", {"title": f"{WORDS} two", "minutes": "30"})
            await trio.sleep(120)
            assert store_of(ben).records.has(asked.id)
            assert not store_of(cem).records.has(asked.id)
            assert store_of(dot).records.has(offered.id)
            assert not store_of(ada).records.has(offered.id)
            await street.settle()
            check(street)
            ids = set(store_of(ada).records.ids())
            for relay in (one, two):
                assert set(relay.served.store.records.ids()) == ids
                assert not relay.holds(WORDS.encode())
            nursery.cancel_scope.cancel()

    simulate(2, halves, FOUR)


@pytest.mark.parametrize("seed", range(2))
def test_a_lying_relay_costs_time_only(simulate: Simulate, seed: int):
    """One relay holds records back, sends old records again, late and in any order. The other relay
    is honest.
    """

    async def lies(street: Street) -> None:
        street.network.put_behind_nat(*FOUR)
        street.network.delay = (0.01, 1.0)
        homes = list(street.homes.values())
        liar, honest = RelayHome(street, "liar"), RelayHome(street, "honest")
        random = Random(street.seed)
        async with trio.open_nursery() as nursery:
            for node in (liar, honest, *homes):
                if isinstance(node, Home):
                    node.knows = []
                await nursery.start(node.live)
            await liar.enrolled_by(homes[0])
            await honest.enrolled_by(homes[0])
            for home in homes[1:]:
                assert home.mesh is not None
                home.mesh.peers.learn([liar.address, honest.address])
            await trio.sleep(30)
            store = liar.served.store
            truth = store.records.of_log

            def lie(device: bytes, seq: int, limit: int, after: bytes = b""):
                found = truth(device, seq, limit, after)
                if random.random() < 0.4:
                    return []
                if random.random() < 0.5:
                    found = [*truth(device, 1, limit), *found]  # old records again
                random.shuffle(found)
                return found if after == b"" else []

            store.records.of_log = lie  # type: ignore[method-assign]
            for at in range(12):
                homes[at % 4].must_post("request", {"title": f"wish {at}", "minutes": "30"})
                await trio.sleep(5)
            await street.settle()
            check(street)
            assert len(titles(homes[0])) == 12
            nursery.cancel_scope.cancel()

    simulate(seed, lies, FOUR)


def test_what_is_retracted_is_erased_at_the_relay(simulate: Simulate):
    async def erased(street: Street) -> None:
        ada, _ = street.homes.values()
        relay = RelayHome(street, "relay")
        async with trio.open_nursery() as nursery:
            await nursery.start(relay.live)
            await nursery.start(ada.live)
            await relay.enrolled_by(ada)
            one = ada.must_post("request", {"title": "A lift", "minutes": "30"})
            await trio.sleep(30)
            row = relay.served.store.records.find(one.id)
            assert row is not None
            assert row.record.content is not None
            sealed = row.record.content
            assert relay.holds(sealed)
            ada.must_post("retract", {}, one.id)
            await trio.sleep(30)
            row = relay.served.store.records.find(one.id)
            assert row is not None
            assert row.record.content is None
            assert not relay.holds(sealed)
            nursery.cancel_scope.cancel()

    simulate(3, erased, ("ada", "ben"))


def test_a_neighbourhood_over_its_room_loses_old_content_at_the_relay_alone(simulate: Simulate):
    """The relay drops the oldest content, asks nobody for it again, and goes on serving."""

    async def full(street: Street) -> None:
        ada, ben = street.homes.values()
        relay = RelayHome(street, "relay", RelayLimits(room=60_000, days=400))
        async with trio.open_nursery() as nursery:
            await nursery.start(relay.live)
            await nursery.start(ada.live)
            await relay.enrolled_by(ada)
            posted = []
            for at in range(60):
                given = {"title": f"wish {at}", "text": "x" * 900, "minutes": "30"}
                posted.append(ada.must_post("request", given))
                await trio.sleep(1)
            await trio.sleep(30)
            served = relay.served
            assert served.storage.used <= 60_000
            assert all(served.store.records.has(one.id) for one in posted)
            kept = [served.store.records.find(one.id).record.content is not None for one in posted]
            assert not kept[0]
            assert kept[-1]
            assert kept == sorted(kept), "the oldest go first"
            let_go = served.storage.released_count
            assert let_go >= kept.count(False)
            await trio.sleep(200)  # rounds go by
            assert served.storage.released_count == let_go
            # A home that reaches only the relay gets all headers, and the contents that the relay
            # still has.
            await ada.kill()
            ben.knows = [relay.address]
            await nursery.start(ben.live)
            await trio.sleep(60)
            assert all(store_of(ben).records.has(one.id) for one in posted)
            await nursery.start(ada.live)
            await trio.sleep(180)
            assert facts(ada) == facts(ben)
            nursery.cancel_scope.cancel()

    simulate(4, full, ("ada", "ben"))


def test_a_relay_keeps_sealed_content_for_its_days(simulate: Simulate):
    async def old(street: Street) -> None:
        ada, _ = street.homes.values()
        relay = RelayHome(street, "relay", RelayLimits(days=2))
        async with trio.open_nursery() as nursery:
            await nursery.start(relay.live)
            await nursery.start(ada.live)
            await relay.enrolled_by(ada)
            first = ada.must_post("request", {"title": "first", "minutes": "30"})
            await trio.sleep(2000)
            await ada.kill()
            relays = relay.served
            now = relay.now() + 86_400_000
            relays.storage.tidy(now)
            assert relays.store.records.find(first.id).record.content is not None
            relays.storage.tidy(now + 3 * 86_400_000)
            assert relays.store.records.find(first.id).record.content is None
            assert all(
                row.record.content is not None for row in relays.store.records.with_open_audience()
            )
            nursery.cancel_scope.cancel()

    simulate(5, old, ("ada", "ben"))


def test_a_relay_that_serves_no_more_is_ended_by_who_enrolled_it(simulate: Simulate):
    async def left(street: Street) -> None:
        ada, ben = street.homes.values()
        relay = RelayHome(street, "relay")
        async with trio.open_nursery() as nursery:
            for node in (relay, ada, ben):
                await nursery.start(node.live)
            await relay.enrolled_by(ada)
            await trio.sleep(30)
            assert relay.relay is not None
            for home in (ada, ben):
                assert home.author is not None
                assert relay.relay.key in home.author.state.authority.relays
            files = list(relay.path.glob("served/*"))
            assert files
            await relay.relay.leave(street.neighbourhood)
            assert not list(relay.path.glob("served/*"))
            await trio.sleep(60)
            await street.settle()
            for home in (ada, ben):
                assert home.author is not None
                assert not home.author.state.authority.relays
            nursery.cancel_scope.cancel()

    simulate(6, left, ("ada", "ben"))


def test_two_neighbourhoods_at_one_relay_are_kept_apart(simulate: Simulate, tmp_path):
    async def apart(street: Street) -> None:
        other = Street(street.seed, tmp_path, ("eva", "fay"))
        other.network = street.network
        ada, ben = street.homes.values()
        eva, fay = other.homes.values()
        relay = RelayHome(street, "relay")
        for home in (ada, ben, eva, fay):
            home.knows = []
        async with trio.open_nursery() as nursery:
            for node in (relay, ada, ben, eva, fay):
                await nursery.start(node.live)
            await relay.enrolled_by(ada)
            await relay.enrolled_by(eva)
            ben.mesh.peers.learn([relay.address])
            fay.mesh.peers.learn([relay.address])
            await trio.sleep(30)
            ada.must_post("request", {"title": "ours", "minutes": "30"})
            eva.must_post("request", {"title": "theirs", "minutes": "30"})
            await trio.sleep(60)
            assert titles(ben) == ["ours"]
            assert titles(fay) == ["theirs"]
            assert relay.relay is not None
            assert {
                one: set(served.store.records.ids()) for one, served in relay.relay.tenants.items()
            } == {
                street.neighbourhood: set(store_of(ada).records.ids()),
                other.neighbourhood: set(store_of(eva).records.ids()),
            }
            assert set(store_of(ada).records.ids()).isdisjoint(store_of(eva).records.ids())
            nursery.cancel_scope.cancel()

    simulate(7, apart, ("ada", "ben"))


def test_a_stranger_gets_nothing_from_a_relay(simulate: Simulate):
    """A member of another neighbourhood asks the relay for everything. The relay refuses."""

    async def asks(street: Street) -> None:
        ada, _ = street.homes.values()
        relay = RelayHome(street, "relay")
        async with trio.open_nursery() as nursery:
            for node in (relay, ada):
                await nursery.start(node.live)
            await relay.enrolled_by(ada)
            ada.must_post("request", {"title": "ours", "minutes": "30"})
            await trio.sleep(30)
            # The stranger has keys that no chain shows to be a member's.
            stranger = street.newcomer("eve", ada)
            async with street.network.host("eve") as network:
                await network.connect(relay.address)
                peer = relay.address.rpartition("/")[2]
                from protocol.wire import frames
                from protocol.wire import membership_proof as hello
                from protocol.wire import sync_session as sync

                stream = await network.open_stream(peer, sync.PROTOCOL)
                signature = hello.prove_membership(
                    stranger.identity.device_seed, street.neighbourhood, network.peer_id, peer
                )
                place, own_peer = street.neighbourhood, network.peer_id
                beyond = (await open_door(stream, own_peer, place, Random(1).randbytes)).stream
                await beyond.write(
                    sync.SyncSession().send_hello(stranger.identity.device, signature, [])
                )
                heard = b""
                with trio.move_on_after(60):
                    while data := await beyond.read():
                        heard += data
                told = frames.Decoder().feed(heard)
                assert {one[0] for one in told} == {sync.BYE}
                assert told[-1][:2] == [sync.BYE, "R-05.3"]
                await trio.sleep(15)
                assert peer not in network.peers()
            nursery.cancel_scope.cancel()

    simulate(8, asks, ("ada", "ben"))
