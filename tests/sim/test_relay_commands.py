"""Random sequences of relay commands: whatever ends can begin again, and nobody else notices.

Two neighbourhoods use one relay. A model of a few sets says what is true after each command. A
failing run prints its seed.
"""

from random import Random

import pytest
import trio
from prometheus_client import generate_latest

from meshcoop.errors import Mistake
from meshcoop.home.relay_limits import RelayLimits
from meshcoop.home.served_names import ServedNames
from meshcoop.relay.metrics import Metrics
from meshcoop.sync import relay_enrolment
from protocol.errors import Refused
from protocol.wire import gossip, relay_ticket
from protocol.wire import sync_session as sync
from tests.support.simulated_relays import RelayHome
from tests.support.simulated_street import Home, Simulate, Street, store_of
from tests.support.stores import STORE_KEY

COMMANDS = 14
SETTLED = (
    700  # seconds after which each home has dialled the relay and signed what is due: an address
)
# that has not answered yet is dialled again only after ten minutes
SHORT = 1  # sequences of the default suite
ALL = 200


class Sequence:
    """The nodes, and what has to be true of them.

    `tickets` maps each valid ticket to the street that has used it, or to None. `served` are the
    streets that the relay serves. `enrolled` are the homes that have enrolled the relay. `unheard`
    are those that it left, and that may not have heard of it before it served their street again:
    they may have ended their enrolment or not.
    """

    def __init__(self, relay: RelayHome, streets: list[Street], nursery: trio.Nursery) -> None:
        self.dice = Random(streets[0].seed)
        self.relay = relay
        self.streets = streets
        self.nursery = nursery
        self.tickets: dict[str, Street | None] = {}
        self.served: set[Street] = set()
        self.enrolled: set[Home] = set()
        self.unheard: set[Home] = set()
        self.history: list[str] = []

    async def step(self) -> None:
        commands = [
            self.issue_ticket, self.enrol, self.enrol, self.enrol, self.leave, self.leave,
            self.end_enrolment, self.restart_relay, self.lose_store, self.lose_all,
            self.restart_home, self.change_limits, self.post, self.wait,
        ]  # fmt: skip
        command = self.dice.choice(commands)
        self.history.append(command.__name__)
        await command()
        self.check_now()

    # -- commands ---------------------------------------------------------------------------------

    async def issue_ticket(self) -> None:
        ticket, _ = self.relay.relay.issue_ticket([])
        self.tickets[ticket] = None

    async def enrol(self) -> None:
        if not self.tickets or self.dice.random() < 0.4:
            await self.issue_ticket()
        street = self.dice.choice(self.streets)
        home = self.dice.choice(list(street.homes.values()))
        ticket = self.dice.choice(list(self.tickets))
        if self.tickets[ticket] not in {None, street}:
            with pytest.raises(Refused, match="another neighbourhood"):
                await relay_enrolment.enrol(home.mesh, ticket)
            return
        await relay_enrolment.enrol(home.mesh, ticket)
        self.tickets[ticket] = street
        self.served.add(street)
        self.enrolled.add(home)
        self.unheard.discard(home)

    async def leave(self) -> None:
        street = self.dice.choice(self.streets)
        if street not in self.served:
            with pytest.raises(Mistake):
                await self.relay.relay.leave(street.neighbourhood)
            return
        await self.relay.relay.leave(street.neighbourhood)
        names = ServedNames(self.relay.path / "served", STORE_KEY)
        assert not names.files_of(street.neighbourhood)
        self.served.discard(street)
        leaving = self.enrolled & set(street.homes.values())
        self.enrolled -= leaving
        self.unheard |= leaving
        if self.dice.random() < 0.5:  # or else the next command comes before the homes hear of it
            await self.settle()

    async def end_enrolment(self) -> None:
        if not self.enrolled:
            return
        await self.settle()
        home = self.dice.choice(sorted(self.enrolled, key=lambda home: home.name))
        (relay,) = home.author.state.authority.relays.values()
        assert relay_enrolment.end_enrolment(home.mesh, relay) is not None
        self.enrolled.discard(home)

    async def restart_relay(self) -> None:
        await self.relay.stop()
        await trio.sleep(self.dice.choice([1, 100]))
        await self.nursery.start(self.relay.live)

    async def lose_store(self) -> None:
        """The relay's own store is lost. The stores of the neighbourhoods are still there."""
        await self.settle()  # it also forgets whom it has left, so they have to know
        await self.relay.stop()
        (self.relay.path / "store.db").unlink()
        await self.nursery.start(self.relay.live)
        self.tickets.clear()

    async def lose_all(self) -> None:
        """The relay begins empty. No home may take this for the end of its service."""
        await self.settle()
        await self.relay.stop()
        for path in self.relay.path.rglob("*.db*"):
            path.unlink()
        await self.nursery.start(self.relay.live)
        self.tickets.clear()
        self.served.clear()
        if self.dice.random() < 0.5:
            await trio.sleep(SETTLED)

    async def restart_home(self) -> None:
        home = self.dice.choice([home for street in self.streets for home in street.homes.values()])
        await home.kill()
        await trio.sleep(self.dice.choice([1, 100]))
        await self.nursery.start(home.live)
        await trio.sleep(30)  # before that, it does not sign

    async def change_limits(self) -> None:
        self.relay.relay.change_limits(RelayLimits(days=self.dice.randrange(100, 400)))

    async def post(self) -> None:
        street = self.dice.choice(self.streets)
        home = self.dice.choice(list(street.homes.values()))
        home.must_post("request", {"title": f"wish {len(self.history)}", "minutes": "30"})

    async def settle(self) -> None:
        """Waits until each home of a street that is not served has ended its enrolment."""
        await trio.sleep(SETTLED)
        self.unheard = {
            home for street in self.served for home in street.homes.values() if home in self.unheard
        }

    async def wait(self) -> None:
        await trio.sleep(self.dice.choice([0.1, 3, 90]))

    # -- what is true -----------------------------------------------------------------------------

    def check_now(self) -> None:
        relay = self.relay.relay
        assert relay is not None, self.history
        assert {street.neighbourhood for street in self.served} == relay.tenants.keys()
        assert relay.unserved == []
        metrics = Metrics(relay)
        metrics.refresh()
        line = f"meshcoop_relay_neighbourhoods {float(len(self.served))}"
        assert line in generate_latest(metrics.registry).decode()
        topics = {gossip.topic_name(street.neighbourhood) for street in self.served}
        host = self.streets[0].network.find_host(self.relay.address)
        assert host.registrations == {"circuits", relay_ticket.PROTOCOL, sync.PROTOCOL, *topics}

    async def check_in_the_end(self) -> None:
        await self.settle()
        for street in self.streets:
            await street.settle()
            homes = list(street.homes.values())
            people = {home.identity.person for home in homes if home in self.enrolled}
            perhaps = {home.identity.person for home in homes if home in self.unheard}
            for home in homes:
                relays = home.author.state.authority.relays.values()
                found = {person for relay in relays for person in relay.people}
                assert people <= found <= people | perhaps
            if people and street in self.served:
                tenant = self.relay.relay.tenants[street.neighbourhood]
                ids = set(store_of(homes[0]).records.ids())
                assert set(tenant.store.records.ids()) == ids
                assert len(tenant.mesh.conversations) == len(homes)


@pytest.mark.parametrize(
    "seed",
    [*range(SHORT), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(SHORT, ALL))],
)
def test_whatever_a_relay_ends_can_begin_again(simulate: Simulate, tmp_path, seed: int):
    async def run(street: Street) -> None:
        other = Street(seed, tmp_path, ("eva", "fay"))
        other.network = street.network
        for home in other.homes.values():
            home.knows = [street.network.address(name) for name in other.homes if name != home.name]
        relay = RelayHome(street, "relay")
        async with trio.open_nursery() as nursery:
            sequence = Sequence(relay, [street, other], nursery)
            await nursery.start(relay.live)
            for home in (*street.homes.values(), *other.homes.values()):
                await nursery.start(home.live)
            await trio.sleep(30)  # homes do not sign at once
            try:
                for _ in range(COMMANDS):
                    await sequence.step()
                await sequence.check_in_the_end()
            except BaseException:
                print(sequence.history)  # noqa: T201 -- pytest shows it when the run fails
                raise
            nursery.cancel_scope.cancel()

    simulate(seed, run, ("ada", "ben"))
