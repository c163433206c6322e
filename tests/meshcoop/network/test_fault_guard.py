"""Strangers and faulty handlers must not bring down a node. Without guards, each test would end the
node.
"""

import random
from contextlib import AsyncExitStack, suppress

import pytest
import trio
from libp2p.host.exceptions import StreamFailure
from libp2p.network.stream.exceptions import StreamError
from libp2p.pubsub.pb import rpc_pb2
from libp2p.relay.circuit_v2.pb.circuit_pb2 import PeerId, Status, StopMessage
from libp2p.utils.varint import encode_varint_prefixed

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p import fault_guard as guard
from meshcoop.network.libp2p.circuit_client import HOP, STOP
from meshcoop.network.libp2p.fault_guard import contain_faults
from meshcoop.network.libp2p.protobuf_stream import receive_message, send_message
from tests.support.libp2p_nodes import alive, call, node, stranger, until

MESHSUB = "/meshsub/1.1.0"
SERVED = ["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", MESHSUB, "/own/1"]


async def test_a_handler_that_raises_costs_its_stream_only(tmp_path):
    async def faulty(stream):
        await stream.read()
        raise ValueError("a fault of ours")

    log_file = tmp_path / "net.log"
    async with (
        node(1, log_file=log_file) as ours,
        node(2) as theirs,
        AsyncExitStack() as registered,
    ):
        registered.enter_context(ours.serve("/faulty/1", faulty))
        await theirs.connect(ours.addresses[0])
        stream = await theirs.open_stream(ours.peer_id, "/faulty/1")
        await stream.write(b"go")
        with trio.fail_after(60), pytest.raises(NetworkError):
            await stream.read()
        await alive(ours)
    text = log_file.read_text()
    assert "ValueError: a fault of ours" in text
    assert "Traceback" in text


async def test_a_handler_whose_nursery_fails_costs_its_stream_only():
    async def faulty(stream):
        await stream.read()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise ValueError("a fault of ours")

    async with node(1) as ours, node(2) as theirs, AsyncExitStack() as registered:
        registered.enter_context(ours.serve("/faulty/1", faulty))
        await theirs.connect(ours.addresses[0])
        stream = await theirs.open_stream(ours.peer_id, "/faulty/1")
        await stream.write(b"go")
        with trio.fail_after(60), pytest.raises(NetworkError):
            await stream.read()
        await alive(ours)


async def test_a_malformed_gossip_frame_costs_its_stream_only():
    frame = encode_varint_prefixed(b"\xff" * 50)
    assert len(frame) == 51
    async with node(1) as ours, stranger() as them:
        stream = await call(them, ours, MESHSUB)
        await stream.write(frame)
        await alive(ours)


async def test_a_garbage_key_in_gossip_costs_nothing():
    async with node(1) as ours, stranger() as them, AsyncExitStack() as registered:
        inbox = await registered.enter_async_context(ours.subscribe("street", lambda _: True))
        ours.share_topic("street", {them.get_id().to_base58()})
        stream = await call(them, ours, MESHSUB)
        message = rpc_pb2.Message(
            from_id=b"\x12\x20" + bytes(32),  # an id as for RSA: a hash; the key is sent apart
            seqno=b"\0" * 8,
            data=b"news",
            topicIDs=["street"],
            signature=b"no signature",
            key=b"\xff garbage",
        )
        frame = rpc_pb2.RPC(publish=[message]).SerializeToString()
        await stream.write(encode_varint_prefixed(frame))
        with trio.fail_after(60):
            assert await inbox.receive() == b"news"  # only the data counts
        await alive(ours)


@pytest.mark.parametrize("protocol", SERVED)
async def test_garbage_on_every_protocol(protocol):
    dice = random.Random(protocol)

    async def honest(stream):
        while await stream.read():
            pass

    async with node(1) as ours, stranger() as them, AsyncExitStack() as registered:
        registered.enter_context(ours.serve("/own/1", honest))
        for size in (0, 1, 50, 500, 5000):
            for prefixed in (False, True):
                garbage = dice.randbytes(size)
                stream = await call(them, ours, protocol)
                await stream.write(encode_varint_prefixed(garbage) if prefixed else garbage)
                await (stream.close() if size % 2 else stream.reset())
        for claim in (b"\xff" * 11, b"\xff\xff\xff\xff\x7f", b"\x80" * 9 + b"\x01", b"\x80"):
            stream = await call(them, ours, protocol)
            await stream.write(claim)
            await stream.reset()
        await alive(ours)


