"""Hosts of the network in memory. A host is what one node sees: its connections and its gossip."""

import hashlib
import heapq
import ipaddress
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Literal, Protocol

import trio

from meshcoop.network.dial_rules import Subnet
from meshcoop.network.interface import (
    Handler,
    NetworkError,
    PeerEvent,
    RelayService,
    Stream,
    UnexpectedPeer,
    Validator,
)
from meshcoop.testing.memory_link import QUEUE_SIZE, Link, NetworkForLinks, Topic
from meshcoop.testing.memory_stream import StreamEnd
from protocol.record.signature import sign_message

_LOG = logging.getLogger(__name__)

GIVE_UP_SECONDS = 10.0  # if nobody answers, a dial or the opening of a stream fails after this
PUBLISH_PAUSE_SECONDS = 0.01  # between two messages that one host publishes
REMEMBER_SECONDS = 120.0  # a host remembers a gossip message for this long
MAX_SILENCE_SECONDS = 20.0  # both ends of a cut connection have noticed after this
MAX_MESSAGE_BYTES = 512 * 1024
RESERVATION_SECONDS = 3600.0


class NetworkForHosts(NetworkForLinks, Protocol):
    """The methods of `meshcoop.testing.memory_network.MemoryNetwork` that hosts use."""

    loss: float
    duplication: float
    refusals: float

    def find_host(self, address: str) -> "Host | None":
        """Returns the host that is up at this address, or None if there is no such host."""

    def find_host_at(self, where: str) -> "Host | None":
        """Returns the host that is up at this address, or None. The address is given without its
        part /p2p/….
        """

    def is_behind_nat(self, address: str) -> bool:
        """Returns whether a NAT keeps other hosts from dialling this address."""


