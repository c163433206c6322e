"""Gossip over gossipsub 1.1. Messages have one fixed form, memory is bounded, and libp2p signs
nothing.

A message on the wire has only a topic and its data. A peer may add other fields: an origin, a
sequence number, a signature. libp2p judges messages by these fields, so this module removes them
first. Otherwise an attacker could copy an honest message and give the copy a false origin. Then
libp2p would refuse the honest message. An origin with a garbage RSA key even ended the whole gossip
service.
"""

import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import trio
from libp2p.abc import IHost, INetStream
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.pubsub.utils import safe_bytes_from_hex
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from meshcoop.network.interface import NetworkError, Validator
from meshcoop.network.libp2p.fault_guard import contain_faults, guard_tasks

log = logging.getLogger(__name__)

MESSAGE_BYTES = 512 * 1024  # gossipsub silently drops a frame of 1 MiB
TOPIC_CHARS = 256
TOPICS_PER_PEER = 64
# How many messages may wait for one peer, or for the subscriber of one topic. With libp2p's limit
# of 32, only 32 % of a burst of 100 messages arrived. The rest was never sent again.
QUEUE_SIZE = 4096
PACE = 0.010  # seconds between messages, so that a burst does not overflow the peers' queues
HEARTBEAT = 1  # seconds
LEAVE_WITHIN = 1.0  # seconds to tell the peers that this node has left a topic
# The limits for one peer. Gossip is for new records only, because each received copy costs 1.4 ms
# of processor time. A burst comes faster by sync: a hundred records cost as much as one here.
BURST = 100.0  # messages
RATE = 40.0  # messages a second
MAX_TRACKED_PEERS = 4096  # how many peers have their rate remembered

_Peer = TypeVar("_Peer")


