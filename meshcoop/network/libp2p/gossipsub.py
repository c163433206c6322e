"""Gossip: gossipsub 1.1 with canonical messages and bounded state; libp2p signs nothing.

A message on the wire is a topic and its data, no more. A peer may put other fields into a message
(an origin, a sequence number, a signature). They are removed before any other code sees them,
because libp2p judges messages by them. A copy with a false origin would censor the honest message.
An origin with a garbage RSA key ended the whole service.
"""

import hashlib
import logging
from typing import TypeVar

import trio
from libp2p.abc import IHost, INetStream
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from meshcoop.network.interface import NetworkError, Validator
from meshcoop.network.libp2p.fault_guard import contain_faults, guard_tasks

log = logging.getLogger(__name__)

MESSAGE_BYTES = 512 * 1024  # gossipsub silently drops a frame of 1 MiB
TOPIC_CHARS = 256
TOPICS_PER_PEER = 64
# Messages that may wait for one peer, or for the subscriber of one topic. With libp2p's limit of
# 32, only 32 % of a burst of 100 messages arrived, and the rest was never repaired.
QUEUE_SIZE = 4096
PACE = 0.010  # seconds between publishes, so that a burst does not overrun the peers' queues
HEARTBEAT = 1  # seconds
# The limits for one peer. Gossip is for new records only, because each received copy costs 1.4 ms
# of processor time. A burst comes quicker by sync: a hundred records at the price of one.
BURST = 100.0  # messages
RATE = 40.0  # messages a second
MAX_TRACKED_PEERS = 4096  # peers whose rate is remembered

_Peer = TypeVar("_Peer")


class NodePubsub(Pubsub):
    """The node's gossip service."""

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
        self._publishing: set[bytes] = set()  # ids of own messages that are being published now
        self._pace = trio.Lock()
        self._next_publish = 0.0  # in Trio's time: no message leaves earlier

    async def run(self) -> None:
        """Runs the service."""
        guard_tasks(self.manager)
        await super().run()

    async def join_topic(
        self, topic: str, validator: Validator
    ) -> trio.MemoryReceiveChannel[bytes]:
        """Subscribes to `topic`. Raises NetworkError if the topic is subscribed already or is too
        long.

        The channel carries the messages that other nodes publish, never those of this node. Each
        message comes once within two minutes. Later it may come again, so the receiver must still
        recognise duplicates.
        """
        if topic in self._inboxes or len(topic) > TOPIC_CHARS:
            raise NetworkError(f"The topic {topic[:TOPIC_CHARS]!r} is taken or too long.")

        def is_valid(_forwarder: ID, message: rpc_pb2.Message) -> bool:
            # libp2p keeps the verdict by message id for 300 s. So the verdict must not depend on
            # the forwarder: an attacker could forward an honest message first to have it refused.
            try:
                return len(message.data) <= MESSAGE_BYTES and validator(message.data)
            except Exception:
                # A validator that raised ended the whole gossip service.
                log.exception("the validator of %s raised: the message is refused", topic)
                return False

        # Synchronous, because with an asynchronous validator libp2p delivered 40 messages for 20.
        self.set_topic_validator(topic, is_valid, is_async_validator=False)
        send, receive = trio.open_memory_channel[bytes](QUEUE_SIZE)
        self._inboxes[topic] = send
        await self.subscribe(topic)
        return receive

    async def send_message(self, topic: str, data: bytes) -> None:
        """Publishes `data`, at most one message every 10 ms. Raises NetworkError if `data` is too
        large.
        """
        if len(data) > MESSAGE_BYTES:
            raise NetworkError(f"A message is at most {MESSAGE_BYTES} bytes, not {len(data)}.")
        async with self._pace:
            await trio.sleep_until(self._next_publish)
            self._next_publish = trio.current_time() + PACE
            await self.push_msg(self.my_id, rpc_pb2.Message(data=data, topicIDs=[topic]))

    def notify_subscriptions(self, publish_message: rpc_pb2.Message) -> None:
        """Hands a validated message to its subscriber. Drops the message if the channel is full.

        Replaces libp2p's channels, which hold 32 messages and cannot be made larger.
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
        """Validates, delivers and forwards one message. Raises nothing but cancellation."""
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
        """Reads one peer's gossip until its stream ends. Raises nothing but cancellation.

        Replaces libp2p's loop. In that loop, one frame that is not protobuf ends the host. Every
        message becomes a task of its own, without a limit. Every frame may write addresses into the
        peer store.
        """
        peer = stream.muxed_conn.peer_id
        try:
            while self.manager.is_running:
                limit = self.max_inbound_rpc_size
                frame = await read_varint_prefixed_bytes_limited(stream, limit)
                await self._handle_frame(peer, frame)
        except StreamError as error:  # an end, a reset or a lost connection
            log.debug("the gossip stream of %s ends: %r", peer, error)
        except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
            log.warning("the gossip stream of %s is malformed: %r", peer, error)
            await contain_faults("resetting a gossip stream", stream.reset)

    async def _handle_frame(self, peer: ID, frame: bytes) -> None:
        rpc = rpc_pb2.RPC.FromString(frame)
        for message in rpc.publish:
            # The topic is checked first, so that a message of another topic does not count against
            # the peer's rate.
            if self._is_subscribed_to_msg(message) and self._rate_limits.allow_message(peer):
                await self.push_msg(peer, message)
                # A frame of 1 MiB holds thousands of messages, and other tasks must get their turn.
                await trio.lowlevel.checkpoint()
        for subscription in rpc.subscriptions[:TOPICS_PER_PEER]:
            if len(subscription.topicid) <= TOPIC_CHARS:
                self.handle_subscription(peer, subscription)
        if rpc.HasField("control"):
            # The router would write the addresses in this field into the peer store.
            rpc.ClearField("senderRecord")
            await self.router.handle_rpc(rpc, peer)


class NodeRouter(GossipSub):
    """libp2p's gossip router, without the state that strangers could make grow."""

    def __init__(self) -> None:
        super().__init__(
            protocols=[PROTOCOL_ID_V11],  # 1.2 and 2.0 were slower and lost messages
            degree=6,
            degree_low=4,
            degree_high=10,
            heartbeat_interval=HEARTBEAT,  # libp2p's default is 120 s
            # These three throttle a node's own publishes to ten a second, and regraft at random.
            adaptive_gossip_enabled=False,
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
            do_px=False,
        )

    async def run(self) -> None:
        """Runs the service."""
        guard_tasks(self.manager)
        await super().run()

    async def publish(self, msg_forwarder: ID, pubsub_msg: rpc_pb2.Message) -> None:
        """Forwards a validated message to the mesh."""
        await super().publish(msg_forwarder, pubsub_msg)
        # This statistic grows with every message. It serves only the adaptive mode, which is off.
        self.recent_message_deliveries.clear()

    async def handle_graft(self, graft_msg: rpc_pb2.ControlGraft, sender_peer_id: ID) -> None:
        """Lets a peer into the mesh of a topic, if this node has joined the topic."""
        if graft_msg.topicID in self.mesh:
            await super().handle_graft(graft_msg, sender_peer_id)

    async def handle_prune(self, prune_msg: rpc_pb2.ControlPrune, sender_peer_id: ID) -> None:
        """Removes a peer from the mesh of a topic, if this node has joined the topic."""
        # libp2p keeps a back-off for any topic that a stranger makes up, and dials the peers that
        # the message names.
        if prune_msg.topicID in self.mesh:
            del prune_msg.peers[:]
            await super().handle_prune(prune_msg, sender_peer_id)

    async def handle_ihave(self, ihave_msg: rpc_pb2.ControlIHave, sender_peer_id: ID) -> None:
        """Asks a peer for messages that this node lacks, if this node has joined their topic."""
        if ihave_msg.topicID in self.mesh:
            await super().handle_ihave(ihave_msg, sender_peer_id)

    def _check_equivocation(self, msg: rpc_pb2.Message) -> bool:
        # libp2p compares messages by origin and sequence number, and keeps every message for ever
        # to do so. It punishes the honest sender if an attacker was first. Our message ids depend
        # on the content, so no comparison is needed.
        del msg
        return True