class Host:
    """One node's place in the network. This class implements
    `meshcoop.network.interface.Network`.
    """

    def __init__(
        self, network: NetworkForHosts, name: str, address: str, seed: bytes, nursery: trio.Nursery
    ) -> None:
        self.name = name
        self.address = address
        self.peer_id = address.rpartition("/")[2]
        self.addresses = [address]
        self.links: dict[str, Link[Host]] = {}
        self.topics: dict[str, Topic] = {}
        self._network = network
        self._seed = seed
        self._nursery = nursery
        self._handlers: dict[str, Handler] = {}
        self._is_down = False

        # The values that this host needs if it is a relay.
        self.bytes_relayed = 0
        self.reserved: set[str] = set()  # peers that are reached through this host
        self._is_relay_for: Callable[[str], bool] | None = None

        self._event_sender, self.events = trio.open_memory_channel[PeerEvent](QUEUE_SIZE)
        self._publish_lock = trio.Lock()
        self._next_publish = 0.0  # Trio's time

        # The calls that are due at this host, by Trio's time. The number keeps the order of calls
        # due at the same time, so callables are never compared.
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._agenda_changed = trio.Event()

    # -- The interface of a network ---------------------------------------------------------------

    async def listen(self, addresses: list[str]) -> None:
        """Does nothing: a host of this network keeps the one address that it has."""
        del addresses
        await trio.lowlevel.checkpoint()

    def peers(self) -> dict[str, str]:
        """Returns a map from the id of each connected peer to the address of the connection."""
        return {peer: link.seen_by[self.peer_id] for peer, link in self.links.items()}

    @contextmanager
    def serve(self, protocol: str, handler: Handler) -> Iterator[None]:
        """Lets `handler` answer the streams that peers open for `protocol`, for the block of a
        `with` statement.
        """
        if protocol in self._handlers:
            raise NetworkError("The protocol {protocol} is served already.", protocol=protocol)
        self._handlers[protocol] = handler
        try:
            yield
        finally:
            del self._handlers[protocol]

    async def connect(self, address: str) -> str:
        """Dials an address, directly or through a relay. Returns the id of the peer."""
        relay, circuit, peer_behind = address.partition("/p2p-circuit/p2p/")
        if circuit:
            return await self._connect_through(relay, peer_behind)
        where, _, peer = address.rpartition("/p2p/")
        if not where or peer == self.peer_id:
            raise NetworkError("{address} is no other node's address.", address=address)
        if peer not in self.links:
            await trio.sleep(self._network.draw_delay())
            is_partitioned = self._network.is_partitioned(self, address)
            if self._is_down or is_partitioned or self._network.is_behind_nat(address):
                await trio.sleep(GIVE_UP_SECONDS)
                raise NetworkError("Nobody answered at {address}.", address=address)
            there = self._network.find_host(address)
            at_address = self._network.find_host_at(where)
            if there is None and at_address is not None:
                raise UnexpectedPeer(
                    "Another node answers at {where}.", at_address.peer_id, where=where
                )
            if there is None or self._network.is_drawn(self._network.refusals):
                raise NetworkError("Nobody listens at {address}.", address=address)
            self._add_link(there)
        return peer

    async def _connect_through(self, relay: str, peer: str) -> str:
        if peer in self.links:
            return peer
        link = self.links.get(await self.connect(relay))
        await trio.sleep(self._network.draw_delay())
        carrier = link.other(self) if link and not link.is_cut else None
        onward = carrier.links.get(peer) if carrier and peer in carrier.reserved else None
        if carrier is None or onward is None or onward.is_cut:
            raise NetworkError("The relay refuses: no reservation.")
        if peer not in self.links:
            self._add_link(onward.other(carrier), carrier)
        return peer

    @contextmanager
    def serve_relay(self, allowed: Callable[[str], bool]) -> Iterator[RelayService]:
        """Makes this host a relay for the peers that `allowed` accepts, for the block of a `with`
        statement.
        """
        self._is_relay_for = allowed
        try:
            yield self
        finally:
            self._is_relay_for = None

    @property
    def reservation_count(self) -> int:
        """The number of peers that other hosts reach through this host."""
        return len(self.reserved)

    @property
    def circuit_count(self) -> int:
        """The number of connections that this host passes on as a relay. Always 0, because no test
        needs this number.
        """
        return 0

    async def reserve(self, relay: str) -> float:
        """Reserves a place at a connected relay, so that others reach this host through the relay.
        Returns for how many seconds the relay holds the place.
        """
        link = self.links.get(relay)
        await trio.sleep(self._network.draw_delay())
        there = link.other(self) if link and not link.is_cut else None
        allowed = there._is_relay_for if there else None  # noqa: SLF001 -- the same class
        if there is None or allowed is None or not allowed(self.peer_id):
            raise NetworkError("The relay refuses: permission denied.")
        there.reserved.add(self.peer_id)
        return RESERVATION_SECONDS

    @property
    def subnets(self) -> list[Subnet]:
        """The one network of all hosts."""
        return [ipaddress.ip_network("10.0.0.0/8")]

    def sign(self, message: bytes) -> bytes:
        """Signs a message with the key of this host's peer id. Returns the signature."""
        return sign_message(message, self._seed)

    @property
    def observed_addresses(self) -> list[str]:
        """The IP addresses from which relays see this host. Always empty in this network."""
        return []

    async def upgrade_to_direct(self, peer: str) -> bool:
        """Returns whether the connection is direct.

        A relayed connection stays relayed, as if every NAT in this network changed ports at random.
        """
        await trio.sleep(self._network.draw_delay())
        link = self.links.get(peer)
        return link is not None and link.relay is None

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a stream to a connected peer."""
        link = self.links.get(peer)
        if link is None:
            raise NetworkError("The peer {peer} is not connected.", peer=peer)
        await trio.sleep(self._network.draw_delay())
        if link.is_cut:
            await trio.sleep(GIVE_UP_SECONDS)
            raise NetworkError("The peer {peer} does not answer.", peer=peer)
        there = link.other(self)
        handler = there._handlers.get(protocol)  # noqa: SLF001 -- the same class
        is_up = self.links.get(peer) is link and there.links.get(self.peer_id) is link
        if not is_up or handler is None or self._network.is_drawn(self._network.refusals):
            raise NetworkError(
                "The peer {peer} does not answer to {protocol}.", peer=peer, protocol=protocol
            )
        near_end, far_end = link.open_stream(self)
        there._nursery.start_soon(there._handle, handler, far_end)  # noqa: SLF001
        return near_end

    async def drop(self, peer: str) -> None:
        """Closes the connection to a peer, if there is one."""
        if peer in self.links:
            self.close_link(self.links[peer])
        await trio.lowlevel.checkpoint()

    @asynccontextmanager
    async def subscribe(
        self, topic: str, validator: Validator
    ) -> AsyncIterator[trio.MemoryReceiveChannel[bytes]]:
        """Takes part in a gossip topic, for the block of an `async with` statement."""
        if topic in self.topics:
            raise NetworkError("The topic {topic!r} is taken.", topic=topic)
        self.topics[topic] = Topic(validator)
        try:
            await trio.lowlevel.checkpoint()
            yield self.topics[topic].receive
        finally:
            del self.topics[topic]

    def share_topic(self, topic: str, peers: set[str]) -> None:
        """Shares a topic with exactly these peers."""
        if topic in self.topics:
            self.topics[topic].shared_with = set(peers)

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends a message to a topic. First waits a little if this host has just sent another
        message.
        """
        if len(data) > MAX_MESSAGE_BYTES:
            raise NetworkError(
                "A message is at most {most} bytes, not {size}.",
                most=MAX_MESSAGE_BYTES,
                size=len(data),
            )
        async with self._publish_lock:
            await trio.sleep_until(self._next_publish)
            self._next_publish = trio.current_time() + PUBLISH_PAUSE_SECONDS
            message_id = hashlib.sha256(data).digest()
            if topic in self.topics:
                # The host's own message must not come back to it.
                self.topics[topic].seen[message_id] = trio.current_time(), False
            self._forward_message(topic, message_id, data, self)

    @property
    def registrations(self) -> set[str]:
        """The protocols and topics that are registered now. If this host is a relay, "circuits" is
        among them.

        When the code that runs a node has ended, nothing may be registered any more.
        """
        service = {"circuits"} if self._is_relay_for else set()
        return {*self._handlers, *self.topics, *service}

    # -- What the network, its connections and its streams call ------------------------------------

    def schedule(self, seconds: float, act: Callable[[], None]) -> None:
        """Calls `act` after some seconds. If the host is down at that time, does not call `act`."""
        if self._is_down:
            return
        entry = (trio.current_time() + seconds, next(self._numbers), act)
        heapq.heappush(self._agenda, entry)
        if self._agenda[0] is entry:
            self._agenda_changed.set()

    async def run_agenda(self) -> None:
        """Makes the calls that `schedule` has planned, until cancelled: each call at its time, one
        after the other.
        """
        while True:
            with trio.move_on_at(self._agenda[0][0] if self._agenda else float("inf")):
                await self._agenda_changed.wait()
            self._agenda_changed = trio.Event()
            while self._agenda and self._agenda[0][0] <= trio.current_time():
                heapq.heappop(self._agenda)[2]()

    def close_link(self, link: "Link[Host]") -> None:
        """Ends a connection from this host's side.

        The other side notices at once. If a partition cuts the connection, the other side notices
        later.
        """
        there = link.other(self)
        self.lose_link(link)
        there.schedule(
            self._network.random.uniform(0, MAX_SILENCE_SECONDS) if link.is_cut else 0.0,
            partial(there.lose_link, link),
        )

    def lose_link(self, link: "Link[Host]") -> None:
        """Forgets a connection that has ended, and breaks its streams on this side."""
        peer = link.other(self).peer_id
        if self.links.get(peer) is link:
            del self.links[peer]
            self.reserved.discard(peer)
            self._send_event("disconnected", peer, link)
        for host, end in link.ends:
            if host is self:
                end.cut_off()

    def close(self) -> None:
        """Takes the host off the network for good."""
        self._is_down = True
        self._agenda.clear()
        self._event_sender.close()
        for topic in self.topics.values():
            topic.send.close()

    def _add_link(self, there: "Host", relay: "Host | None" = None) -> None:
        if there.peer_id in self.links:
            return  # both hosts dialled at the same time
        old = there.links.get(self.peer_id)
        if old is not None:  # a connection from before this host went down and came back
            there.lose_link(old)
        link = Link(self._network, self, there, relay)
        self.links[there.peer_id] = there.links[self.peer_id] = link
        self._send_event("connected", there.peer_id, link)
        there._send_event("connected", self.peer_id, link)  # noqa: SLF001

    def _send_event(
        self, what: Literal["connected", "disconnected"], peer: str, link: "Link[Host]"
    ) -> None:
        try:
            self._event_sender.send_nowait(PeerEvent(what, peer, link.seen_by[self.peer_id]))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            _LOG.info("nobody reads the peer events of %s", self.name)

    async def _handle(self, handler: Handler, end: StreamEnd) -> None:
        try:
            await handler(end)
        except NetworkError:
            end.reset()
        except Exception:  # noqa: BLE001 -- a fault of a handler ends its stream only
            _LOG.exception("a handler at %s failed", self.name)
            end.reset()
        else:
            await end.close()

    def _forward_message(self, topic: str, message_id: bytes, data: bytes, sender: "Host") -> None:
        network = self._network
        for link in list(self.links.values()):
            there = link.other(self)
            if there is sender or link.is_cut or not self._shares(topic, there):
                continue
            if network.is_drawn(network.loss):
                continue
            receive = partial(there._receive_message, topic, message_id, data, self)  # noqa: SLF001
            delay = network.draw_delay()
            there.schedule(delay, partial(receive, is_duplicate=False))
            if network.is_drawn(network.duplication):
                there.schedule(delay + network.draw_delay(), partial(receive, is_duplicate=True))

    def _shares(self, topic: str, there: "Host") -> bool:
        """Returns whether this host and another host share a topic with each other."""
        ends = [(self, there), (there, self)]
        return all(
            topic in host.topics and other.peer_id in host.topics[topic].shared_with
            for host, other in ends
        )

    def _receive_message(
        self, topic_name: str, message_id: bytes, data: bytes, sender: "Host", *, is_duplicate: bool
    ) -> None:
        topic = self.topics.get(topic_name)
        if topic is None:
            return  # this host left the topic while the message was on its way
        now = trio.current_time()
        while topic.seen and next(iter(topic.seen.values()))[0] < now - REMEMBER_SECONDS:
            del topic.seen[next(iter(topic.seen))]
        is_new = message_id not in topic.seen
        if is_new:
            topic.seen[message_id] = now, self._is_valid(topic, data)
        _, is_valid = topic.seen[message_id]
        if not is_valid or not (is_new or is_duplicate):
            return
        if is_new:
            self._forward_message(topic_name, message_id, data, sender)
        try:
            topic.send.send_nowait(data)
        except (trio.WouldBlock, trio.BrokenResourceError):
            _LOG.info("a gossip message is lost at %s", self.name)

    def _is_valid(self, topic: Topic, data: bytes) -> bool:
        try:
            return topic.validator(data)
        except Exception:  # noqa: BLE001 -- a fault of a validator costs one message only
            _LOG.exception("the validator at %s raised: the message is refused", self.name)
            return False