class NodePubsub(Pubsub):
    """The gossip service of a node: libp2p's Pubsub with limits and guards."""

    def __init__(self, host: IHost) -> None:
        self.gossip = NodeRouter()
        super().__init__(
            host,
            self.gossip,
            strict_signing=False,
            msg_id_constructor=message_id,
            max_subscriptions_per_peer=TOPICS_PER_PEER,
        )
        self.peer_queues = DeepQueues()
        self._inboxes: dict[str, trio.MemorySendChannel[bytes]] = {}
        self._rate_limits = RateLimits()
        self._shared_with: dict[str, set[ID]] = {}  # topic → peers that may take part
        self._claimed: dict[ID, set[str]] = {}  # peer → topics in which it says it takes part
        self._publishing: set[bytes] = set()  # ids of this node's own messages on their way out
        self._pace = trio.Lock()
        self._next_publish = 0.0  # the time, by Trio's clock, before which no message is sent

    async def run(self) -> None:
        """Runs the service. A fault in one of its tasks does not end the service."""
        guard_tasks(self.manager)
        await super().run()

    @asynccontextmanager
    async def join_topic(
        self, topic: str, validator: Validator
    ) -> AsyncIterator[trio.MemoryReceiveChannel[bytes]]:
        """Subscribes to `topic` for the block of an `async with` statement. The block gets a
        channel with the messages that other nodes publish.

        Raises NetworkError if the topic is subscribed already, or if its name is too long.

        Within two minutes, the same message comes only once. After that, it may come again. So the
        receiver must recognise messages that it has had before.
        """
        if topic in self._inboxes or len(topic) > TOPIC_CHARS:
            raise NetworkError(
                "The topic {topic!r} is taken or too long.", topic=topic[:TOPIC_CHARS]
            )

        def is_valid(_forwarder: ID, message: rpc_pb2.Message) -> bool:
            # libp2p remembers the verdict on a message id for 300 s. So the verdict must not depend
            # on the forwarder. Otherwise an attacker could get an honest message refused by
            # forwarding it first.
            try:
                return len(message.data) <= MESSAGE_BYTES and validator(message.data)
            except Exception:
                # Without this, a validator that raises would end the whole gossip service.
                log.exception("the validator of %s raised: the message is refused", topic)
                return False

        # Synchronous, because with asynchronous validators libp2p delivered 40 messages when 20
        # were sent.
        self.set_topic_validator(topic, is_valid, is_async_validator=False)
        send, receive = trio.open_memory_channel[bytes](QUEUE_SIZE)
        self._inboxes[topic] = send
        self._shared_with[topic] = set()
        try:
            await self.subscribe(topic)
            yield receive
        finally:
            del self._inboxes[topic]
            self.remove_topic_validator(topic)
            with trio.move_on_after(LEAVE_WITHIN) as limit:
                limit.shield = True  # peers are told even if the block was cancelled
                await contain_faults("leaving a topic", partial(self.unsubscribe, topic))
            del self._shared_with[topic]

    def share_topic(self, topic: str, peers: set[ID]) -> None:
        """R-04.5c: shares a topic with exactly these peers. Other peers are not told of the topic,
        get no message of it, and are not in the topic's mesh.

        The mesh is the set of peers to which this node sends the topic's messages directly.
        """
        before = self._shared_with.get(topic)
        if before is None:
            return
        self._shared_with[topic] = peers
        for peer in before - peers:
            self._forget_subscription(peer, topic)
            self.gossip.leave_out(peer, topic)
            self._announce(peer, topic, is_subscribed=False)
        for peer in peers - before:
            self._announce(peer, topic, is_subscribed=True)
            if topic in self._claimed.get(peer, ()):  # the peer was quicker to accept this node
                super().handle_subscription(peer, _subscription(topic, is_subscribed=True))

    def is_shared(self, topic: str, peer: ID) -> bool:
        """Returns whether this node shares a topic with a peer."""
        return peer in self._shared_with.get(topic, ())

    def is_any_topic_shared(self, peer: ID) -> bool:
        """Returns whether this node shares any topic with a peer."""
        return any(peer in peers for peers in self._shared_with.values())

    async def send_message(self, topic: str, data: bytes) -> None:
        """Publishes `data`. Sends at most one message every 10 ms. Raises NetworkError if `data` is
        too large.
        """
        if len(data) > MESSAGE_BYTES:
            raise NetworkError(
                "A message is at most {most} bytes, not {size}.", most=MESSAGE_BYTES, size=len(data)
            )
        async with self._pace:
            await trio.sleep_until(self._next_publish)
            self._next_publish = trio.current_time() + PACE
            await self.push_msg(self.my_id, rpc_pb2.Message(data=data, topicIDs=[topic]))

    def notify_subscriptions(self, publish_message: rpc_pb2.Message) -> None:
        """Hands a validated message to the subscriber of its topic. If the channel is full, drops
        the message.

        This replaces libp2p's channels, which hold 32 messages. No setting makes those channels
        larger.
        """
        if message_id(publish_message) in self._publishing:
            return
        inbox = self._inboxes.get(publish_message.topicIDs[0])
        if inbox is None:
            return
        try:
            inbox.send_nowait(publish_message.data)
        except trio.WouldBlock:
            log.warning("a gossip message is lost: its subscriber is too slow")
        except trio.BrokenResourceError:
            log.debug("a gossip message is lost: its subscriber has left")

    async def push_msg(self, msg_forwarder: ID, msg: rpc_pb2.Message) -> None:
        """Validates, delivers and forwards one message. Raises nothing but a cancellation."""
        if len(msg.topicIDs) != 1:
            return
        canonical = rpc_pb2.Message(data=msg.data, topicIDs=msg.topicIDs)
        own_id = message_id(canonical) if msg_forwarder == self.my_id else None
        if own_id is not None:
            self._publishing.add(own_id)
        try:
            await super().push_msg(msg_forwarder, canonical)
        except Exception:
            log.exception("a gossip message could not be handled")
        finally:
            if own_id is not None:
                self._publishing.discard(own_id)

    async def continuously_read_stream(self, stream: INetStream) -> None:
        """Reads one peer's gossip until its stream ends. Raises nothing but a cancellation.

        This replaces libp2p's loop, which has three faults. A frame that is not protobuf ends the
        host. Each message becomes a task of its own, and nothing limits the number of tasks. Any
        frame may write addresses into the peer store.
        """
        peer = stream.muxed_conn.peer_id
        try:
            while self.manager.is_running:
                limit = self.max_inbound_rpc_size
                frame = await read_varint_prefixed_bytes_limited(stream, limit)
                await self._handle_frame(peer, frame)
        except StreamError as error:  # the stream ended or was reset, or the connection was lost
            log.debug("the gossip stream of %s ends: %r", peer, error)
        except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
            log.warning("the gossip stream of %s is malformed: %r", peer, error)
            await contain_faults("resetting a gossip stream", stream.reset)

    async def _handle_frame(self, peer: ID, frame: bytes) -> None:
        rpc = rpc_pb2.RPC.FromString(frame)
        for message in rpc.publish:
            # The topic is checked first. So messages of topics that are not shared with the peer do
            # not count for its rate limit.
            if self._is_expected(message, peer) and self._rate_limits.allow_message(peer):
                await self.push_msg(peer, message)
                # A frame of 1 MiB holds thousands of messages. Other tasks get their turn here.
                await trio.lowlevel.checkpoint()
        for subscription in rpc.subscriptions[:TOPICS_PER_PEER]:
            if len(subscription.topicid) <= TOPIC_CHARS:
                self.handle_subscription(peer, subscription)
        if rpc.HasField("control") and self.is_any_topic_shared(peer):
            # The router would write the addresses in this field into the peer store.
            rpc.ClearField("senderRecord")
            await self.router.handle_rpc(rpc, peer)

    def get_hello_packet(self) -> rpc_pb2.RPC:
        """Returns the first frame that every peer gets. This frame is empty: it names no topic and
        no address.
        """
        return rpc_pb2.RPC()

    async def message_all_peers(
        self, raw_msg: bytes, announce: rpc_pb2.RPC.SubOpts | None = None
    ) -> None:
        """Tells peers that this node joins or leaves a topic. Tells only peers that share the
        topic. libp2p would tell all peers.
        """
        del raw_msg
        if announce is not None:
            for peer in self._shared_with.get(announce.topicid, ()):
                self._announce(peer, announce.topicid, is_subscribed=announce.subscribe)
        await trio.lowlevel.checkpoint()

    def handle_subscription(self, origin_id: ID, sub_message: rpc_pb2.RPC.SubOpts) -> None:
        """Notes which topics a peer takes part in. The note has an effect only while this node
        shares the topic with the peer.
        """
        topic = sub_message.topicid
        claimed = self._claimed.setdefault(origin_id, set())
        if not sub_message.subscribe:
            claimed.discard(topic)
            self.gossip.leave_out(origin_id, topic)
        elif len(claimed) < TOPICS_PER_PEER:
            claimed.add(topic)
        if self.is_shared(topic, origin_id):
            super().handle_subscription(origin_id, sub_message)

    def _is_expected(self, message: rpc_pb2.Message, peer: ID) -> bool:
        return len(message.topicIDs) == 1 and self.is_shared(message.topicIDs[0], peer)

    async def _handle_new_peer(self, peer_id: ID) -> None:
        await super()._handle_new_peer(peer_id)
        # A topic that was shared before there was a stream to the peer is told now.
        for topic, peers in self._shared_with.items():
            if peer_id in peers:
                self._announce(peer_id, topic, is_subscribed=True)

    def _forget_all_subscriptions(self, peer_id: ID) -> None:
        super()._forget_all_subscriptions(peer_id)
        self._claimed.pop(peer_id, None)

    def _announce(self, peer: ID, topic: str, *, is_subscribed: bool) -> None:
        subscription = _subscription(topic, is_subscribed=is_subscribed)
        self.gossip.send_rpc(peer, rpc_pb2.RPC(subscriptions=[subscription]))


