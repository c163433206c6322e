"""Connections of the network in memory, and what a host has subscribed to."""

from random import Random
from typing import TYPE_CHECKING, Protocol

import trio

from meshcoop.network.interface import Validator
from meshcoop.testing.memory_stream import End

if TYPE_CHECKING:
    from meshcoop.testing.memory_host import Host

QUEUED = 4096


class Wires(Protocol):
    """What hosts ask of `meshcoop.testing.MemoryNetwork`."""

    random: Random
    loss: float
    duplication: float
    breaks: float
    refusals: float

    def lag(self) -> float:
        """How long something is on its way."""

    def happens(self, probability: float) -> bool:
        """Whether it happens this time."""

    def found(self, address: str) -> "Host | None":
        """The host that is up at this address."""

    def at(self, where: str) -> "Host | None":
        """The host that is up at this address, whoever is expected."""

    def apart(self, one: "Host", address: str) -> bool:
        """Whether a partition lies between a host and an address."""

    def hidden(self, address: str) -> bool:
        """Whether a NAT keeps everybody from dialling this address."""


class Link:
    """A connection between two hosts."""

    def __init__(
        self, network: Wires, dialler: "Host", answerer: "Host", through: "Host | None" = None
    ) -> None:
        self.network = network
        self.dialler, self.answerer = dialler, answerer
        self.through = through  # the relay that passes it on
        self.cut = False
        self.ends: list[tuple[Host, End]] = []
        # As over TCP: who was dialled sees a port at which nobody listens.
        port = network.random.randint(32_768, 60_999)
        whence = dialler.address.replace("/tcp/4001/", f"/tcp/{port}/")
        self.seen_by = {dialler.peer_id: answerer.address, answerer.peer_id: whence}
        if through is not None:
            self.seen_by = {
                dialler.peer_id: f"{through.address}/p2p-circuit/p2p/{answerer.peer_id}",
                answerer.peer_id: f"{through.address}/p2p-circuit/p2p/{dialler.peer_id}",
            }

    def other(self, host: "Host") -> "Host":
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

    def pair(self, opener: "Host") -> tuple[End, End]:
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
