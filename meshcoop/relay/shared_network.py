"""The reception: one network that the meshes of several neighbourhoods share.

Who opens a sync stream says in the hello which neighbourhood is meant; the stream is then handed to
that neighbourhood's room, which is a `meshcoop.network.Network` to the mesh in it.
"""

import logging
from collections.abc import Callable

import trio

from meshcoop.network.interface import (
    Carrying,
    Handler,
    Network,
    NetworkError,
    PeerEvent,
    Stream,
    Validator,
)
from meshcoop.sync.conversation import HELLO_SECONDS
from meshcoop.sync.peer_manager import GUEST_SECONDS, PROOF_SECONDS
from protocol.errors import Refused
from protocol.wire import frames
from protocol.wire import sync_session as sync

_LOG = logging.getLogger(__name__)

_LOOK_SECONDS = 2
NOT_SERVED = Refused("R-08.7", "this relay does not serve your neighbourhood")


class Reception:
    """Tells who comes where to go. `talking`: the peers with whom some room talks."""

    def __init__(self, network: Network, talking: Callable[[], set[str]]) -> None:
        self.network = network
        self.talking = talking
        self._rooms: dict[bytes, Room] = {}
        self._guests: set[str] = set()
        self._still: dict[str, float] = {}  # peer → since when it has talked in no room

    def room(self, neighbourhood: bytes) -> "Room":
        """The network as the mesh of one neighbourhood sees it."""
        self._rooms[neighbourhood] = Room(self)
        return self._rooms[neighbourhood]

    def close(self, neighbourhood: bytes) -> None:
        """Nobody of this neighbourhood is received any more."""
        self._rooms.pop(neighbourhood, None)

    def welcome(self, peer: str) -> None:
        """The peer has shown a ticket and may stay a while longer."""
        self._guests.add(peer)

    async def run(self) -> None:
        """Receives until cancelled; who proves nothing in time is dropped."""
        self.network.serve(sync.PROTOCOL, self._answer)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch)
            while True:
                await self._show_out()
                await trio.sleep(_LOOK_SECONDS)

    async def _watch(self) -> None:
        async for event in self.network.events:
            if event.what == "connected":
                self._still[event.peer] = trio.current_time()
            elif event.what == "disconnected":
                self._still.pop(event.peer, None)
                self._guests.discard(event.peer)

    async def _show_out(self) -> None:
        """Drops who has been here for a while and talks in no room."""
        now, talking = trio.current_time(), self.talking()
        for peer in self.network.peers():
            if peer in talking:
                self._still[peer] = now
            allowed = GUEST_SECONDS if peer in self._guests else PROOF_SECONDS
            if now - self._still.setdefault(peer, now) > allowed:
                await self.network.drop(peer)

    async def _answer(self, stream: Stream) -> None:
        heard, room = b"", None
        with trio.move_on_after(HELLO_SECONDS):
            try:
                heard, neighbourhood = await _meant(stream)
            except Refused as refusal:
                _LOG.info("peer %s: %s", stream.peer, refusal)
                return
            room = self._rooms.get(neighbourhood)
            if room is None or room.answer is None:
                await stream.write(sync.Session().bye(NOT_SERVED))
                return
        if room is not None and room.answer is not None:
            await room.answer(Heard(stream, heard))


async def _meant(stream: Stream) -> tuple[bytes, bytes]:
    """What was read so far, and the neighbourhood of the hello in it. Raises Refused."""
    decoder, heard = frames.Decoder(), b""
    while data := await stream.read():
        heard += data
        for frame in decoder.feed(data):
            if frame[0] != sync.HELLO or [type(one) for one in frame[1:3]] != [int, bytes]:
                raise Refused("R-05.2", "a session begins with a hello")
            return heard, frame[2]
    raise NetworkError("the peer left without a word")


class Heard:
    """A stream of which the beginning has been read already; implements Stream."""

    def __init__(self, stream: Stream, heard: bytes) -> None:
        self._stream, self._heard = stream, heard

    @property
    def peer(self) -> str:
        """The peer's id."""
        return self._stream.peer

    async def read(self) -> bytes:
        """What was read already first, and then what follows."""
        heard, self._heard = self._heard, b""
        return heard or await self._stream.read()

    async def write(self, data: bytes) -> None:
        """Sends all of `data`."""
        await self._stream.write(data)

    async def close(self) -> None:
        """Ends the stream."""
        await self._stream.close()


class Room:
    """One neighbourhood's part of the network; implements meshcoop.network.Network."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._network = reception.network
        self.answer: Handler | None = None
        # Who comes and goes is the reception's business: a room drops nobody for saying nothing.
        _, self.events = trio.open_memory_channel[PeerEvent](0)

    @property
    def peer_id(self) -> str:
        """This node's own peer id."""
        return self._network.peer_id

    @property
    def addresses(self) -> list[str]:
        """Where others can dial this node."""
        return self._network.addresses

    async def listen(self, addresses: list[str]) -> None:
        """Where to listen is the node's business."""
        await self._network.listen(addresses)

    def peers(self) -> dict[str, str]:
        """Connected peers, of whatever neighbourhood."""
        return self._network.peers()

    def serve(self, protocol: str, handler: Handler) -> None:
        """Answers sync; a relay serves a neighbourhood in no other way."""
        assert protocol == sync.PROTOCOL
        self.answer = handler

    async def connect(self, address: str) -> str:
        """Dials `address`."""
        return await self._network.connect(address)

    def carry(self, allowed: Callable[[str], bool]) -> Carrying:
        """Passes connections on for whoever is allowed."""
        return self._network.carry(allowed)

    async def reserve(self, relay: str) -> float:
        """Has another relay pass connections on to this node."""
        return await self._network.reserve(relay)

    @property
    def seen_as(self) -> list[str]:
        """From where other relays see this node."""
        return self._network.seen_as

    async def straighten(self, peer: str) -> bool:
        """Tries for a direct connection."""
        return await self._network.straighten(peer)

    async def open(self, peer: str, protocol: str) -> Stream:
        """A new stream to a connected peer."""
        return await self._network.open(peer, protocol)

    async def drop(self, peer: str) -> None:
        """Closes the connections to `peer`, unless another neighbourhood is served over them."""
        if peer not in self._reception.talking():
            await self._network.drop(peer)

    async def subscribe(self, topic: str, validator: Validator) -> trio.MemoryReceiveChannel[bytes]:
        """Joins the neighbourhood's gossip."""
        return await self._network.subscribe(topic, validator)

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends `data` to the topic."""
        await self._network.publish(topic, data)