class NodeRouter(GossipSub):
    """libp2p's gossip router, changed so that strangers cannot make its memory grow for ever."""

    def __init__(self) -> None:
        super().__init__(
            protocols=[PROTOCOL_ID_V11],  # 1.2 and 2.0 were slower and lost messages
            degree=6,
            degree_low=4,
            degree_high=10,
            heartbeat_interval=HEARTBEAT,  # libp2p's default is 120 s
            # These three limit a node's own messages to ten a second, and regraft peers at random.
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
            do_px=False,
        )

    async def run(self) -> None:
        """Runs the router. A fault in one of its tasks does not end the router."""
        guard_tasks(self.manager)
        await super().run()

    async def publish(self, msg_forwarder: ID, pubsub_msg: rpc_pb2.Message) -> None:
        """Forwards a validated message to those peers to which this node sends the topic's messages
        directly (the topic's mesh).
        """
        await super().publish(msg_forwarder, pubsub_msg)
        # These counts grow with every message. Only the adaptive mode needs them, and it is off.
        self.recent_message_deliveries.clear()

    def send_rpc(self, peer_id: ID, rpc: rpc_pb2.RPC, priority: bool = False) -> None:
        """Sends a frame to a peer. First removes the record in which libp2p names this node's
        addresses.
        """
        rpc.ClearField("senderRecord")
        super().send_rpc(peer_id, rpc, priority)

    def leave_out(self, peer: ID, topic: str) -> None:
        """Takes a peer out of the mesh of a topic without telling the peer. The mesh is the set of
        peers to which this node sends the topic's messages directly.
        """
        for peers in (self.mesh.get(topic), self.fanout.get(topic)):
            if peers is not None:
                peers.discard(peer)

    async def handle_iwant(self, iwant_msg: rpc_pb2.ControlIWant, sender_peer_id: ID) -> None:
        """R-04.5b: sends a peer the messages that it asks for. Sends only messages of topics that
        are shared with the peer.
        """
        ids = [wanted for wanted in iwant_msg.messageIDs if self._may_have(wanted, sender_peer_id)]
        await super().handle_iwant(rpc_pb2.ControlIWant(messageIDs=ids), sender_peer_id)

    def _may_have(self, message_id_on_wire: bytes, peer: ID) -> bool:
        wanted = safe_bytes_from_hex(message_id_on_wire)
        message = self.mcache.get(wanted) if wanted is not None else None
        if message is None:
            return False
        return all(self._is_shared(topic, peer) for topic in message.topicIDs)

    def _is_shared(self, topic: str, peer: ID) -> bool:
        assert isinstance(self.pubsub, NodePubsub), "the router is attached to the node's pubsub"
        return topic in self.mesh and self.pubsub.is_shared(topic, peer)

    async def handle_graft(self, graft_msg: rpc_pb2.ControlGraft, sender_peer_id: ID) -> None:
        """Lets a peer into the mesh of a topic (the peers that get its messages directly), but only
        if the topic is shared with the peer.

        Other peers get no answer. So they do not learn whether this node takes part in the topic
        (R-04.5a).
        """
        if self._is_shared(graft_msg.topicID, sender_peer_id):
            await super().handle_graft(graft_msg, sender_peer_id)

    async def handle_prune(self, prune_msg: rpc_pb2.ControlPrune, sender_peer_id: ID) -> None:
        """Removes a peer from the mesh of a topic (the peers that get its messages directly), but
        only if the topic is shared with the peer.
        """
        # libp2p itself would remember a back-off for any topic that a stranger makes up. It would
        # also dial the peers that the message names.
        if self._is_shared(prune_msg.topicID, sender_peer_id):
            del prune_msg.peers[:]
            await super().handle_prune(prune_msg, sender_peer_id)

    async def handle_ihave(self, ihave_msg: rpc_pb2.ControlIHave, sender_peer_id: ID) -> None:
        """Asks a peer for messages that this node lacks. Asks only for messages of topics that are
        shared with the peer.
        """
        if self._is_shared(ihave_msg.topicID, sender_peer_id):
            await super().handle_ihave(ihave_msg, sender_peer_id)

    def _check_equivocation(self, msg: rpc_pb2.Message) -> bool:
        # libp2p checks whether two messages have the same origin and sequence number. For that it
        # keeps every message for ever, and if an attacker was first, it punishes the honest sender.
        # Our message ids depend on the content, so this check is not needed.
        del msg
        return True


