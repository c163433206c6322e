from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.pubsub.pb import rpc_pb2
from libp2p.utils.varint import encode_varint_prefixed

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p import gossipsub as pubsub
from meshcoop.network.libp2p.gossipsub import message_id
from tests.support.libp2p_nodes import alive, call, meshed, node, stranger, until

MESHSUB = "/meshsub/1.1.0"
TOPIC = "street/1"


def anything(_data: bytes) -> bool:
    return True


async def gossip_as(them, ours, *messages):
    """Sends `messages` to a node as a hostile member would, each in a frame of its own."""
    ours.share_topic(TOPIC, {them.get_id().to_base58()})
    stream = await call(them, ours, MESHSUB)
    for message in messages:
        frame = rpc_pb2.RPC(publish=[message]).SerializeToString()
        await stream.write(encode_varint_prefixed(frame))
    return stream


async def test_a_burst_arrives_whole(monkeypatch):
    # libp2p's queues hold 32 messages, and its limit against spam lets ten a second pass.
    monkeypatch.setattr(pubsub, "BURST", 1000.0)
    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        await registered.enter_async_context(one.subscribe(TOPIC, anything))
        inbox = await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await meshed(TOPIC, one, two)
        burst = [b"record %d" % number for number in range(300)]
        with trio.fail_after(60):
            for data in burst:
                await one.publish(TOPIC, data)
            assert sorted([await inbox.receive() for _ in burst]) == sorted(burst)
        assert inbox.statistics().current_buffer_used == 0  # each message arrived once


async def test_a_burst_survives_a_slow_reader_and_an_unpaced_sender(monkeypatch):
    monkeypatch.setattr(pubsub, "PACE", 0)
    monkeypatch.setattr(pubsub, "BURST", 1000.0)
    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        await registered.enter_async_context(one.subscribe(TOPIC, anything))
        inbox = await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await meshed(TOPIC, one, two)
        for number in range(300):
            await one.publish(TOPIC, b"record %d" % number)
        await until(lambda: inbox.statistics().current_buffer_used == 300)


async def test_one_peer_is_heard_so_much_and_others_all_the_same(monkeypatch):
    monkeypatch.setattr(pubsub, "PACE", 0)
    monkeypatch.setattr(pubsub, "BURST", 20.0)
    monkeypatch.setattr(pubsub, "RATE", 0.0)
    async with node(1) as loud, node(2) as two, node(3) as quiet, AsyncExitStack() as registered:
        for each in (loud, quiet):
            await registered.enter_async_context(each.subscribe(TOPIC, anything))
            await each.connect(two.addresses[0])
        inbox = await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await meshed(TOPIC, loud, quiet, two)
        for number in range(100):
            await loud.publish(TOPIC, b"noise %d" % number)
        await quiet.publish(TOPIC, b"a word")
        with trio.fail_after(60):
            heard = [await inbox.receive() for _ in range(21)]
        assert b"a word" in heard
        await trio.sleep(0.3)  # by now the rest has come, and the node ignores it
        assert inbox.statistics().current_buffer_used == 0


async def test_publishes_are_paced():
    async with node(1) as one:
        start = trio.current_time()
        for number in range(11):
            await one.publish(TOPIC, b"%d" % number)
        assert trio.current_time() - start >= 10 * pubsub.PACE


