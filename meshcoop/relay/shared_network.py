"""One network that the meshes of several neighbourhoods share.

A peer that opens a sync stream proves at the door that it knows a neighbourhood's id. The mesh of
that neighbourhood then gets the stream. Each mesh has its own object of the class
`meshcoop.network.interface.Network`.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager

import trio

from meshcoop.network.dial_rules import Subnet
from meshcoop.network.doorway import answer_door
from meshcoop.network.interface import (
    Handler,
    Network,
    NetworkError,
    PeerEvent,
    RelayService,
    Stream,
    Validator,
)
from meshcoop.sync.conversation import HELLO_SECONDS
from meshcoop.sync.peer_manager import GUEST_SECONDS, PROOF_SECONDS
from protocol.errors import Refused
from protocol.wire import door
from protocol.wire import sync_session as sync

_LOG = logging.getLogger(__name__)

NOT_SERVED = Refused("R-08.7", "this relay does not serve your neighbourhood any more")
CANNOT_SERVE = Refused("R-08.7f", "this relay cannot serve your neighbourhood now")

_LOOK_SECONDS = 2


class SharedNetwork:
    """The opener of a stream proves that it knows a neighbourhood's id. Hands the stream to this
    neighbourhood. Drops peers that do not prove that they belong to a neighbourhood.

    `talking` returns the peers that have proved that they belong to a neighbourhood. `served`
    returns the neighbourhoods that have enrolled the relay. `left` returns the neighbourhoods that
    the relay no longer serves. `random(n)` returns n random bytes.
    """

    def __init__(
        self,
        network: Network,
        talking: Callable[[], set[str]],
        served: Callable[[], list[bytes]],
        left: Callable[[], list[bytes]],
        random: Callable[[int], bytes],
    ) -> None:
        self.network = network
        self.talking = talking
        self._own_peer = network.peer_id
        self._served = served
        self._left = left
        self._random = random
        self._answers: dict[bytes, Handler] = {}  # neighbourhood → what answers its streams
        self._guests: set[str] = set()
        self._silent_since: dict[str, float] = {}  # peer → when it last belonged to a neighbourhood

    def network_of(self, neighbourhood: bytes) -> "NeighbourhoodNetwork":
        """Returns the network as the mesh of one neighbourhood sees it."""
        return NeighbourhoodNetwork(self, neighbourhood)

    @contextmanager
    def hand_streams(self, neighbourhood: bytes, handler: Handler) -> Iterator[None]:
        """Lets `handler` answer the streams of this neighbourhood, for the block of a `with`
        statement. The doors of these streams are open already.
        """
        assert neighbourhood not in self._answers, "a neighbourhood is served once"
        self._answers[neighbourhood] = handler
        try:
            yield
        finally:
            del self._answers[neighbourhood]

    def welcome(self, peer: str) -> None:
        """Gives a peer more time to prove its membership, because the peer has shown a ticket."""
        self._guests.add(peer)

    async def run(self) -> None:
        """Hands streams to neighbourhoods until cancelled. Drops peers that do not prove their
        membership in time.
        """
        with self.network.serve(sync.PROTOCOL, self._answer):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch)
                while True:
                    await self._drop_silent_peers()
                    await trio.sleep(_LOOK_SECONDS)

    async def _watch(self) -> None:
        async for event in self.network.events:
            if event.change == "connected":
                self._silent_since[event.peer] = trio.current_time()
            elif event.change == "disconnected":
                self._silent_since.pop(event.peer, None)
                self._guests.discard(event.peer)

    async def _drop_silent_peers(self) -> None:
        """Drops peers that have been connected too long without a proof that they belong to a
        neighbourhood.
        """
        now = trio.current_time()
        talking = self.talking()
        for peer in self.network.peers():
            if peer in talking:
                self._silent_since[peer] = now
            allowed = GUEST_SECONDS if peer in self._guests else PROOF_SECONDS
            if now - self._silent_since.setdefault(peer, now) > allowed:
                await self.network.drop(peer)

    async def _answer(self, stream: Stream) -> None:
        keys = {
            door.door_key(neighbourhood): neighbourhood
            for neighbourhood in [*self._served(), *self._left()]
        }
        try:
            opened, neighbourhood = await answer_door(stream, self._own_peer, keys, self._random)
        except NetworkError as error:
            _LOG.info("peer %s at the door: %s", stream.peer, error)
            return
        answer = self._answers.get(neighbourhood)
        if answer is not None:
            await answer(opened.stream)
            return
        why = CANNOT_SERVE if neighbourhood in self._served() else NOT_SERVED
        with trio.move_on_after(HELLO_SECONDS):
            await opened.stream.write(sync.SyncSession().send_goodbye(why))


class NeighbourhoodNetwork:
    """The network as one neighbourhood sees it. Implements meshcoop.network.interface.Network."""

    def __init__(self, shared: SharedNetwork, neighbourhood: bytes) -> None:
        self._shared = shared
        self._neighbourhood = neighbourhood
        self._network = shared.network
        # No events come here. The shared network watches peers. It drops a peer that does not prove
        # that it belongs to a neighbourhood.
        _, self.events = trio.open_memory_channel[PeerEvent](0)

    @property
    def peer_id(self) -> str:
        """This node's own peer id."""
        return self._network.peer_id

    @property
    def addresses(self) -> list[str]:
        """The addresses at which others can dial this node."""
        return self._network.addresses

    async def listen(self, addresses: list[str]) -> None:
        """Replaces the addresses at which the node listens. This changes them for all
        neighbourhoods of the relay.
        """
        await self._network.listen(addresses)

    def peers(self) -> dict[str, str]:
        """Returns the connected peers of all neighbourhoods."""
        return self._network.peers()

    def serve(self, protocol: str, handler: Handler) -> AbstractContextManager[None]:
        """Lets `handler` answer the sync streams of this neighbourhood, for the block of a `with`
        statement. No other protocol is allowed here.
        """
        assert protocol == sync.PROTOCOL, "a mesh at a relay serves sync alone"
        return self._shared.hand_streams(self._neighbourhood, handler)

    async def connect(self, address: str) -> str:
        """Dials `address`. Returns the peer's id."""
        return await self._network.connect(address)

    def serve_relay(self, allowed: Callable[[str], bool]) -> AbstractContextManager[RelayService]:
        """Makes this node a relay for the peers that `allowed` accepts, for the block of a `with`
        statement.
        """
        return self._network.serve_relay(allowed)

    async def reserve(self, relay: str) -> float:
        """Reserves a place at another relay. Returns for how many seconds the reservation holds."""
        return await self._network.reserve(relay)

    @property
    def subnets(self) -> list[Subnet]:
        """The networks to which this machine belongs."""
        return self._network.subnets

    def sign(self, message: bytes) -> bytes:
        """Signs a message with the key of this node's peer id. Returns the signature."""
        return self._network.sign(message)

    @property
    def observed_addresses(self) -> list[str]:
        """This node's IP addresses, as other relays see them."""
        return self._network.observed_addresses

    async def upgrade_to_direct(self, peer: str) -> bool:
        """Tries once to replace a connection through a relay by a direct connection. Returns True
        if this worked.
        """
        return await self._network.upgrade_to_direct(peer)

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a stream to a connected peer."""
        return await self._network.open_stream(peer, protocol)

    async def drop(self, peer: str) -> None:
        """Closes the connections to `peer`. Does nothing if the peer has proved that it belongs to
        some neighbourhood of this relay.
        """
        if peer not in self._shared.talking():
            await self._network.drop(peer)

    def subscribe(
        self, topic: str, validator: Validator
    ) -> AbstractAsyncContextManager[trio.MemoryReceiveChannel[bytes]]:
        """Takes part in the neighbourhood's gossip topic, for the block of an `async with`
        statement. The block gets the channel with the topic's messages.
        """
        return self._network.subscribe(topic, validator)

    def share_topic(self, topic: str, peers: set[str]) -> None:
        """Shares the neighbourhood's gossip topic with exactly these peers."""
        self._network.share_topic(topic, peers)

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends `data` to the gossip topic."""
        await self._network.publish(topic, data)
