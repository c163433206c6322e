"""A whole network in one process, for tests of nodes, of kinds and of everything that talks to peers.

    network = MemoryNetwork(random.Random(7), loss=0.3, delay=(0.01, 0.5))
    async with network.host("ada") as ada, network.host("ben") as ben:
        await ada.connect(network.address("ben"))

`network.host` gives a `meshcoop.network.interface.Network` that behaves like the one over libp2p, with
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
from meshcoop.testing.memory_host import MAX_SILENCE_SECONDS, Host
from protocol.record.peer_id import peer_id


class _Place(NamedTuple):
    """The peer id and address of a host, which is up or not."""

    peer_id: str
    address: str  # a multiaddr without /p2p/…


class MemoryNetwork:
    """The wires between hosts. The weather may be changed while hosts are up.

    `loss` is the probability that a gossip message is lost on one link, `duplication` that a
    subscriber gets it twice. `delay` is how long everything takes, in seconds between two bounds, so
    that gossip is shuffled. `breaks` is the probability that a write breaks its stream, and every
    fourth time the whole connection; `refusals` that a dial or the opening of a stream fails. Streams
    that do not break lose nothing and keep their order.
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
        self.loss = loss
        self.duplication = duplication
        self.delay = delay
        self.breaks = breaks
        self.refusals = refusals
        self._places: dict[str, _Place] = {}
        self._names: dict[str, str] = {}  # by address
        self._up: dict[str, Host] = {}  # by address
        self._groups: dict[str, int] = {}
        self._hosts_behind_nat: set[str] = set()

    def address(self, name: str, seed: bytes | None = None) -> str:
        """The address of the host of this name; the same whether the host is up or not."""
        place = self._place_of(name, seed)
        return f"{place.address}/p2p/{place.peer_id}"

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
            nursery.start_soon(host.run_agenda)
            try:
                yield host
            finally:
                self._take_down(host)
                nursery.cancel_scope.cancel()

    def kill_host(self, name: str) -> None:
        """Lets a host die without a goodbye: nothing leaves it or reaches it any more.

        The test then cancels what ran on it.
        """
        host = self._up.get(self.address(name))
        if host is not None:
            self._take_down(host)

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Cuts every connection between hosts (by name) of different groups.

        The hosts in no group are a group of their own. A connection that is cut first falls silent,
        and breaks after a while.
        """
        self._groups = {name: number for number, group in enumerate(groups, 1) for name in group}
        self._cut_links()

    def end_partition(self) -> None:
        """Ends the partition. Connections that did not break meanwhile go on."""
        self._groups = {}
        self._cut_links()

    def put_behind_nat(self, *names: str) -> None:
        """Gives each of these hosts a NAT of its own: they dial others, and nobody can dial them."""
        self._hosts_behind_nat.update(names)

    def end_bad_weather(self) -> None:
        """Ends the bad weather: from now on nothing is lost, doubled, refused or broken."""
        self.loss = self.duplication = self.breaks = self.refusals = 0.0

    # -- What hosts, connections and streams ask ---------------------------------------------------

    def draw_delay(self) -> float:
        """Draws how long a message or a dial takes, in seconds."""
        return self.random.uniform(*self.delay)

    def is_drawn(self, probability: float) -> bool:
        """Draws whether something of this probability happens now."""
        # Without a probability nothing is drawn: the draws of a run are those of its weather.
        return probability > 0 and self.random.random() < probability

    def find_host(self, address: str) -> "Host | None":
        """The host that is up at this address, or None."""
        return self._up.get(address)

    def find_host_at(self, where: str) -> "Host | None":
        """The host that is up at this address without /p2p/…, or None."""
        for address, host in self._up.items():
            if address.startswith(f"{where}/p2p/"):
                return host
        return None

    def is_partitioned(self, host: "Host", address: str) -> bool:
        """Whether a partition separates a host from an address."""
        name = self._names.get(address, "")
        return self._groups.get(host.name, 0) != self._groups.get(name, 0)

    def is_behind_nat(self, address: str) -> bool:
        """Whether a NAT keeps others from dialling this address."""
        return self._names.get(address, "") in self._hosts_behind_nat

    def _place_of(self, name: str, seed: bytes | None) -> _Place:
        if name not in self._places:
            public, _ = nacl.bindings.crypto_sign_seed_keypair(
                seed or hashlib.sha256(name.encode()).digest()
            )
            number = len(self._places) + 1
            ip = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            place = _Place(peer_id(public), f"/ip4/{ip}/tcp/4001")
            self._places[name] = place
            self._names[f"{place.address}/p2p/{place.peer_id}"] = name
        return self._places[name]

    def _cut_links(self) -> None:
        for host in list(self._up.values()):
            for link in list(host.links.values()):
                if link.dialler is host:
                    link.check_partition()
                    link.wake_streams()
                    if link.is_cut:
                        host.schedule(
                            self.random.uniform(0, MAX_SILENCE_SECONDS), link.sever_if_cut
                        )

    def _take_down(self, host: "Host") -> None:
        if self._up.get(host.address) is host:
            del self._up[host.address]
            for link in list(host.links.values()):
                host.close_link(link)
            for other in list(self._up.values()):
                for link in list(other.links.values()):
                    if link.relay is host:
                        link.sever()
            host.close()