async def test_gossip_crosses_two_hops():
    async with node(1) as one, node(2) as two, node(3) as three, AsyncExitStack() as registered:
        for each in (one, two):
            await registered.enter_async_context(each.subscribe(TOPIC, anything))
        inbox = await registered.enter_async_context(three.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await three.connect(two.addresses[0])
        await meshed(TOPIC, one, two, three)
        await until(lambda: len(two.pubsub.gossip.mesh[TOPIC]) == 2)
        await one.publish(TOPIC, b"news")
        with trio.fail_after(60):
            assert await inbox.receive() == b"news"


async def test_what_the_validator_refuses_is_neither_delivered_nor_forwarded():
    def honest(data: bytes) -> bool:
        return data != b"lie"

    async with node(1) as one, node(2) as two, node(3) as three, AsyncExitStack() as registered:
        await registered.enter_async_context(one.subscribe(TOPIC, anything))
        middle = await registered.enter_async_context(two.subscribe(TOPIC, honest))
        far = await registered.enter_async_context(three.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await three.connect(two.addresses[0])
        await meshed(TOPIC, one, two, three)
        await until(lambda: len(two.pubsub.gossip.mesh[TOPIC]) == 2)
        await one.publish(TOPIC, b"lie")
        await one.publish(TOPIC, b"truth")
        with trio.fail_after(60):
            assert await middle.receive() == b"truth"
            assert await far.receive() == b"truth"


async def test_a_validator_that_raises_refuses_its_message_only(tmp_path):
    def faulty(data: bytes) -> bool:
        if data == b"poison":
            raise ValueError("a fault of ours")
        return True

    log_file = tmp_path / "net.log"
    async with node(1, log_file=log_file) as one, node(2) as two, AsyncExitStack() as registered:
        inbox = await registered.enter_async_context(one.subscribe(TOPIC, faulty))
        await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await two.connect(one.addresses[0])
        await meshed(TOPIC, one, two)
        await two.publish(TOPIC, b"poison")
        await two.publish(TOPIC, b"news")
        with trio.fail_after(60):
            assert await inbox.receive() == b"news"
        await alive(one)
    assert "ValueError: a fault of ours" in log_file.read_text()


async def test_a_copy_with_another_origin_does_not_censor():
    # libp2p marks a message as seen, and then drops it if it claims to come from the receiver.
    async with (
        node(1) as ours,
        node(2) as honest,
        stranger() as them,
        AsyncExitStack() as registered,
    ):
        inbox = await registered.enter_async_context(ours.subscribe(TOPIC, anything))
        await registered.enter_async_context(honest.subscribe(TOPIC, anything))
        await honest.connect(ours.addresses[0])
        await meshed(TOPIC, ours, honest)
        mine = ours.host.get_id().to_bytes()
        copy = rpc_pb2.Message(data=b"news", topicIDs=[TOPIC], from_id=mine, seqno=b"1")
        marker = rpc_pb2.Message(data=b"marker", topicIDs=[TOPIC], from_id=b"?", seqno=b"1")
        await gossip_as(them, ours, copy, marker)
        with trio.fail_after(60):
            assert {await inbox.receive(), await inbox.receive()} == {b"news", b"marker"}


async def test_one_origin_and_number_with_other_contents_are_other_messages():
    # If messages have the same origin and the same number, libp2p calls this equivocation. It
    # refuses all of them but the first, and keeps every message for ever.
    async with node(1) as ours, stranger() as them, AsyncExitStack() as registered:
        inbox = await registered.enter_async_context(ours.subscribe(TOPIC, anything))
        await gossip_as(
            them,
            ours,
            *(
                rpc_pb2.Message(data=b"%d" % number, topicIDs=[TOPIC], from_id=b"x", seqno=b"1")
                for number in range(20)
            ),
        )
        with trio.fail_after(60):
            assert {await inbox.receive() for _ in range(20)} == {b"%d" % n for n in range(20)}
        gossip = ours.pubsub.gossip
        await until(lambda: not gossip.recent_message_deliveries)
        assert not gossip.equivocation_detection


@asynccontextmanager
async def recorder():
    """Runs a stranger that keeps what nodes send over gossip. Yields the stranger and the frames."""
    heard = []

    async def listen(stream):
        with suppress(Exception):  # libp2p ends a stream by raising
            while data := await stream.read(65536):
                heard.append(data)

    async with stranger() as them:
        them.set_stream_handler(TProtocol(MESHSUB), listen)
        yield them, heard


async def test_a_stranger_is_told_no_topic_gets_no_frame_and_is_not_heard():
    async with (
        node(1) as one,
        node(2) as two,
        recorder() as (them, heard),
        AsyncExitStack() as registered,
    ):
        inbox = await registered.enter_async_context(one.subscribe(TOPIC, anything))
        theirs = await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await meshed(TOPIC, one, two)
        mine = rpc_pb2.Message(data=b"old news", topicIDs=[TOPIC])
        await one.publish(TOPIC, mine.data)
        with trio.fail_after(60):
            assert await theirs.receive() == mine.data
        stream = await call(them, one, MESHSUB)
        wanted = rpc_pb2.ControlIWant(messageIDs=[message_id(mine)])
        known = rpc_pb2.ControlIHave(topicID=TOPIC, messageIDs=[bytes(32)])
        graft = rpc_pb2.ControlGraft(topicID=TOPIC)
        rpc = rpc_pb2.RPC(
            subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid=TOPIC)],
            publish=[rpc_pb2.Message(data=b"a stranger's", topicIDs=[TOPIC])],
            control=rpc_pb2.ControlMessage(graft=[graft], iwant=[wanted], ihave=[known]),
        )
        for frame in (rpc, rpc_pb2.RPC(control=rpc.control)):
            await stream.write(encode_varint_prefixed(frame.SerializeToString()))
        await one.publish(TOPIC, b"news")
        with trio.fail_after(60):
            assert await theirs.receive() == b"news"
        await until(lambda: heard)
        await trio.sleep(2.5 * pubsub.HEARTBEAT)
        assert b"".join(heard) == b"\0"  # one empty frame
        assert inbox.statistics().current_buffer_used == 0
        assert them.get_id() not in one.pubsub.gossip.mesh[TOPIC]


