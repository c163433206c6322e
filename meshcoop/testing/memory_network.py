"""A whole network in one process, for tests of nodes, of kinds and of whatever else talks to peers.

    network = MemoryNetwork(random.Random(7), loss=0.3, delay=(0.01, 0.5))
    async with network.host("ada") as ada, network.host("ben") as ben:
        await ada.connect(network.address("ben"))

What `network.host` gives is a `meshcoop.network.Network` and behaves like the one over libp2p, with
the weather that the test chooses: lost, doubled, late and shuffled gossip, dials that fail, streams
and connections that break, partitions, hosts that die and come back. Everything random comes from
the `random.Random` handed in, and all time is Trio's: under a `trio.testing.MockClock` with
`autojump_threshold=0` minutes pass at once, and with Trio's own scheduler seeded (the tests in
`tests/sim` show how) a run repeats exactly.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from random import Random
from typing import NamedTuple

import nacl.bindings
import trio

from meshcoop.network.interface import Network, NetworkError
from meshcoop.testing.memory_host import SILENCE, Host
from protocol.record.peer_id import peer_id


class _Place(NamedTuple):
    """Where a host of some name is found, whether it is up or not."""

    peer_id: str
    where: str  # a multiaddr without /p2p/…


class MemoryNetwork:
    """The wires between hosts. The weather may be changed while hosts are up.

    `loss`: probability that a gossip message is lost on one link; `duplication`: that a subscriber
    gets it twice; `delay`: seconds that everything takes, between two bounds, so that gossip is
    shuffled; `breaks`: probability that a write breaks its stream, and every fourth time the whole
    connection; `refusals`: that a dial or the opening of a stream fails. Streams that do not break
    lose nothing and keep their order.
    """

    def __init__(
        self,
        random: Random,
        *,
        loss: float = 0.0,
        duplication: float = 0.0,
        delay: tuple[float, float] = (0.001, 0.05),
        breaks: float = 0.0,
        refusals: float = 0.0,
    ) -> None:
        self.random = random
        self.loss, self.duplication, self.delay = loss, duplication, delay
        self.breaks, self.refusals = breaks, refusals
        self._places: dict[str, _Place] = {}
        self._names: dict[str, str] = {}  # by address
        self._up: dict[str, Host] = {}  # by address
        self._groups: dict[str, int] = {}
        self._behind_nat: set[str] = set()

    def address(self, name: str, seed: bytes | None = None) -> str:
        """Where the host of this name can be dialled; the same before it is up and ever after."""
        place = self._place(name, seed)
        return f"{place.where}/p2p/{place.peer_id}"

    @asynccontextmanager
    async def host(self, name: str, seed: bytes | None = None) -> AsyncIterator[Network]:
        """A host on the network until the block ends; it may come back under the same name.

        Its peer id is that of the Ed25519 key with this `seed`, by default one made of the name.
        """
        address = self.address(name, seed)
        if address in self._up:
            raise NetworkError(f"{name} is up already.")
        async with trio.open_nursery() as nursery:
            host = Host(self, name, address, nursery)
            self._up[address] = host
            nursery.start_soon(host.keep_agenda)
            try:
                yield host
            finally:
                self._take_down(host)
                nursery.cancel_scope.cancel()

    def kill(self, name: str) -> None:
        """The host dies without a goodbye: nothing more leaves it or reaches it. The test then
        cancels what ran on it.
        """
        host = self._up.get(self.address(name))
        if host is not None:
            self._take_down(host)

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Cuts every way between hosts (by name) of different groups; who is in none is alone with
        the others in none. Connections across first fall silent and break after a while.
        """
        self._groups = {name: at for at, group in enumerate(groups, 1) for name in group}
        self._cut()

    def heal(self) -> None:
        """Ends the partition. Connections that did not break meanwhile go on."""
        self._groups = {}
        self._cut()

    def behind_nat(self, *names: str) -> None:
        """From now on these hosts dial others, and nobody dials them: each has a NAT of its own."""
        self._behind_nat.update(names)

    def calm(self) -> None:
        """Ends the bad weather: from now on nothing is lost, doubled, refused or broken."""
        self.loss = self.duplication = self.breaks = self.refusals = 0.0

    # -- for the hosts ----------------------------------------------------------------------------

    def lag(self) -> float:
        """How long something is on its way."""
        return self.random.uniform(*self.delay)

    def happens(self, probability: float) -> bool:
        """Whether it happens this time."""
        return probability > 0 and self.random.random() < probability

    def found(self, address: str) -> "Host | None":
        """The host that is up at this address."""
        return self._up.get(address)

    def at(self, where: str) -> "Host | None":
        """The host that is up at this address, which is without /p2p/…, whoever is expected."""
        found = (host for address, host in self._up.items() if address.startswith(f"{where}/p2p/"))
        return next(found, None)

    def apart(self, one: "Host", address: str) -> bool:
        """Whether a partition lies between a host and an address."""
        there = self._names.get(address, "")
        return self._groups.get(one.name, 0) != self._groups.get(there, 0)

    def hidden(self, address: str) -> bool:
        """Whether a NAT keeps everybody from dialling this address."""
        return self._names.get(address, "") in self._behind_nat

    def _place(self, name: str, seed: bytes | None) -> _Place:
        if name not in self._places:
            public, _ = nacl.bindings.crypto_sign_seed_keypair(
                seed or hashlib.sha256(name.encode()).digest()
            )
            at = len(self._places) + 1
            where = f"/ip4/10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}/tcp/4001"
            place = _Place(peer_id(public), where)
            self._places[name] = place
            self._names[f"{where}/p2p/{place.peer_id}"] = name
        return self._places[name]

    def _cut(self) -> None:
        for host in list(self._up.values()):
            for link in list(host.links.values()):
                if link.dialler is host:
                    link.feel()
                    link.wake()
                    if link.cut:
                        host.later(self.random.uniform(0, SILENCE), link.found_silent)

    def _take_down(self, host: "Host") -> None:
        if self._up.get(host.address) is host:
            del self._up[host.address]
            for link in list(host.links.values()):
                host.leave(link)
            for other in list(self._up.values()):
                for link in list(other.links.values()):
                    if link.through is host:
                        link.sever()
            host.close()
