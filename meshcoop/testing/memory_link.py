"""Connections of the network in memory, and what a host has subscribed to."""

from collections.abc import Callable
from random import Random
from typing import Any, Generic, Protocol, TypeVar

import trio

from meshcoop.network.interface import Validator
from meshcoop.testing.memory_stream import End

QUEUED = 4096


class LinkNetwork(Protocol):
    """What a link asks of `meshcoop.testing.memory_network.MemoryNetwork`."""

    random: Random
    breaks: float

    def lag(self) -> float:
        """How long something is on its way, in seconds."""

    def happens(self, probability: float) -> bool:
        """Whether it happens this time."""

    def apart(self, one: Any, address: str) -> bool:
        """Whether a partition lies between a host and an address."""


class LinkedHost(Protocol):
    """What a link asks of the hosts at its two ends."""

    address: str
    peer_id: str

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Does something after a while."""

    def lose(self, link: Any) -> None:
        """Forgets a connection that is over."""


HostT = TypeVar("HostT", bound=LinkedHost)


class Link(Generic[HostT]):
    """A connection between two hosts."""

    def __init__(
        self, network: LinkNetwork, dialler: HostT, answerer: HostT, through: HostT | None = None
    ) -> None:
        self.network = network
        self.dialler, self.answerer = dialler, answerer
        self.through = through  # the relay that passes it on
        self.cut = False
        self.ends: list[tuple[HostT, End]] = []
        # As over TCP: who was dialled sees a port at which nobody listens.
        port = network.random.randint(32_768, 60_999)
        whence = dialler.address.replace("/tcp/4001/", f"/tcp/{port}/")
        self.seen_by = {dialler.peer_id: answerer.address, answerer.peer_id: whence}
        if through is not None:
            self.seen_by = {
                dialler.peer_id: f"{through.address}/p2p-circuit/p2p/{answerer.peer_id}",
                answerer.peer_id: f"{through.address}/p2p-circuit/p2p/{dialler.peer_id}",
            }

    def other(self, host: HostT) -> HostT:
        return self.answerer if host is self.dialler else self.dialler

    def wake(self) -> None:
        for _, end in self.ends:
            end.wake()

    def feel(self) -> bool:
        """Finds out whether a partition lies across it."""
        ways = [(self.dialler, self.answerer)]
        if self.through is not None:
            ways = [(self.dialler, self.through), (self.through, self.answerer)]
        self.cut = any(self.network.apart(one, other.address) for one, other in ways)
        return self.cut

    def found_silent(self) -> None:
        if self.cut:
            self.sever()

    def sever(self) -> None:
        """Breaks the connection and what streams over it, for both at once."""
        self.dialler.lose(self)
        self.answerer.lose(self)

    def pair(self, opener: HostT) -> tuple[End, End]:
        """The two ends of a new stream."""
        other = self.other(opener)
        mine = End(self.network, self, other.peer_id, opener.later)
        theirs = End(self.network, self, opener.peer_id, other.later)
        mine.other, theirs.other = theirs, mine
        self.ends = [(host, end) for host, end in self.ends if not end.over]
        self.ends += [(opener, mine), (other, theirs)]
        return mine, theirs


class Topic:
    """One host's subscription."""

    def __init__(self, validator: Validator) -> None:
        self.validator = validator
        self.seen: dict[bytes, tuple[float, bool]] = {}  # message id → when, whether to deliver
        self.send, self.receive = trio.open_memory_channel[bytes](QUEUED)