class DeepQueues(dict[_Peer, RpcQueue]):
    """The send queues by peer, made deeper.

    libp2p's queues hold 32 frames, a fixed number, and silently drop more.
    """

    def __setitem__(self, peer: _Peer, queue: RpcQueue) -> None:
        """Keeps the queue of `peer`, and raises its limit."""
        queue._queue.max_size = QUEUE_SIZE  # noqa: SLF001 -- there is no setting
        super().__setitem__(peer, queue)


class RateLimits:
    """Limits the messages of each peer: BURST at once, and RATE a second."""

    def __init__(self) -> None:
        self._left: dict[ID, tuple[float, float]] = {}  # peer → messages left, and as of when

    def allow_message(self, peer: ID) -> bool:
        """Returns whether one more message of `peer` may be handled. Sync brings the others."""
        now = trio.current_time()
        left, since = self._left.pop(peer, (BURST, now))
        left = min(BURST, left + RATE * (now - since))
        is_allowed = left >= 1
        if is_allowed:
            self._left[peer] = (left - 1, now)
        else:
            self._left[peer] = (left, now)
        # `pop` above moved this peer to the end, so the first peer has been silent for longest.
        while len(self._left) > MAX_TRACKED_PEERS:
            del self._left[next(iter(self._left))]
        return is_allowed


def message_id(message: rpc_pb2.Message) -> bytes:
    """Returns the SHA-256 of the topic, with its length in front, and all of the data.

    The id must cover the content. Otherwise a forwarder could censor a message: it could send other
    content first, under the honest message's id.
    """
    topic = b"".join(topic_id.encode() for topic_id in message.topicIDs)
    digest = hashlib.sha256(len(topic).to_bytes(4, "big"))
    digest.update(topic)
    digest.update(message.data)
    return digest.digest()