async def test_a_home_passes_nobody_on_and_takes_nobody_in_from_who_is_no_relay_of_its():
    async with node(1) as ours, stranger() as them:
        with pytest.raises(StreamFailure):
            await call(them, ours, HOP)
        stream = await call(them, ours, STOP)
        who = PeerId(id=them.get_id().to_bytes())
        await send_message(stream, StopMessage(type=StopMessage.CONNECT, peer=who))
        assert (await receive_message(stream, StopMessage)).status == Status.PERMISSION_DENIED
        for protocol in (STOP, "/libp2p/dcutr"):
            stream = await call(them, ours, protocol)
            await stream.write(b"\xff" * 99)
            with suppress(StreamError):  # the stream is reset or ends
                while await stream.read(1):
                    pass
        await alive(ours)


async def test_hostile_gossip_frames_with_every_field():
    control = rpc_pb2.ControlMessage(
        ihave=[rpc_pb2.ControlIHave(topicID="alive/99", messageIDs=[b"zz", b"", b"00" * 40])],
        iwant=[rpc_pb2.ControlIWant(messageIDs=[b"zz", b"0"])],
        graft=[rpc_pb2.ControlGraft(topicID="x" * 9999)],
        prune=[
            rpc_pb2.ControlPrune(
                topicID="alive/99",
                backoff=2**64 - 1,
                peers=[rpc_pb2.PeerInfo(peerID=b"?", signedPeerRecord=b"?")],
            )
        ],
    )
    frames = [
        rpc_pb2.RPC(control=control, senderRecord=b"garbage"),
        rpc_pb2.RPC(
            subscriptions=[
                rpc_pb2.RPC.SubOpts(subscribe=True, topicid=str(number)) for number in range(9999)
            ]
        ),
        rpc_pb2.RPC(subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid="x" * 99999)]),
        rpc_pb2.RPC(publish=[rpc_pb2.Message(data=b"", topicIDs=["alive/99"] * 99)]),
        rpc_pb2.RPC(publish=[rpc_pb2.Message()]),
    ]
    async with node(1) as ours, stranger() as them:
        stream = await call(them, ours, MESHSUB)
        for frame in frames:
            await stream.write(encode_varint_prefixed(frame.SerializeToString()))
        await alive(ours)
        assert len(ours.pubsub.peer_topics) <= 64 + 1
        assert not any(len(topic) > 256 for topic in ours.pubsub.peer_topics)
        # A stranger's topics leave nothing behind. `alive` has left its own topic.
        back_off = ours.pubsub.gossip.back_off
        assert back_off.keys() <= {"alive/99"}
        assert not any(them.get_id() in peers for peers in back_off.values())


async def test_a_peers_streams_are_counted(monkeypatch):
    monkeypatch.setattr(guard, "STREAMS_PER_PEER", 8)
    served = []

    async def patient(stream):
        served.append(stream)
        await stream.read()

    async with node(1) as ours, stranger() as them, AsyncExitStack() as registered:
        registered.enter_context(ours.serve("/patient/1", patient))
        streams, refused = [], 0
        for _ in range(12):
            try:
                streams.append(await call(them, ours, "/patient/1"))
            except Exception:  # noqa: BLE001 -- the stranger's libp2p raises several kinds
                refused += 1
        assert len(served) <= 8
        assert refused >= 4
        for stream in streams:
            await stream.reset()
        await until(lambda: not any(ours.swarm.common_stream_handler._open.values()))
        await alive(ours)


async def test_a_failing_service_task_is_logged_and_a_loop_runs_again(monkeypatch):
    monkeypatch.setattr(guard, "RESTART_AFTER", 0.01)
    beats = []

    async def heartbeat():
        beats.append(len(beats))
        if len(beats) < 3:
            raise ValueError("a fault of libp2p's")
        await trio.sleep_forever()

    async def once():
        raise ValueError("a fault of libp2p's")

    async with node(1) as ours:
        ours.pubsub.manager.run_daemon_task(heartbeat)
        ours.pubsub.manager.run_task(once)
        ours.swarm.manager.run_task(once)
        ours.pubsub.gossip.manager.run_task(once)
        await until(lambda: len(beats) == 3)
        await alive(ours)


async def test_cancellation_passes_a_guard_together_with_a_fault():
    async def both():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("while being cancelled")

    with trio.move_on_after(0.05) as scope:
        await contain_faults("both", both)
        await trio.sleep_forever()
    assert scope.cancelled_caught
