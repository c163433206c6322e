"""What tests may expect of the network in memory: it behaves like the network over libp2p."""

from contextlib import AsyncExitStack
from itertools import pairwise
from random import Random

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from meshcoop.network.interface import Network, NetworkError, PeerEvent, Stream
from meshcoop.testing.memory_network import MemoryNetwork

ECHO = "/echo/1"


@pytest.fixture
def clock() -> MockClock:
    return MockClock(autojump_threshold=0)


def network(**weather: float) -> MemoryNetwork:
    return MemoryNetwork(Random(1), **weather)


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


async def exactly(stream: Stream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.read()
    return data


def drained(channel: trio.MemoryReceiveChannel[bytes]) -> list[bytes]:
    found = []
    while channel.statistics().current_buffer_used:
        found.append(channel.receive_nowait())
    return found


async def row(street: MemoryNetwork, *hosts: Network) -> None:
    """Connects each host only with the next host."""
    for one, other in pairwise(hosts):
        await one.connect(other.addresses[0])


async def test_names_have_addresses_that_stay(clock):
    street = network()
    async with street.host("ada") as ada:
        first = ada.addresses
        assert ada.peer_id.startswith("12D3KooW")
        assert len(ada.peer_id) == 52
        assert first == [street.address("ada")] == [f"/ip4/10.0.0.1/tcp/4001/p2p/{ada.peer_id}"]
        with pytest.raises(NetworkError):
            async with street.host("ada"):
                pass
    async with street.host("ada") as ada:
        assert ada.addresses == first


async def test_streams_keep_order_whatever_the_pieces(clock):
    street = network(delay=(0.0, 1.0))
    data = Random(2).randbytes(1_000_000)
    async with street.host("ada") as ada, street.host("ben") as ben, AsyncExitStack() as registered:
        registered.enter_context(ben.serve(ECHO, echo))
        await ada.connect(street.address("ben"))
        stream = await ada.open_stream(ben.peer_id, ECHO)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.write, data)
            assert await exactly(stream, len(data)) == data
        await stream.close()
        with pytest.raises(NetworkError):
            await ada.open_stream(ben.peer_id, "/nobody/answers/1")


async def test_a_writer_waits_for_a_peer_that_does_not_read(clock):
    street = network()

    async def never_reads(stream: Stream) -> None:
        await trio.sleep_forever()

    async with street.host("ada") as ada, street.host("ben") as ben, AsyncExitStack() as registered:
        registered.enter_context(ben.serve(ECHO, never_reads))
        await ada.connect(street.address("ben"))
        stream = await ada.open_stream(ben.peer_id, ECHO)
        with trio.move_on_after(3600) as limit:
            await stream.write(bytes(2**20))
        assert limit.cancelled_caught


async def test_both_sides_hear_of_connections_and_of_their_end(clock):
    street = network()
    async with street.host("ada") as ada, street.host("ben") as ben, AsyncExitStack() as registered:
        registered.enter_context(ben.serve(ECHO, echo))
        await ada.connect(street.address("ben"))
        stream = await ada.open_stream(ben.peer_id, ECHO)
        assert await ada.events.receive() == PeerEvent(
            "connected", ben.peer_id, street.address("ben")
        )
        seen = await ben.events.receive()
        # The host that was dialled sees from where the dial came. Nobody can dial this address.
        assert (seen.change, seen.peer) == ("connected", ada.peer_id)
        assert seen.address == ben.peers()[ada.peer_id] != street.address("ada")
        street.kill_host("ben")
        assert (await ada.events.receive()).change == "disconnected"
        with pytest.raises(NetworkError):
            await stream.read()
        with pytest.raises(NetworkError):
            await ada.connect(street.address("ben"))
        assert ada.peers() == {}


async def test_gossip_floods_over_links_once_and_not_back(clock):
    street = network()
    async with (
        street.host("a") as a,
        street.host("b") as b,
        street.host("c") as c,
        AsyncExitStack() as registered,
    ):
        heard = [
            await registered.enter_async_context(one.subscribe("topic", lambda _: True))
            for one in (a, b, c)
        ]
        share(a, b, c)
        await row(street, a, b, c)
        await c.connect(street.address("a"))
        await a.publish("topic", b"news")
        await trio.sleep(10)
        assert [drained(one) for one in heard] == [[], [b"news"], [b"news"]]


def share(*hosts: Network) -> None:
    """Lets all hosts take part in the topic with each other."""
    peers = {host.peer_id for host in hosts}
    for host in hosts:
        host.share_topic("topic", peers - {host.peer_id})


