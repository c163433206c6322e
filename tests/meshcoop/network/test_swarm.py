"""Which connections a node admits. The tests look at half-open connections, at places for
strangers, and at the handshake.
"""

import pytest
import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from multiaddr import Multiaddr

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p import liveness as health
from meshcoop.network.libp2p import swarm
from meshcoop.network.libp2p.swarm import ConnectionLimits, HandshakeSlots
from tests.support.libp2p_nodes import ANYWHERE, alive, node, seed, until


def port_of(network) -> int:
    return int(Multiaddr(network.addresses[0]).value_for_protocol("tcp"))


async def test_an_honest_connection_gets_in_past_600_silent_sockets():
    async with node(1) as ours, node(2) as honest:
        silent = [await trio.open_tcp_stream("127.0.0.1", port_of(ours)) for _ in range(600)]
        try:
            with trio.fail_after(60):
                await honest.connect(ours.addresses[0])
            await until(ours.peers)
            assert len(ours.swarm._handshakes._holders) <= swarm.MAX_HANDSHAKES
        finally:
            for each in silent:
                await each.aclose()
        await alive(ours)


async def test_a_handshake_has_a_time_limit(monkeypatch):
    monkeypatch.setattr(swarm, "HANDSHAKE_WITHIN", 0.3)
    async with node(1) as ours:
        silent = await trio.open_tcp_stream("127.0.0.1", port_of(ours))
        with trio.fail_after(60):
            while await silent.receive_some():  # the node speaks first
                pass
        await silent.aclose()
        await until(lambda: not ours.swarm._handshakes._holders)


async def test_handshake_slots_are_taken_from_the_largest_crowd():
    slots = HandshakeSlots(3)
    crowd = [slots.acquire("192.0.2.1") for _ in range(2)]
    alone = slots.acquire("192.0.2.2")
    newcomer = slots.acquire("192.0.2.3")
    assert [scope.cancel_called for scope in (*crowd, alone, newcomer)] == [
        True,
        False,
        False,
        False,
    ]
    slots.release(crowd[0])
    slots.release(newcomer)
    assert not slots.acquire("192.0.2.1").cancel_called
    assert not crowd[1].cancel_called


async def test_an_inbound_place_is_given_back():
    # libp2p keeps the place of a closed connection until the swarm stops. With that, nobody could
    # connect after a while.
    async with node(1, places=ConnectionLimits(128, 4, 4)) as ours, node(2) as guest:
        for _ in range(10):
            with trio.fail_after(60):
                await guest.connect(ours.addresses[0])
                await guest.drop(ours.peer_id)
                await until(lambda: not ours.peers())
        await until(lambda: not ours.swarm._inbound)


async def test_one_address_does_not_take_every_place():
    async with (
        node(1, places=ConnectionLimits(128, 96, 2)) as ours,
        node(2) as two,
        node(3) as three,
        node(4) as four,
    ):
        await two.connect(ours.addresses[0])
        await three.connect(ours.addresses[0])
        await until(lambda: len(ours.peers()) == 2)
        with pytest.raises(NetworkError):
            await four.connect(ours.addresses[0])
        await two.drop(ours.peer_id)
        await until(lambda: not ours.swarm._inbound or ours.swarm._inbound.total() == 1)
        await four.connect(ours.addresses[0])


async def test_connections_are_limited():
    async with (
        node(1, places=ConnectionLimits(2, 2, 2)) as ours,
        node(2) as two,
        node(3) as three,
        node(4) as four,
    ):
        await ours.connect(two.addresses[0])
        await ours.connect(three.addresses[0])
        with pytest.raises(NetworkError):
            await ours.connect(four.addresses[0])
        assert len(ours.peers()) == 2


async def test_plaintext_is_refused():
    # libp2p offers plaintext by default. Over plaintext, a peer can claim any identity.
    pair = create_new_key_pair(seed(5))
    liar = new_host(key_pair=pair, sec_opt={PLAINTEXT_PROTOCOL_ID: InsecureTransport(pair)})
    async with node(1) as ours, liar.run([Multiaddr(ANYWHERE)]):
        with pytest.raises(Exception, match="unable to connect"), trio.fail_after(60):
            await liar.connect(info_from_p2p_addr(Multiaddr(ours.addresses[0])))
        assert not ours.peers()
        with trio.CancelScope(shield=True):
            await liar.close()


class Line:
    """A TCP line between two nodes. A test can make it silent while it stays open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.dead = False

    async def carry(self, near: trio.SocketStream) -> None:
        far = await trio.open_tcp_stream("127.0.0.1", self._port)
        async with near, far, trio.open_nursery() as nursery:
            nursery.start_soon(self._one_way, near, far)
            nursery.start_soon(self._one_way, far, near)

    async def _one_way(self, source, target) -> None:
        try:
            async for data in source:
                if not self.dead:
                    await target.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass


async def test_a_silent_peer_is_noticed_and_a_quiet_one_stays(monkeypatch):
    monkeypatch.setattr(health, "PING_EVERY", 0.3)
    monkeypatch.setattr(health, "PING_WITHIN", 0.5)
    async with trio.open_nursery() as nursery:
        async with node(1) as one, node(2) as two, node(3) as quiet:
            line = Line(port_of(two))
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, line.carry, [listener])
            port = listener.socket.getsockname()[1]
            await one.connect(f"/ip4/127.0.0.1/tcp/{port}/p2p/{two.peer_id}")
            await one.connect(quiet.addresses[0])
            await trio.sleep(1.2)  # time for a few pings
            assert set(one.peers()) == {two.peer_id, quiet.peer_id}
            line.dead = True
            await until(lambda: set(one.peers()) == {quiet.peer_id}, within=5)
            await until(lambda: not two.peers(), within=5)
        nursery.cancel_scope.cancel()
