"""Connections of the network in memory, and the gossip topics that a host has joined."""

from collections.abc import Callable
from random import Random
from typing import Any, Generic, Protocol, TypeVar

import trio

from meshcoop.network.interface import Validator
from meshcoop.testing.memory_stream import StreamEnd

QUEUE_SIZE = 4096


class NetworkForLinks(Protocol):
    """The methods of `meshcoop.testing.memory_network.MemoryNetwork` that links use."""

    random: Random
    breaks: float

    def draw_delay(self) -> float:
        """Draws at random how many seconds a message or a dial takes."""

    def is_drawn(self, probability: float) -> bool:
        """Draws at random, with this probability, whether an event happens now."""

    def is_partitioned(self, host: Any, address: str) -> bool:
        """Returns whether a partition separates a host from an address."""


class LinkedHost(Protocol):
    """The methods that a link calls on the host at each of its two ends."""

    address: str
    peer_id: str

    def schedule(self, seconds: float, act: Callable[[], None]) -> None:
        """Calls `act` after some seconds."""

    def lose_link(self, link: Any) -> None:
        """Forgets a connection that has ended."""


HostT = TypeVar("HostT", bound=LinkedHost)


class Link(Generic[HostT]):
    """A connection between two hosts, directly or through a relay."""

    def __init__(
        self, network: NetworkForLinks, dialler: HostT, answerer: HostT, relay: HostT | None = None
    ) -> None:
        self.network = network
        self.dialler = dialler
        self.answerer = answerer
        self.relay = relay  # None if the connection is direct
        self.is_cut = False
        self.ends: list[tuple[HostT, StreamEnd]] = []
        # As over TCP, the host that was dialled sees a port at which nobody listens. The port is
        # drawn for relayed connections too, so that the draws of a run do not depend on the kind of
        # connection.
        port = network.random.randint(32_768, 60_999)
        self.seen_by = {
            dialler.peer_id: answerer.address,
            answerer.peer_id: dialler.address.replace("/tcp/4001/", f"/tcp/{port}/"),
        }
        if relay is not None:
            circuit = f"{relay.address}/p2p-circuit/p2p"
            self.seen_by = {
                dialler.peer_id: f"{circuit}/{answerer.peer_id}",
                answerer.peer_id: f"{circuit}/{dialler.peer_id}",
            }

    def other(self, host: HostT) -> HostT:
        """Returns the host at the other end."""
        return self.answerer if host is self.dialler else self.dialler

    def wake_streams(self) -> None:
        """Wakes the streams that wait, so that they check again whether data may arrive."""
        for _, end in self.ends:
            end.wake()

    def check_partition(self) -> bool:
        """Checks whether a partition cuts the connection. Stores the result and returns it."""
        hops = [(self.dialler, self.answerer)]
        if self.relay is not None:
            hops = [(self.dialler, self.relay), (self.relay, self.answerer)]
        self.is_cut = any(self.network.is_partitioned(host, other.address) for host, other in hops)
        return self.is_cut

    def sever_if_cut(self) -> None:
        """Breaks the connection. Does nothing if the partition has ended in the meantime."""
        if self.is_cut:
            self.sever()

    def sever(self) -> None:
        """Breaks the connection and its streams, at both ends at once."""
        self.dialler.lose_link(self)
        self.answerer.lose_link(self)

    def open_stream(self, opener: HostT) -> tuple[StreamEnd, StreamEnd]:
        """Opens a stream. Returns the two ends of the stream: first the opener's end, then the
        peer's end.
        """
        other = self.other(opener)
        near_end = StreamEnd(self.network, self, other.peer_id, opener.schedule)
        far_end = StreamEnd(self.network, self, opener.peer_id, other.schedule)
        near_end.other = far_end
        far_end.other = near_end
        self.ends = [(host, end) for host, end in self.ends if not end.is_over]
        self.ends += [(opener, near_end), (other, far_end)]
        return near_end, far_end


class Topic:
    """One host's subscription to a gossip topic."""

    def __init__(self, validator: Validator) -> None:
        self.validator = validator
        self.shared_with: set[str] = set()  # peer ids
        self.seen: dict[bytes, tuple[float, bool]] = {}  # message id → (time, whether it is valid)
        self.send, self.receive = trio.open_memory_channel[bytes](QUEUE_SIZE)
