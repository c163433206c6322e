"""Circuits, the connections through a relay, over real sockets. They are limited, and the relay
reads nothing.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
import trio
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId, Status

from meshcoop.network.interface import Network, NetworkError, RelayService
from meshcoop.network.libp2p import circuit_relay as carrier
from meshcoop.network.libp2p.circuit_client import HOP
from meshcoop.network.libp2p.circuit_relay import CircuitLimits
from meshcoop.network.libp2p.protobuf_stream import receive_message, send_message
from tests.support.libp2p_nodes import call, meshed, node, stranger, until

ECHO = "/test/echo/1"


async def echo(stream):
    while data := await stream.read():
        await stream.write(data)


def through(relay, home):
    return f"{relay.addresses[0]}/p2p-circuit/p2p/{home.peer_id}"


async def said(network: Network, peer: str, words: bytes) -> bytes:
    stream = await network.open_stream(peer, ECHO)
    await stream.write(words)
    heard = b""
    while len(heard) < len(words):
        heard += await stream.read()
    await stream.close()
    return heard


async def reserved(
    registered: AsyncExitStack,
    relay: Network,
    home: Network,
    allowed: Callable[[str], bool] | None = None,
) -> RelayService:
    registered.enter_context(home.serve(ECHO, echo))
    carrying = registered.enter_context(relay.serve_relay(allowed or (lambda peer: True)))
    await home.connect(relay.addresses[0])
    await home.reserve(relay.peer_id)
    return carrying


async def test_two_homes_talk_through_a_relay_which_sees_both_and_reads_neither():
    words = b"the green door" * 20_000
    async with node(1) as relay, node(2) as ada, node(3) as ben, AsyncExitStack() as registered:
        carrying = await reserved(registered, relay, ada)
        assert await ben.connect(through(relay, ada)) == ada.peer_id
        assert "/p2p-circuit/" in ben.peers()[ada.peer_id]
        await until(lambda: ben.peer_id in ada.peers())
        assert "/p2p-circuit/" in ada.peers()[ben.peer_id]
        assert await said(ben, ada.peer_id, words) == words
        registered.enter_context(ben.serve(ECHO, echo))
        assert await said(ada, ben.peer_id, words) == words
        assert carrying.bytes_relayed > 4 * len(words)
        assert (carrying.reservation_count, carrying.circuit_count) == (1, 1)
        await ben.drop(ada.peer_id)
        await until(lambda: carrying.circuit_count == 0)
        await until(lambda: ben.peer_id not in ada.peers())


async def test_one_circuit_of_a_home_ends_and_its_others_go_on():
    # libp2p's own relay ends the latest circuit of a peer when any circuit of the peer closes.
    async with (
        node(1) as relay,
        node(2) as ada,
        node(3) as ben,
        node(4) as cem,
        AsyncExitStack() as registered,
    ):
        await reserved(registered, relay, ada)
        await ben.connect(through(relay, ada))
        await cem.connect(through(relay, ada))
        await ben.drop(ada.peer_id)
        await until(lambda: ben.peer_id not in ada.peers())
        assert await said(cem, ada.peer_id, b"still here") == b"still here"


async def test_who_has_no_reservation_is_not_reached():
    async with node(1) as relay, node(2) as ada, node(3) as ben, AsyncExitStack() as registered:
        registered.enter_context(relay.serve_relay(lambda peer: False))
        await ada.connect(relay.addresses[0])
        with pytest.raises(NetworkError, match="permission denied"):
            await ada.reserve(relay.peer_id)
        with pytest.raises(NetworkError, match="no reservation"):
            await ben.connect(through(relay, ada))
        await ada.connect(ben.addresses[0])
        with pytest.raises(NetworkError, match="not a relay"):
            await ada.reserve(ben.peer_id)
        with pytest.raises(NetworkError, match="to itself"):
            await ada.connect(through(relay, ada))


async def test_a_reservation_ends_with_its_connection():
    async with node(1) as relay, node(2) as ada, node(3) as ben, AsyncExitStack() as registered:
        carrying = await reserved(registered, relay, ada)
        await ada.drop(relay.peer_id)
        await until(lambda: carrying.reservation_count == 0)
        with pytest.raises(NetworkError, match="no reservation"):
            await ben.connect(through(relay, ada))


async def test_a_relay_that_goes_takes_its_circuits_along():
    async with node(2) as ada, node(3) as ben:
        async with node(1) as relay, AsyncExitStack() as registered:
            await reserved(registered, relay, ada)
            await ben.connect(through(relay, ada))
            assert await said(ben, ada.peer_id, b"hello") == b"hello"
        await until(lambda: not ben.peers())
        await until(lambda: not ada.peers())


async def test_a_relay_cannot_pass_itself_off_as_somebody_else():
    async with (
        node(1) as relay,
        node(2) as ada,
        node(3) as ben,
        node(4) as eve,
        AsyncExitStack() as registered,
    ):
        carry = await reserved(registered, relay, eve)
        # The relay connects the caller to Eve, and claims that Eve is Ada.
        target = relay.host.new_stream
        carry._reserved[ada.host.get_id()] = float("inf")
        carry._drop_expired = lambda: None

        async def misled(peer, protocols):
            return await target(eve.host.get_id() if peer == ada.host.get_id() else peer, protocols)

        relay.host.new_stream = misled
        with pytest.raises(NetworkError):
            await ben.connect(through(relay, ada))
        assert ada.peer_id not in ben.peers()


async def test_strangers_get_few_small_circuits(monkeypatch):
    monkeypatch.setattr(carrier, "STRANGER_LIMITS", CircuitLimits(100_000, 60))
    async with (
        node(1) as relay,
        node(2) as ada,
        node(3) as ben,
        node(4) as eve,
        AsyncExitStack() as registered,
    ):
        known = {ada.peer_id}
        carrying = await reserved(registered, relay, ada, lambda peer: peer in known)
        await eve.connect(through(relay, ada))
        assert await said(eve, ada.peer_id, b"hello") == b"hello"
        with pytest.raises(NetworkError):
            await said(eve, ada.peer_id, b"x" * 200_000)
        await until(lambda: carrying.circuit_count == 0)
        known.add(ben.peer_id)
        await ben.connect(through(relay, ada))
        assert len(await said(ben, ada.peer_id, b"x" * 200_000)) == 200_000


async def test_one_peer_has_so_many_circuits_and_no_more(monkeypatch):
    monkeypatch.setattr(carrier, "MAX_CIRCUITS_PER_STRANGER", 2)
    async with node(1) as relay, node(2) as ada, stranger() as eve, AsyncExitStack() as registered:
        await reserved(registered, relay, ada, lambda peer: peer == ada.peer_id)
        wish = HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=ada.host.get_id().to_bytes()))
        answers = []
        for _ in range(4):
            stream = await call(eve, relay, HOP)
            await send_message(stream, wish)
            answers.append((await receive_message(stream, HopMessage)).status)
        assert answers == [Status.OK] * 2 + [Status.RESOURCE_LIMIT_EXCEEDED] * 2


async def test_a_circuit_ends_when_its_time_is_up(monkeypatch):
    monkeypatch.setattr(carrier, "MEMBER_LIMITS", CircuitLimits(10**9, 0.5))
    async with node(1) as relay, node(2) as ada, node(3) as ben, AsyncExitStack() as registered:
        carrying = await reserved(registered, relay, ada)
        await ben.connect(through(relay, ada))
        await until(lambda: carrying.circuit_count == 0)
        await until(lambda: ada.peer_id not in ben.peers())


async def test_garbage_to_a_relay_costs_a_stream():
    async with node(1) as relay, node(2) as ada, stranger() as eve, AsyncExitStack() as registered:
        await reserved(registered, relay, ada, lambda peer: peer == ada.peer_id)
        for garbage in (b"", b"\xff" * 12, b"\x04\xff\xff\xff\xff", b"\xff\xff\xff\xff\x7f"):
            stream = await call(eve, relay, HOP)
            await stream.write(garbage)
            await stream.close()
        for strange in (HopMessage(), HopMessage(type=HopMessage.CONNECT)):
            stream = await call(eve, relay, HOP)
            await send_message(stream, strange)
            with trio.move_on_after(5):
                assert (await receive_message(stream, HopMessage)).status != Status.OK
        stream = await call(eve, relay, HOP)
        await send_message(stream, HopMessage(type=HopMessage.RESERVE))
        assert (await receive_message(stream, HopMessage)).status == Status.PERMISSION_DENIED
        assert await ada.reserve(relay.peer_id) > 0


async def test_gossip_runs_over_a_circuit():
    async with node(1) as relay, node(2) as ada, node(3) as ben, AsyncExitStack() as registered:
        await reserved(registered, relay, ada)
        await ben.connect(through(relay, ada))
        heard = await registered.enter_async_context(ada.subscribe("topic", lambda data: True))
        await registered.enter_async_context(ben.subscribe("topic", lambda data: True))
        await meshed("topic", ada, ben)
        await ben.publish("topic", b"a word")
        with trio.fail_after(60):
            assert await heard.receive() == b"a word"


async def test_a_hole_needs_to_be_known_from_where_one_is_seen():
    # On one machine there is no NAT. The relay sees a home's own address, which is on loopback,
    # and no peer may name such an address. The lab of test_nat.py has real NATs.
    async with node(1) as relay, node(2) as ada, node(3) as ben, AsyncExitStack() as registered:
        await reserved(registered, relay, ada)
        await ben.connect(through(relay, ada))
        await until(lambda: ben.peer_id in ada.peers())
        with pytest.raises(NetworkError, match="No relay has reported"):
            await ada.upgrade_to_direct(ben.peer_id)
        assert await said(ben, ada.peer_id, b"it stays") == b"it stays"
