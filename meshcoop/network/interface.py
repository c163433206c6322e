"""The interface between a node and the network: what a node asks for, and what the network reports.

`meshcoop.network.libp2p.host` implements this interface over libp2p. `meshcoop.testing` implements
it in memory. Other packages cannot tell which of the two is in use.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import trio

from meshcoop.network.dial_rules import Subnet
from protocol.errors import fill_in


class NetworkError(Exception):
    """Raised if a peer cannot be reached, or if a stream to a peer was cut.

    `text` is a sentence. Names in braces in the sentence stand for the values in `arguments`.
    """

    def __init__(self, text: str, /, **arguments: object) -> None:
        super().__init__(text, arguments)
        self.text = text
        self.arguments = arguments

    def __str__(self) -> str:
        return fill_in(self.text, self.arguments)


class UnexpectedPeer(NetworkError):
    """Raised if another node than the expected one answers at an address.

    `peer` is the id of the node that answers. That node may be a relay.
    """

    def __init__(self, text: str, peer: str, /, **arguments: object) -> None:
        super().__init__(text, **arguments)
        self.peer = peer


class Stream(Protocol):
    """A stream of bytes to and from one peer whose identity is proved."""

    @property
    def peer(self) -> str:
        """The peer's id in base58, the form that libp2p uses."""

    async def read(self) -> bytes:
        """Returns the next bytes: at least 1 byte, at most 64 KiB. Returns b"" if the peer has
        closed the stream.

        Raises NetworkError if the stream was cut.
        """

    async def write(self, data: bytes) -> None:
        """Sends all of `data`. Waits while the peer does not read. Raises NetworkError if the
        stream was cut.
        """

    async def close(self) -> None:
        """Ends the stream in both directions. Never raises."""


# The type should be trio.TaskStatus[None], which `nursery.start` passes. But libp2p installs old
# stubs (trio-typing) that hide this type from type checkers.
TaskStatus: TypeAlias = Any

Handler = Callable[[Stream], Awaitable[None]]
Validator = Callable[[bytes], bool]


@dataclass(frozen=True)
class PeerEvent:
    """An event about a peer: it has connected, it has disconnected, or it was discovered.

    A discovered peer has announced an address, but is not connected yet.
    """

    change: Literal["connected", "disconnected", "discovered"]
    peer: str
    address: str


class RelayService(Protocol):
    """What a node does as a relay, in figures: reservations, relayed connections, and relayed
    bytes.
    """

    bytes_relayed: int  # counted since the start

    @property
    def reservation_count(self) -> int:
        """The number of peers with a reservation here. Other peers reach these peers through this
        node.
        """

    @property
    def circuit_count(self) -> int:
        """The number of connections that this node relays right now."""


class Network(Protocol):
    """The network as one node sees it.

    A node can register a protocol, a gossip topic, or the service of a relay. A registration lasts
    for the block of a `with` statement. So a registration cannot last longer than the code that
    answers. After that, the node can register the same thing again.

    Addresses are multiaddrs that end in /p2p/PEER_ID. An address that leads through a relay begins
    with the relay's own address: …/p2p/RELAY_ID/p2p-circuit/p2p/PEER_ID.
    """

    @property
    def peer_id(self) -> str:
        """This node's own peer id."""

    @property
    def addresses(self) -> list[str]:
        """The addresses at which this node listens."""

    @property
    def subnets(self) -> list[Subnet]:
        """The networks to which this node's machine belongs."""

    def sign(self, message: bytes) -> bytes:
        """Signs a message with the key of this node's peer id. Returns the signature (64 bytes)."""

    @property
    def events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """The events of peers, in the order in which they happened.

        The channel holds a limited number of events. If nobody reads the channel, events of
        discovered peers are left out first.
        """

    async def listen(self, addresses: list[str]) -> None:
        """Replaces the addresses at which this node listens. Skips an address that cannot be bound.

        Call this when the addresses of this machine have changed. Also closes connections to peers
        that no longer answer.
        """

    def peers(self) -> dict[str, str]:
        """Returns the connected peers: for each peer id, the address of its connection."""

    def serve(self, protocol: str, handler: Handler) -> AbstractContextManager[None]:
        """Lets `handler` answer the streams of `protocol`, for the block of a `with` statement.

        If the handler raises, only its own stream ends. Raises NetworkError if the protocol is
        served already.
        """

    async def connect(self, address: str) -> str:
        """Dials `address`. Returns the peer's id.

        If nobody answers, raises NetworkError within a bounded time. If another node than the
        expected one answers, and its id can be seen, raises UnexpectedPeer.
        """

    def serve_relay(self, allowed: Callable[[str], bool]) -> AbstractContextManager[RelayService]:
        """Makes this node a relay for the peers that `allowed` accepts, for the block of a `with`
        statement.
        """

    async def reserve(self, relay: str) -> float:
        """Reserves a place at a connected relay. Others can then reach this node through the relay.

        Returns for how many seconds the reservation holds. Raises NetworkError if the relay
        refuses.
        """

    @property
    def observed_addresses(self) -> list[str]:
        """This node's IP addresses, as relays see them."""

    async def upgrade_to_direct(self, peer: str) -> bool:
        """Tries once to replace a connection through a relay by a direct connection.

        Returns True if there is a direct connection now. If so, the streams of the old connection
        have ended. Raises NetworkError if it is too early to try.
        """

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a stream to a connected peer. Raises NetworkError within a bounded time if that
        fails.
        """

    async def drop(self, peer: str) -> None:
        """Closes every connection to `peer`. Never raises."""

    def subscribe(
        self, topic: str, validator: Validator
    ) -> AbstractAsyncContextManager[trio.MemoryReceiveChannel[bytes]]:
        """Takes part in a gossip topic, for the block of an `async with` statement. The block gets
        the channel with the topic's messages.

        At first this node shares the topic with nobody: see `share_topic`.

        `validator` is synchronous, and its answer depends on the bytes alone. If `validator`
        refuses a message, the message is neither delivered nor forwarded. If the channel is full,
        new messages are lost. Gossip only makes news quick; sync brings what gossip lost.
        """

    def share_topic(self, topic: str, peers: set[str]) -> None:
        """Shares a topic with exactly these peers. Other peers are not told of the topic and get no
        message of it, and their messages about it are ignored.

        Does nothing if this node does not take part in the topic.
        """

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends `data` to a gossip topic. Pauses between messages, so that many messages at once do
        not overflow the peers' queues.
        """
