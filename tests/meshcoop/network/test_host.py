import socket
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
import trio
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from multiaddr import Multiaddr

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p import host
from meshcoop.network.libp2p.host import open_host
from meshcoop.network.libp2p.identity import peer_id_from_seed
from tests.support.libp2p_nodes import ANYWHERE, node, seed, stranger, until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tasks() -> int:
    """Returns how many Trio tasks run. System tasks count too."""
    count, waiting = 0, [trio.lowlevel.current_root_task()]
    while waiting:
        task = waiting.pop()
        count += 1
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return count


def sockets() -> int:
    links = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the file of this listing is closed by now
            links.append(str(number.readlink()))
    return sum(link.startswith("socket:") for link in links)


async def test_two_nodes_meet():
    async with node(1) as one, node(2) as two:
        assert one.peer_id == peer_id_from_seed(seed(1))
        assert one.addresses[0].startswith("/ip4/127.0.0.1/tcp/")
        assert not one.addresses[0].startswith("/ip4/127.0.0.1/tcp/0/")
        assert await one.connect(two.addresses[0]) == two.peer_id
        assert await one.connect(two.addresses[0]) == two.peer_id  # again: nothing to do
        await until(two.peers)
        assert one.peers() == {two.peer_id: two.addresses[0]}
        (address,) = two.peers().values()
        assert address.endswith(f"/p2p/{one.peer_id}")


async def test_events_tell_of_each_peer_once():
    async with node(1) as one, node(2) as two:
        with trio.fail_after(60):
            for _ in range(3):
                await one.connect(two.addresses[0])
                for events, peer in ((one.events, two), (two.events, one)):
                    event = await events.receive()
                    assert (event.change, event.peer) == ("connected", peer.peer_id)
                    assert event.address.endswith(f"/p2p/{peer.peer_id}")
                await one.drop(two.peer_id)
                for events, peer in ((one.events, two), (two.events, one)):
                    event = await events.receive()
                    assert (event.change, event.peer) == ("disconnected", peer.peer_id)
                assert not one.peers()
        await one.drop(two.peer_id)  # the second call has nothing to do
        await one.drop("nobody")


async def test_what_a_peer_said_of_itself_goes_with_it():
    async with node(1) as one:
        async with node(2) as two:
            peer = ID.from_base58(two.peer_id)
            await one.connect(two.addresses[0])
            await until(lambda: peer in one.host._identified_peers)
            assert peer in one.host.get_peerstore().peer_ids()
        await until(lambda: not one.peers())
        await until(lambda: peer not in one.host.get_peerstore().peer_ids())
        assert one.host.get_id() in one.host.get_peerstore().peer_ids()


async def test_two_connections_are_one_peer():
    async with node(1) as one, node(2) as two:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.connect, two.addresses[0])
            nursery.start_soon(two.connect, one.addresses[0])
        await until(lambda: one.peers() and two.peers())
        await one.drop(two.peer_id)
        with trio.fail_after(60):
            heard = [(await one.events.receive()).change, (await one.events.receive()).change]
        assert heard == ["connected", "disconnected"]
        with pytest.raises(trio.WouldBlock):
            one.events.receive_nowait()


async def test_the_peers_see_a_node_that_closes():
    async with node(1) as one:
        async with node(2) as two:
            await one.connect(two.addresses[0])
            assert (await one.events.receive()).change == "connected"
        with trio.fail_after(60):
            assert (await one.events.receive()).change == "disconnected"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts sockets through /proc")
async def test_closing_leaves_no_task_no_socket_and_no_listener():
    async with node(8):  # the first host opens what the process keeps for good
        pass
    before, open_before = tasks(), sockets()
    address = f"/ip4/127.0.0.1/tcp/{free_port()}"
    for _ in range(3):
        async with (
            node(1, address) as one,
            node(2) as two,
            stranger() as them,
            AsyncExitStack() as registered,
        ):
            registered.enter_context(one.serve("/wait/1", lambda stream: stream.read()))
            await two.connect(one.addresses[0])
            await two.open_stream(one.peer_id, "/wait/1")
            await registered.enter_async_context(one.subscribe("street", lambda _: True))
            await them.connect(PeerInfo(ID.from_base58(one.peer_id), [Multiaddr(address)]))
        await until(lambda: tasks() == before)
        assert sockets() == open_before


async def test_closing_while_cancelled_leaves_nothing():
    before = tasks()
    address = f"/ip4/127.0.0.1/tcp/{free_port()}"
    for _ in range(2):
        with trio.CancelScope() as scope:
            async with node(1, address) as one, node(2) as two:
                await two.connect(one.addresses[0])
                scope.cancel()
                await trio.sleep_forever()
        await until(lambda: tasks() == before)