async def test_who_is_left_out_of_a_topic_hears_of_it_no_more():
    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        mine = await registered.enter_async_context(one.subscribe(TOPIC, anything))
        inbox = await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await meshed(TOPIC, one, two)
        one.share_topic(TOPIC, set())
        await one.publish(TOPIC, b"secret")
        await two.publish(TOPIC, b"noise")
        await until(lambda: not two.pubsub.gossip.mesh[TOPIC])
        await alive(one)
        assert inbox.statistics().current_buffer_used == 0
        assert mine.statistics().current_buffer_used == 0


async def test_a_message_of_one_topic_is_not_handed_to_who_shares_another():
    async with (
        node(1) as one,
        recorder() as (them, heard),
        AsyncExitStack() as registered,
    ):
        for topic in (TOPIC, "street/2"):
            await registered.enter_async_context(one.subscribe(topic, anything))
        await one.publish(TOPIC, b"news")
        stream = await call(them, one, MESHSUB)
        one.share_topic("street/2", {them.get_id().to_base58()})
        name = message_id(rpc_pb2.Message(data=b"news", topicIDs=[TOPIC]))
        control = rpc_pb2.ControlMessage(iwant=[rpc_pb2.ControlIWant(messageIDs=[name])])
        rpc = rpc_pb2.RPC(control=control)
        await stream.write(encode_varint_prefixed(rpc.SerializeToString()))
        await until(lambda: any(b"street/2" in frame for frame in heard))
        await trio.sleep(0.5)
        assert not any(b"news" in frame or TOPIC.encode() in frame for frame in heard)


async def test_a_message_arrives_once_and_never_at_its_own_node():
    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        mine = await registered.enter_async_context(one.subscribe(TOPIC, anything))
        theirs = await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await meshed(TOPIC, one, two)
        await one.publish(TOPIC, b"news")
        await one.publish(TOPIC, b"news")
        await two.publish(TOPIC, b"end")
        with trio.fail_after(60):
            assert await theirs.receive() == b"news"
            assert await mine.receive() == b"end"
        for inbox in (mine, theirs):
            assert inbox.statistics().current_buffer_used == 0


async def test_a_full_subscriber_loses_messages_and_nothing_else(monkeypatch):
    monkeypatch.setattr(pubsub, "QUEUE_SIZE", 64)
    async with node(1) as ours, stranger() as them, AsyncExitStack() as registered:
        inbox = await registered.enter_async_context(ours.subscribe(TOPIC, anything))
        messages = [rpc_pb2.Message(data=b"%d" % n, topicIDs=[TOPIC]) for n in range(100)]
        await gossip_as(them, ours, *messages)
        await until(lambda: inbox.statistics().current_buffer_used == 64)
        inbox.close()
        await gossip_as(them, ours, rpc_pb2.Message(data=b"more", topicIDs=[TOPIC]))
        await alive(ours)


async def test_too_large_a_message_and_a_second_subscription_are_refused():
    async with node(1) as one, AsyncExitStack() as registered:
        await registered.enter_async_context(one.subscribe(TOPIC, anything))
        with pytest.raises(NetworkError):
            await registered.enter_async_context(one.subscribe(TOPIC, anything))
        with pytest.raises(NetworkError):
            await one.publish(TOPIC, bytes(pubsub.MESSAGE_BYTES + 1))


async def test_the_largest_message_arrives():
    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        await registered.enter_async_context(one.subscribe(TOPIC, anything))
        inbox = await registered.enter_async_context(two.subscribe(TOPIC, anything))
        await one.connect(two.addresses[0])
        await meshed(TOPIC, one, two)
        await one.publish(TOPIC, bytes(pubsub.MESSAGE_BYTES))
        with trio.fail_after(60):
            assert len(await inbox.receive()) == pubsub.MESSAGE_BYTES


async def test_the_settings_are_ours():
    async with node(1) as one:
        gossip = one.pubsub.gossip
        assert gossip.heartbeat_interval == 1
        assert gossip.get_protocols() == [MESHSUB]
        assert not gossip.adaptive_gossip_enabled
        assert not gossip.eclipse_protection_enabled
        assert not gossip.spam_protection_enabled
        assert not one.pubsub.strict_signing


def test_a_message_id_covers_topic_and_data():
    def name(data, *topics):
        return message_id(rpc_pb2.Message(data=data, topicIDs=topics, from_id=b"x", seqno=b"y"))

    assert name(b"data", "topic") == name(b"data", "topic")
    assert len(name(b"data", "topic")) == 32
    others = {name(b"adata", "topi"), name(b"data", "topic2"), name(b"data2", "topic")}
    assert len(others | {name(b"data", "topic")}) == 4
    fields = rpc_pb2.Message(data=b"data", topicIDs=["topic"], from_id=b"z", signature=b"s")
    assert message_id(fields) == name(b"data", "topic")
