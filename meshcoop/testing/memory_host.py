"""Hosts of the network in memory: what one node sees of it, its connections and its gossip."""

import hashlib
import heapq
import itertools
import logging
from collections.abc import Callable
from functools import partial
from typing import Literal, Protocol

import trio

from meshcoop.network.interface import (
    AnotherNode,
    Carrying,
    Handler,
    NetworkError,
    PeerEvent,
    Stream,
    Validator,
)
from meshcoop.testing.memory_link import QUEUED, Link, LinkNetwork, Topic
from meshcoop.testing.memory_stream import End

_LOG = logging.getLogger(__name__)

WITHIN = 10.0  # seconds until a dial or an opening that meets silence is given up
PACE = 0.01  # seconds between two messages that one host publishes
SEEN = 120.0  # seconds for which a host knows a gossip message again
SILENCE = 20.0  # seconds at most until the ends of a connection find that nobody is there
MESSAGE_BYTES = 512 * 1024
RESERVED_SECONDS = 3600.0


class Wires(LinkNetwork, Protocol):
    """What hosts ask of `meshcoop.testing.memory_network.MemoryNetwork`."""

    loss: float
    duplication: float
    refusals: float

    def found(self, address: str) -> "Host | None":
        """The host that is up at this address."""

    def at(self, where: str) -> "Host | None":
        """The host that is up at this address, whoever is expected."""

    def hidden(self, address: str) -> bool:
        """Whether a NAT keeps everybody from dialling this address."""


