"""A whole network in one process, for tests of everything that talks to peers.

    network = MemoryNetwork(random.Random(7), loss=0.3, delay=(0.01, 0.5))
    async with network.host("ada") as ada, network.host("ben") as ben:
        await ada.connect(network.address("ben"))

`network.host` opens a `meshcoop.network.interface.Network`. This behaves like a network over
libp2p. The test chooses which faults happen: gossip may be lost, doubled, late or in another order.
Dials may fail, and streams and connections may break. There may be partitions, and hosts may die
and come back.

Everything random comes from the `random.Random` that the test passes, and all time is Trio's. If a
test uses a `trio.testing.MockClock` with `autojump_threshold=0`, waiting for minutes takes no real
time. If Trio's own scheduler is seeded too (the tests in `tests/sim` show how), a run repeats
exactly.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from random import Random
from typing import NamedTuple

import trio

from meshcoop.network.interface import Network, NetworkError
from meshcoop.testing.memory_host import MAX_SILENCE_SECONDS, Host
from protocol.record.peer_id import peer_id
from protocol.record.signature import public_key


class _Place(NamedTuple):
    """The peer id and the address of a host. Both stay the same while the host is down."""

    peer_id: str
    address: str  # a multiaddr without /p2p/…
    seed: bytes  # of the key that gives the peer id


class MemoryNetwork:
    """The network between hosts. A test may change how the network behaves while hosts are up.

    `loss` is the probability that a gossip message is lost on one link. `duplication` is the
    probability that a subscriber gets a message twice. `delay` gives the shortest and the longest
    time, in seconds, that a message or a dial takes. So gossip arrives in any order.

    `breaks` is the probability that a write breaks its stream. On average, every fourth break ends
    the whole connection. `refusals` is the probability that a dial or the opening of a stream
    fails. Until a stream breaks, it loses nothing and keeps the order.
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
        """Returns the address of the host with this name. The host may be up or down."""
        place = self._place_of(name, seed)
        return f"{place.address}/p2p/{place.peer_id}"

    @asynccontextmanager
    async def host(self, name: str, seed: bytes | None = None) -> AsyncIterator[Network]:
        """Puts a host on the network until the block ends. A host may come back under the same
        name.

        `seed` makes the Ed25519 key that gives the host its peer id. By default the seed is made
        from the name.
        """
        address = self.address(name, seed)
        if address in self._up:
            raise NetworkError("{name} is up already.", name=name)
        async with trio.open_nursery() as nursery:
            host = Host(self, name, address, self._place_of(name, seed).seed, nursery)
            self._up[address] = host
            nursery.start_soon(host.run_agenda)
            try:
                yield host
            finally:
                self._take_down(host)
                nursery.cancel_scope.cancel()
                # What has ended and is still registered could not begin again.
                assert not host.registrations, f"{name} leaves {host.registrations} registered"

    def kill_host(self, name: str) -> None:
        """Kills a host without a goodbye: from now on nothing leaves the host or reaches it.

        The test must then cancel the tasks that ran on the host.
        """
        host = self._up.get(self.address(name))
        if host is not None:
            self._take_down(host)

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Cuts every connection between hosts of different groups. A group lists hosts by name. The
        hosts that are in no group form one more group.

        When a connection is cut, at first its data stops. After a while the connection breaks.
        """
        self._groups = {name: number for number, group in enumerate(groups, 1) for name in group}
        self._cut_links()

    def end_partition(self) -> None:
        """Ends the partition. Connections that have not broken yet work again."""
        self._groups = {}
        self._cut_links()

    def put_behind_nat(self, *names: str) -> None:
        """Puts each of these hosts behind a NAT of its own. These hosts can dial other hosts, but
        other hosts cannot dial them.
        """
        self._hosts_behind_nat.update(names)

    def end_bad_weather(self) -> None:
        """Ends all faults. From now on nothing is lost, doubled, refused or broken."""
        self.loss = self.duplication = self.breaks = self.refusals = 0.0

    # -- What hosts, connections and streams ask ---------------------------------------------------

    def draw_delay(self) -> float:
        """Draws at random how many seconds a message or a dial takes."""
        return self.random.uniform(*self.delay)

    def is_drawn(self, probability: float) -> bool:
        """Draws at random, with this probability, whether an event happens now."""
        # With probability 0 no number is drawn. So faults that are off do not change a run.
        return probability > 0 and self.random.random() < probability

    def find_host(self, address: str) -> "Host | None":
        """Returns the host that is up at this address, or None if there is no such host."""
        return self._up.get(address)

    def find_host_at(self, where: str) -> "Host | None":
        """Returns the host that is up at this address, or None. The address is given without its
        part /p2p/….
        """
        for address, host in self._up.items():
            if address.startswith(f"{where}/p2p/"):
                return host
        return None

    def is_partitioned(self, host: "Host", address: str) -> bool:
        """Returns whether a partition separates a host from an address."""
        name = self._names.get(address, "")
        return self._groups.get(host.name, 0) != self._groups.get(name, 0)

    def is_behind_nat(self, address: str) -> bool:
        """Returns whether a NAT keeps other hosts from dialling this address."""
        return self._names.get(address, "") in self._hosts_behind_nat

    def _place_of(self, name: str, seed: bytes | None) -> _Place:
        if name not in self._places:
            seed = seed or hashlib.sha256(name.encode()).digest()
            number = len(self._places) + 1
            ip = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            place = _Place(peer_id(public_key(seed)), f"/ip4/{ip}/tcp/4001", seed)
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
