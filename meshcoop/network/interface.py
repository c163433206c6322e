"""The interface between a node and the network: what a node asks, and what it is told.

`meshcoop.network.libp2p.host` implements it over libp2p, `meshcoop.testing` in memory. No other
package knows which of the two it uses.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import trio


class NetworkError(Exception):
    """A peer cannot be reached, or a stream to it was cut."""


class UnexpectedPeer(NetworkError):
    """Another node than the expected one answers at an address: `peer`, which may be a relay."""

    def __init__(self, sentence: str, peer: str) -> None:
        super().__init__(sentence)
        self.peer = peer


class Stream(Protocol):
    """A stream of bytes to and from one authenticated peer."""

    @property
    def peer(self) -> str:
        """The peer's id, as libp2p writes it in base58."""

    async def read(self) -> bytes:
        """Returns 1 byte to 64 KiB, or b"" when the peer has closed. Raises NetworkError when the
        stream was cut.
        """

    async def write(self, data: bytes) -> None:
        """Sends all of `data`; waits while the peer does not read. Raises NetworkError."""

    async def close(self) -> None:
        """Ends the stream in both directions. Never raises."""


# The argument that `nursery.start` passes: trio.TaskStatus[None]. libp2p installs old stubs
# (trio-typing) that hide this type from type checkers.
TaskStatus: TypeAlias = Any

Handler = Callable[[Stream], Awaitable[None]]
Validator = Callable[[bytes], bool]


@dataclass(frozen=True)
class PeerEvent:
    """A peer came, went, or was discovered: announced at an address, but not yet connected."""

    change: Literal["connected", "disconnected", "discovered"]
    peer: str
    address: str


class RelayService(Protocol):
    """The service of a relay: what it relays right now, and has relayed."""

    bytes_relayed: int  # bytes, in all

    @property
    def reservation_count(self) -> int:
        """The number of peers that can be reached through this node."""

    @property
    def circuit_count(self) -> int:
        """The number of connections that this node relays right now."""


class Network(Protocol):
    """The network as one node sees it.

    Addresses are multiaddrs that end in /p2p/PEER_ID. An address through a relay begins with the
    relay's own: …/p2p/RELAY_ID/p2p-circuit/p2p/PEER_ID.
    """

    @property
    def peer_id(self) -> str:
        """This node's own peer id."""

    @property
    def addresses(self) -> list[str]:
        """The addresses at which this node listens."""

    @property
    def events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """The events of peers, in order. The channel is bounded: when nobody reads it, discoveries
        are left out first.
        """

    async def listen(self, addresses: list[str]) -> None:
        """Replaces the listen addresses; skips those that cannot be bound.

        To be called when the addresses of this machine have changed. Connections that do not
        answer now are closed.
        """

    def peers(self) -> dict[str, str]:
        """The connected peers: id → the address of the connection."""

    def serve(self, protocol: str, handler: Handler) -> None:
        """Answers streams of `protocol`. A handler that raises loses its stream only."""

    async def connect(self, address: str) -> str:
        """Dials `address` and returns the peer's id.

        Raises NetworkError within a bounded time; AnotherNode if it is known which other node
        answers there.
        """

    def serve_relay(self, allowed: Callable[[str], bool]) -> RelayService:
        """Makes this node a relay for the peers that `allowed` accepts."""

    async def reserve(self, relay: str) -> float:
        """Reserves a place at a connected relay, so that others reach this node through it.

        Returns the seconds for which the reservation holds. Raises NetworkError.
        """

    @property
    def observed_addresses(self) -> list[str]:
        """The IP addresses from which relays see this node."""

    async def upgrade_to_direct(self, peer: str) -> bool:
        """Tries once to replace a connection through a relay by a direct one.

        Returns whether there is a direct connection now; the streams of the old one have then
        ended. Raises NetworkError when it is too early to try.
        """

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a stream to a connected peer. Raises NetworkError within a bounded time."""

    async def drop(self, peer: str) -> None:
        """Closes every connection to `peer`. Never raises."""

    async def subscribe(self, topic: str, validator: Validator) -> trio.MemoryReceiveChannel[bytes]:
        """Joins a gossip topic and returns the channel of its messages.

        `validator` is synchronous and depends on the bytes alone; a message that it refuses is
        neither delivered nor forwarded. When the channel is full, new messages are lost: gossip
        only makes news quick, and sync brings what it lost.
        """

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends `data` to the topic, paced so that a burst does not overrun the peers' queues."""
