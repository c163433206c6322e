"""The boundary to other nodes: what a node asks of a network, whoever provides it.

`meshcoop.net.host` implements it over libp2p, `meshcoop.testing` in memory. Nothing else in the
house knows which of the two it talks through.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import trio


class NetworkError(Exception):
    """A peer cannot be reached, or a stream to it has ended before its time."""


class AnotherNode(NetworkError):
    """Somebody else than expected answers at an address: `peer`, which may be a relay."""

    def __init__(self, sentence: str, peer: str) -> None:
        super().__init__(sentence)
        self.peer = peer


class Stream(Protocol):
    """Bytes to and from one authenticated peer."""

    @property
    def peer(self) -> str:
        """The peer's id, as libp2p writes it in base58."""

    async def read(self) -> bytes:
        """Some bytes, at most 64 KiB; b"" once the peer has closed. Raises NetworkError on a reset."""

    async def write(self, data: bytes) -> None:
        """Sends all of `data`; waits while the peer does not read. Raises NetworkError."""

    async def close(self) -> None:
        """Ends the stream in both directions. Never raises."""


# What `nursery.start` hands in: trio.TaskStatus[None]. libp2p brings old stubs (trio-typing) that hide
# this type of trio's from type checkers.
Starting: TypeAlias = Any

Handler = Callable[[Stream], Awaitable[None]]
Validator = Callable[[bytes], bool]


@dataclass(frozen=True)
class PeerEvent:
    """A peer has appeared or gone. `discovered` names a dialable address, not yet a connection."""

    what: Literal["connected", "disconnected", "discovered"]
    peer: str
    address: str


class Carrying(Protocol):
    """What a relay passes on."""

    carried: int  # bytes, in all

    @property
    def reservations(self) -> int:
        """How many peers can be reached through this node."""

    @property
    def circuits(self) -> int:
        """How many connections it passes on right now."""


class Network(Protocol):
    """One node's place in the network. Addresses are multiaddrs that end in /p2p/PEER_ID; one through
    a relay has the relay's in front: …/p2p/RELAY_ID/p2p-circuit/p2p/PEER_ID.
    """

    @property
    def peer_id(self) -> str:
        """This node's own peer id."""

    @property
    def addresses(self) -> list[str]:
        """Where others can dial this node."""

    @property
    def events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """Peers that come and go, in order; bounded, the oldest never lost for connections."""

    async def listen(self, addresses: list[str]) -> None:
        """Listens at these addresses and no others, as far as they can be had: the machine's own
        have changed. Connections that do not answer now are closed.
        """

    def peers(self) -> dict[str, str]:
        """Connected peers: id → the address of the connection."""

    def serve(self, protocol: str, handler: Handler) -> None:
        """Answers `protocol`. A handler that raises costs its stream, never the node."""

    async def connect(self, address: str) -> str:
        """Dials `address` and returns the peer's id. Raises NetworkError within a bounded time,
        AnotherNode where it is known who answers instead.
        """

    def carry(self, allowed: Callable[[str], bool]) -> Carrying:
        """From now on this node passes connections on to peers that reserve here, as a relay.
        `allowed` says which peers may.
        """

    async def reserve(self, relay: str) -> float:
        """Has a connected relay pass connections on to this node; for how many seconds it does.
        Raises NetworkError.
        """

    @property
    def seen_as(self) -> list[str]:
        """The IP addresses from which relays say that they see this node."""

    async def straighten(self, peer: str) -> bool:
        """Tries once to turn a connection through a relay into a direct one; whether it is one now.
        What ran over the circuit then ends, and begins again. Raises NetworkError where it is too
        early to try.
        """

    async def open(self, peer: str, protocol: str) -> Stream:
        """A new stream to a connected peer. Raises NetworkError within a bounded time."""

    async def drop(self, peer: str) -> None:
        """Closes every connection to `peer`. Never raises."""

    async def subscribe(self, topic: str, validator: Validator) -> trio.MemoryReceiveChannel[bytes]:
        """Joins a gossip topic. `validator` is pure in the bytes and synchronous; what it refuses
        is neither delivered nor forwarded. When the channel is full, new messages are lost: gossip
        is a hint, sync brings the truth.
        """

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends `data` to the topic, paced so that a burst does not overrun the peers' queues."""