class DeepQueues(dict[_Peer, RpcQueue]):
    """The queues of frames to send, one queue for each peer. These queues hold more frames than
    libp2p's own.

    libp2p's queues hold 32 frames, and no setting changes that. If a queue is full, libp2p silently
    drops further frames.
    """

    def __setitem__(self, peer: _Peer, queue: RpcQueue) -> None:
        """Stores the queue of `peer`, and raises the queue's limit."""
        queue._queue.max_size = QUEUE_SIZE  # noqa: SLF001 -- there is no setting
        super().__setitem__(peer, queue)


class RateLimits:
    """Limits how many messages each peer may send: `BURST` messages at once, then `RATE` messages
    per second.
    """

    def __init__(self) -> None:
        self._left: dict[ID, tuple[float, float]] = {}  # peer → messages left, and when counted

    def allow_message(self, peer: ID) -> bool:
        """Returns whether one more message of `peer` may be handled now. If the answer is no, sync
        later brings the record in the message.
        """
        now = trio.current_time()
        left, since = self._left.pop(peer, (BURST, now))
        left = min(BURST, left + RATE * (now - since))
        is_allowed = left >= 1
        if is_allowed:
            self._left[peer] = (left - 1, now)
        else:
            self._left[peer] = (left, now)
        # `pop` above moved this peer to the end. So the first peer is the one silent for longest.
        while len(self._left) > MAX_TRACKED_PEERS:
            del self._left[next(iter(self._left))]
        return is_allowed


def _subscription(topic: str, *, is_subscribed: bool) -> rpc_pb2.RPC.SubOpts:
    return rpc_pb2.RPC.SubOpts(subscribe=is_subscribed, topicid=topic)


def message_id(message: rpc_pb2.Message) -> bytes:
    """Returns the id of a message: the SHA-256 of the topic's length, the topic and the whole data.

    The id must depend on the content. Otherwise a forwarder could suppress an honest message: the
    forwarder would first send other content under the same id.
    """
    topic = b"".join(topic_id.encode() for topic_id in message.topicIDs)
    digest = hashlib.sha256(len(topic).to_bytes(4, "big"))
    digest.update(topic)
    digest.update(message.data)
    return digest.digest()