class Host:
    """One node's place; implements meshcoop.network.Network."""

    def __init__(self, network: Wires, name: str, address: str, nursery: trio.Nursery) -> None:
        self.name, self.address = name, address
        self.peer_id = address.rpartition("/")[2]
        self.addresses = [address]
        self.links: dict[str, Link[Host]] = {}
        self.topics: dict[str, Topic] = {}
        self._network, self._nursery = network, nursery
        self._handlers: dict[str, Handler] = {}
        self.carried = 0
        self.reserved: set[str] = set()  # peers that are reached through this host
        self._carries: Callable[[str], bool] | None = None
        self._tell, self.events = trio.open_memory_channel[PeerEvent](QUEUED)
        self._pace, self._next = trio.Lock(), 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._sooner = trio.Event()
        self._down = False

    # -- what a node calls ------------------------------------------------------------------------

    async def listen(self, addresses: list[str]) -> None:
        del addresses  # a host of this network stays where it is
        await trio.lowlevel.checkpoint()

    def peers(self) -> dict[str, str]:
        return {peer: link.seen_by[self.peer_id] for peer, link in self.links.items()}

    def serve(self, protocol: str, handler: Handler) -> None:
        self._handlers[protocol] = handler

    async def connect(self, address: str) -> str:
        relay, circuit, behind = address.partition("/p2p-circuit/p2p/")
        if circuit:
            return await self._connect_through(relay, behind)
        where, _, peer = address.rpartition("/p2p/")
        if not where or peer == self.peer_id:
            raise NetworkError(f"{address} is no other node's address.")
        if peer not in self.links:
            await trio.sleep(self._network.lag())
            unheard = self._network.apart(self, address) or self._network.hidden(address)
            if self._down or unheard:
                await trio.sleep(WITHIN)
                raise NetworkError(f"Nobody answered at {address}.")
            there, other = self._network.found(address), self._network.at(where)
            if there is None and other is not None:
                raise AnotherNode(f"Another node answers at {where}.", other.peer_id)
            if there is None or self._network.happens(self._network.refusals):
                raise NetworkError(f"Nobody listens at {address}.")
            self._link(there)
        return peer

    async def _connect_through(self, relay: str, peer: str) -> str:
        if peer in self.links:
            return peer
        link = self.links.get(await self.connect(relay))
        await trio.sleep(self._network.lag())
        carrier = link.other(self) if link and not link.cut else None
        onward = carrier.links.get(peer) if carrier and peer in carrier.reserved else None
        if carrier is None or onward is None or onward.cut:
            raise NetworkError("The relay refuses: no reservation.")
        if peer not in self.links:
            self._link(onward.other(carrier), carrier)
        return peer

    def carry(self, allowed: Callable[[str], bool]) -> Carrying:
        self._carries = allowed
        return self

    @property
    def reservations(self) -> int:
        return len(self.reserved)

    @property
    def circuits(self) -> int:
        return 0  # nobody asks it of this network

    async def reserve(self, relay: str) -> float:
        link = self.links.get(relay)
        await trio.sleep(self._network.lag())
        there = link.other(self) if link and not link.cut else None
        allowed = there._carries if there else None  # noqa: SLF001 -- the same class
        if there is None or allowed is None or not allowed(self.peer_id):
            raise NetworkError("The relay refuses: permission denied.")
        there.reserved.add(self.peer_id)
        return RESERVED_SECONDS

    @property
    def seen_as(self) -> list[str]:
        return []  # nobody looks in this network

    async def straighten(self, peer: str) -> bool:
        await trio.sleep(self._network.lag())
        link = self.links.get(peer)
        return link is not None and link.through is None  # every NAT here shuffles ports

    async def open(self, peer: str, protocol: str) -> Stream:
        link = self.links.get(peer)
        if link is None:
            raise NetworkError(f"The peer {peer} is not connected.")
        await trio.sleep(self._network.lag())
        if link.cut:
            await trio.sleep(WITHIN)
            raise NetworkError(f"The peer {peer} does not answer.")
        there = link.other(self)
        handler = there._handlers.get(protocol)  # noqa: SLF001 -- the same class
        standing = self.links.get(peer) is link and there.links.get(self.peer_id) is link
        if not standing or handler is None or self._network.happens(self._network.refusals):
            raise NetworkError(f"The peer {peer} does not answer to {protocol}.")
        mine, theirs = link.pair(self)
        there._nursery.start_soon(there._handle, handler, theirs)  # noqa: SLF001
        return mine

    async def drop(self, peer: str) -> None:
        if peer in self.links:
            self.leave(self.links[peer])
        await trio.lowlevel.checkpoint()

    async def subscribe(self, topic: str, validator: Validator) -> trio.MemoryReceiveChannel[bytes]:
        if topic in self.topics:
            raise NetworkError(f"The topic {topic!r} is taken.")
        self.topics[topic] = Topic(validator)
        await trio.lowlevel.checkpoint()
        return self.topics[topic].receive

    async def publish(self, topic: str, data: bytes) -> None:
        if len(data) > MESSAGE_BYTES:
            raise NetworkError(f"A message is at most {MESSAGE_BYTES} bytes, not {len(data)}.")
        async with self._pace:
            await trio.sleep_until(self._next)
            self._next = trio.current_time() + PACE
            message = hashlib.sha256(data).digest()
            if topic in self.topics:
                self.topics[topic].seen[message] = trio.current_time(), False
            self._flood(topic, message, data, self)

    # -- what happens to it -----------------------------------------------------------------------

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Does something after a while, unless the host is down by then."""
        if self._down:
            return
        entry = (trio.current_time() + seconds, next(self._count), act)
        heapq.heappush(self._agenda, entry)
        if self._agenda[0] is entry:
            self._sooner.set()

    async def keep_agenda(self) -> None:
        """Does what is due, one after the other, until cancelled."""
        while True:
            with trio.move_on_at(self._agenda[0][0] if self._agenda else float("inf")):
                await self._sooner.wait()
            self._sooner = trio.Event()
            while self._agenda and self._agenda[0][0] <= trio.current_time():
                heapq.heappop(self._agenda)[2]()

    def leave(self, link: "Link[Host]") -> None:
        """Ends a connection from this side; across a partition the other notices later."""
        there = link.other(self)
        self.lose(link)
        there.later(
            self._network.random.uniform(0, SILENCE) if link.cut else 0.0,
            partial(there.lose, link),
        )

    def lose(self, link: "Link[Host]") -> None:
        """A connection is over."""
        peer = link.other(self).peer_id
        if self.links.get(peer) is link:
            del self.links[peer]
            self.reserved.discard(peer)
            self._event("disconnected", peer, link)
        for host, end in link.ends:
            if host is self:
                end.cut_off()

    def close(self) -> None:
        """Takes the host off the network for good."""
        self._down = True
        self._agenda.clear()
        self._tell.close()
        for one in self.topics.values():
            one.send.close()

    def _link(self, there: "Host", through: "Host | None" = None) -> None:
        if there.peer_id in self.links:
            return  # both dialled at once
        old = there.links.get(self.peer_id)
        if old is not None:  # what is left of a connection of this host's earlier life
            there.lose(old)
        link = Link(self._network, self, there, through)
        self.links[there.peer_id] = there.links[self.peer_id] = link
        self._event("connected", there.peer_id, link)
        there._event("connected", self.peer_id, link)  # noqa: SLF001

    def _event(
        self, what: Literal["connected", "disconnected"], peer: str, link: "Link[Host]"
    ) -> None:
        try:
            self._tell.send_nowait(PeerEvent(what, peer, link.seen_by[self.peer_id]))
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            _LOG.info("nobody reads the peer events of %s", self.name)

    async def _handle(self, handler: Handler, end: End) -> None:
        try:
            await handler(end)
        except NetworkError:
            end.reset()
        except Exception:  # noqa: BLE001 -- whatever it is, it ends no more than this
            _LOG.exception("a handler at %s failed", self.name)
            end.reset()
        else:
            await end.close()

    def _flood(self, topic: str, message: bytes, data: bytes, sender: "Host") -> None:
        network = self._network
        for link in list(self.links.values()):
            there = link.other(self)
            if there is sender or link.cut or topic not in there.topics:
                continue
            if network.happens(network.loss):
                continue
            hear = partial(there._hear, topic, message, data, self)  # noqa: SLF001
            first = network.lag()
            there.later(first, partial(hear, again=False))
            if network.happens(network.duplication):
                there.later(first + network.lag(), partial(hear, again=True))

    def _hear(
        self, topic: str, message: bytes, data: bytes, sender: "Host", *, again: bool
    ) -> None:
        one, now = self.topics[topic], trio.current_time()
        while one.seen and next(iter(one.seen.values()))[0] < now - SEEN:
            del one.seen[next(iter(one.seen))]
        new = message not in one.seen
        if new:
            one.seen[message] = now, self._valid(one, data)
        if not one.seen[message][1] or not (new or again):
            return
        if new:
            self._flood(topic, message, data, sender)
        try:
            one.send.send_nowait(data)
        except (trio.WouldBlock, trio.BrokenResourceError):
            _LOG.info("a gossip message is lost at %s", self.name)

    def _valid(self, topic: Topic, data: bytes) -> bool:
        try:
            return topic.validator(data)
        except Exception:  # noqa: BLE001 -- whatever it is, it ends no more than this
            _LOG.exception("the validator at %s raised: the message is refused", self.name)
            return False
