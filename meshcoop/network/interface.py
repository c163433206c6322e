"""The interface between a node and the network: what a node asks, and what the network tells it.

`meshcoop.network.libp2p.host` implements it over libp2p, `meshcoop.testing` implements it in
memory. No other package knows which of the two is in use.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import trio


class NetworkError(Exception):
    """A peer cannot be reached, or a stream to it was cut."""


class UnexpectedPeer(NetworkError):
    """Another node answers at an address than the expected one.

    `peer` is the id of the node that answers. It may be a relay.
    """

    def __init__(self, sentence: str, peer: str) -> None:
        super().__init__(sentence)
        self.peer = peer


class Stream(Protocol):
    """A stream of bytes to and from one authenticated peer."""

    @property
    def peer(self) -> str:
        """The peer's id, as libp2p writes it in base58."""

    async def read(self) -> bytes:
        """Returns 1 byte to 64 KiB, or b"" if the peer has closed the stream.

        Raises NetworkError if the stream was cut.
        """

    async def write(self, data: bytes) -> None:
        """Sends all of `data`; waits while the peer does not read. Raises NetworkError if the
        stream was cut.
        """

    async def close(self) -> None:
        """Ends the stream in both directions. Never raises."""


# `nursery.start` passes an argument of type trio.TaskStatus[None]. libp2p installs old stubs
# (trio-typing) that hide this type from type checkers.
TaskStatus: TypeAlias = Any

Handler = Callable[[Stream], Awaitable[None]]
Validator = Callable[[bytes], bool]


@dataclass(frozen=True)
class PeerEvent:
    """A peer came, went, or was discovered.

    A discovered peer has announced an address, but is not connected yet.
    """

    change: Literal["connected", "disconnected", "discovered"]
    peer: str
    address: str


class RelayService(Protocol):
    """The service of a relay: how much it relays now, and how much it has relayed."""

    bytes_relayed: int  # all bytes since the start

    @property
    def reservation_count(self) -> int:
        """The number of peers that can be reached through this node."""

    @property
    def circuit_count(self) -> int:
        """The number of connections that this node relays right now."""


class Network(Protocol):
    """The network as one node sees it.

    Addresses are multiaddrs that end in /p2p/PEER_ID. An address through a relay begins with the
    relay's own address: …/p2p/RELAY_ID/p2p-circuit/p2p/PEER_ID.
    """

    @property
    def peer_id(self) -> str:
        """This node's own peer id."""

    @property
    def addresses(self) -> list[str]:
        """The addresses at which this node listens."""

    @property
    def events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """The events of peers, in order.

        The channel is bounded. If nobody reads it, discoveries are left out first.
        """

    async def listen(self, addresses: list[str]) -> None:
        """Replaces the listen addresses; skips those that cannot be bound.

        Call it when the addresses of this machine have changed. It closes connections that do not
        answer now.
        """

    def peers(self) -> dict[str, str]:
        """Returns the connected peers: id → the address of the connection."""

    def serve(self, protocol: str, handler: Handler) -> None:
        """Answers streams of `protocol` with `handler`. If the handler raises, only its stream
        ends.
        """

    async def connect(self, address: str) -> str:
        """Dials `address` and returns the peer's id.

        Raises NetworkError within a bounded time. Raises UnexpectedPeer if another node answers
        there and its id is known.
        """

    def serve_relay(self, allowed: Callable[[str], bool]) -> RelayService:
        """Makes this node a relay for the peers that `allowed` accepts."""

    async def reserve(self, relay: str) -> float:
        """Reserves a place at a connected relay, so that others reach this node through the relay.

        Returns the seconds for which the reservation holds. Raises NetworkError if the relay gives
        none.
        """

    @property
    def observed_addresses(self) -> list[str]:
        """The IP addresses from which relays see this node."""

    async def upgrade_to_direct(self, peer: str) -> bool:
        """Tries once to replace a connection through a relay by a direct one.

        Returns True if there is a direct connection now. The streams of the old connection have
        then ended. Raises NetworkError if it is too early to try.
        """

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a stream to a connected peer. Raises NetworkError, within a bounded time, if that
        fails.
        """

    async def drop(self, peer: str) -> None:
        """Closes every connection to `peer`. Never raises."""

    async def subscribe(self, topic: str, validator: Validator) -> trio.MemoryReceiveChannel[bytes]:
        """Joins a gossip topic and returns the channel of its messages.

        `validator` is synchronous and depends on the bytes alone. If it refuses a message, the
        message is neither delivered nor forwarded. If the channel is full, new messages are lost.
        Gossip only makes news quick; sync brings what gossip lost.
        """

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends `data` to the topic. Pauses between messages, so that a burst does not overrun the
        peers' queues.
        """