async def test_a_topic_is_shared_only_with_whom_both_ends_have_let_in(clock):
    street = network()
    async with street.host("a") as a, street.host("b") as b, AsyncExitStack() as registered:
        await registered.enter_async_context(a.subscribe("topic", lambda _: True))
        heard = await registered.enter_async_context(b.subscribe("topic", lambda _: True))
        await a.connect(street.address("b"))
        await a.publish("topic", b"to nobody")
        a.share_topic("topic", {b.peer_id})
        await a.publish("topic", b"to one who has not let it in")
        b.share_topic("topic", {a.peer_id})
        await a.publish("topic", b"to a friend")
        await trio.sleep(10)
        a.share_topic("topic", set())
        await a.publish("topic", b"to nobody any more")
        await trio.sleep(10)
        assert drained(heard) == [b"to a friend"]


@pytest.mark.parametrize("broken", [False, True])
async def test_what_a_validator_refuses_goes_no_further(clock, broken):
    street = network()

    def validator(data: bytes) -> bool:
        if broken and data == b"spam":
            raise ValueError("broken")
        return data != b"spam"

    async with (
        street.host("a") as a,
        street.host("b") as b,
        street.host("c") as c,
        AsyncExitStack() as registered,
    ):
        await registered.enter_async_context(a.subscribe("topic", lambda _: True))
        heard = [
            await registered.enter_async_context(b.subscribe("topic", validator)),
            await registered.enter_async_context(c.subscribe("topic", lambda _: True)),
        ]
        share(a, b, c)
        await row(street, a, b, c)
        await a.publish("topic", b"spam")
        await a.publish("topic", b"news")
        await trio.sleep(10)
        assert [drained(one) for one in heard] == [[b"news"], [b"news"]]


async def test_gossip_is_lost_doubled_and_shuffled_as_asked(clock):
    sent = [bytes([at]) for at in range(100)]
    for weather, least, most in (
        ({"loss": 1.0}, 0, 0),
        ({"loss": 0.5}, 30, 70),
        ({"duplication": 1.0}, 200, 200),
    ):
        street = MemoryNetwork(Random(1), delay=(0.0, 2.0), **weather)
        async with street.host("a") as a, street.host("b") as b, AsyncExitStack() as registered:
            await registered.enter_async_context(a.subscribe("topic", lambda _: True))
            heard = await registered.enter_async_context(b.subscribe("topic", lambda _: True))
            share(a, b)
            await a.connect(street.address("b"))
            for one in sent:
                await a.publish("topic", one)
            await trio.sleep(10)
            came = drained(heard)
        assert least <= len(came) <= most
        assert not came or came != sorted(came)


async def test_a_partition_silences_and_healing_lets_through_what_did_not_break(clock):
    street = network()
    async with street.host("ada") as ada, street.host("ben") as ben, AsyncExitStack() as registered:
        registered.enter_context(ben.serve(ECHO, echo))
        await ada.connect(street.address("ben"))
        stream = await ada.open_stream(ben.peer_id, ECHO)
        street.partition([["ada"], ["ben"]])
        await stream.write(b"still there?")
        with trio.move_on_after(0.01) as limit:
            await stream.read()
        assert limit.cancelled_caught
        street.end_partition()
        assert await exactly(stream, 12) == b"still there?"
        street.partition([["ada"]])
        with pytest.raises(NetworkError):
            await stream.read()
        with pytest.raises(NetworkError):
            await ada.connect(street.address("ben"))
        street.end_partition()
        await ada.connect(street.address("ben"))


async def test_streams_break_at_both_ends_when_asked(clock):
    street = network(breaks=1.0)
    ended = trio.Event()

    async def answer(stream: Stream) -> None:
        try:
            await echo(stream)
        finally:
            ended.set()

    async with street.host("ada") as ada, street.host("ben") as ben, AsyncExitStack() as registered:
        registered.enter_context(ben.serve(ECHO, answer))
        await ada.connect(street.address("ben"))
        stream = await ada.open_stream(ben.peer_id, ECHO)
        await stream.write(b"x")
        with pytest.raises(NetworkError):
            await exactly(stream, 2)
        await ended.wait()


async def test_a_handler_that_fails_costs_its_stream_only(clock):
    street = network()

    async def fails(stream: Stream) -> None:
        raise ValueError("ours")

    async with street.host("ada") as ada, street.host("ben") as ben, AsyncExitStack() as registered:
        registered.enter_context(ben.serve("/fails/1", fails))
        registered.enter_context(ben.serve(ECHO, echo))
        await ada.connect(street.address("ben"))
        stream = await ada.open_stream(ben.peer_id, "/fails/1")
        with pytest.raises(NetworkError):
            await stream.read()
        stream = await ada.open_stream(ben.peer_id, ECHO)
        await stream.write(b"hello")
        assert await exactly(stream, 5) == b"hello"