async def test_what_the_block_raises_comes_out_as_it_is():
    with pytest.raises(ZeroDivisionError):
        async with open_host(seed(1), [ANYWHERE], log=None, mdns=False):
            raise ZeroDivisionError


@pytest.mark.parametrize("number", [0, 1])
async def test_a_taken_port_is_told(number):
    async with node(1) as one:
        taken = one.addresses[0].split("/p2p/")[0]
        listen = [ANYWHERE, taken] if number else [taken]
        with pytest.raises(NetworkError, match=f"Cannot listen on {taken}.*another port"):
            async with open_host(seed(2), listen, log=None, mdns=False):
                pass


@pytest.mark.parametrize(
    "address",
    ["/ip4/192.0.2.1/tcp/4001", "nonsense", "/ip4/127.0.0.1/udp/1/quic-v1", "/dns4/x/tcp/1", ""],
)
async def test_an_address_that_cannot_be_bound_is_told(address):
    with pytest.raises(NetworkError):
        async with open_host(seed(2), [address], log=None, mdns=False):
            pass


async def test_an_address_taken_at_the_last_moment_is_told(monkeypatch):
    monkeypatch.setattr(host, "check_listen", Multiaddr)
    before = tasks()
    with pytest.raises(NetworkError, match="took it just now"):
        async with open_host(seed(2), ["/ip4/192.0.2.1/tcp/4001"], log=None, mdns=False):
            pass
    await until(lambda: tasks() == before)


async def test_connect_says_why_not(monkeypatch):
    monkeypatch.setattr(host, "CONNECT_WITHIN", 0.5)
    silent = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = silent[0].socket.getsockname()[1]
    other = peer_id_from_seed(seed(7))
    async with node(1) as one, node(2) as two:
        where = two.addresses[0].split("/p2p/")[0]
        cases = {
            f"/ip4/127.0.0.1/tcp/{free_port()}/p2p/{other}": "nobody listens",
            f"/ip4/127.0.0.1/tcp/{port}/p2p/{other}": "within 0.5 seconds",
            f"{where}/p2p/{other}": "another node answers",
            one.addresses[0]: "this node itself",
            where: "must name",
            f"{two.addresses[0]}/p2p-circuit/p2p/{other}": "relay",
            f"/ip4/127.0.0.1/tcp/1/p2p/{'x' * 600}": "too long",
            "nonsense": "not an address",
            "/ip4/1.2.3.4/tcp/99999/p2p/x": "not an address",
        }
        for address, sentence in cases.items():
            with trio.fail_after(60), pytest.raises(NetworkError, match=sentence):
                await one.connect(address)
        assert await one.connect(two.addresses[0]) == two.peer_id
    await silent[0].aclose()


async def test_a_failed_dial_does_not_ban_the_peer():
    # libp2p refuses the peer for 60 s after one failed dial.
    address = f"/ip4/127.0.0.1/tcp/{free_port()}"
    dialable = f"{address}/p2p/{peer_id_from_seed(seed(2))}"
    async with node(1) as one:
        with pytest.raises(NetworkError):
            await one.connect(dialable)
        one.swarm._negative_peer_cache.mark_failed(peer_id_from_seed(seed(2)))
        async with node(2, address) as two:
            with trio.fail_after(60):
                assert await one.connect(dialable) == two.peer_id


async def test_only_our_own_code_dials():
    # libp2p's auto-connector dials every address that it knows. So does a stream to a peer that
    # is not connected.
    async with node(1) as one, node(2) as two:
        peer, address = ID.from_base58(two.peer_id), Multiaddr(two.addresses[0])
        one.host.get_peerstore().add_addrs(peer, [address], 3600)
        dialled = []

        async def dial(peer_id):
            dialled.append(peer_id)
            return []

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(one.swarm, "dial_peer", dial)
            await one.swarm.auto_connector.maybe_connect()
        assert not dialled
        assert await one.swarm.dial_peer_replacement(peer) is None
        with pytest.raises(NetworkError):
            await one.open_stream(two.peer_id, "/any/1")
        await trio.testing.wait_all_tasks_blocked(0.3)
        assert not one.peers()
        assert not two.peers()


async def test_open_says_why_not(monkeypatch):
    monkeypatch.setattr(host, "OPEN_WITHIN", 0.5)
    never = trio.Event()

    async with node(1) as one, node(2) as two:
        await one.connect(two.addresses[0])
        with pytest.raises(NetworkError):
            await one.open_stream(two.peer_id, "/unknown/1")
        with pytest.raises(NetworkError):
            await one.open_stream("nobody", "/unknown/1")

        async def stuck(stream):
            await never.wait()

        monkeypatch.setattr(two.swarm, "common_stream_handler", stuck)
        with trio.fail_after(60), pytest.raises(NetworkError, match="did not answer"):
            await one.open_stream(two.peer_id, "/any/1")
        never.set()
