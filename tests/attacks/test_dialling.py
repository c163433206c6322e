"""Nobody makes a home dial what it should not. The attackers are a member who names addresses for
others, and a node that names addresses of its own; the assets are the services of other machines
and of one's own, and one's time.
"""

import ipaddress
import random
from contextlib import asynccontextmanager, closing

import pytest
import trio
import trio.lowlevel
from trio.testing import MockClock

from meshcoop.network.dial_rules import is_on_link, may_dial
from meshcoop.network.interface import NetworkError
from meshcoop.store.store import Store
from meshcoop.sync.address_book import AddressBook
from meshcoop.sync.peer_manager import ATTEMPTS_A_MINUTE, PeerManager
from meshcoop.sync.stated_addresses import MAX_KEPT, MAX_WAITING, StatedAddresses
from meshcoop.testing.memory_network import MemoryNetwork
from protocol.errors import Refused
from protocol.record.peer_id import key_of_peer, peer_id
from protocol.record.signature import public_key, sign_message
from protocol.wire.node_addresses import MAX_ADDRESSES, read_addresses, state_addresses
from tests.support.simulated_street import Street

PLACE = bytes(32)
DAY = 86_400
AT_HOME = [ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("fe80::/64")]
ON_MACHINE = [ipaddress.ip_network("127.0.0.0/8")]


def seed_of(name):
    return name.encode().ljust(32, b"\0")


def peer_of(name):
    return peer_id(public_key(seed_of(name)))


def statement_of(name, number, *places, signer=None, neighbourhood=PLACE):
    """Makes a statement in the name of a node, signed by itself or by another one."""
    addresses = [f"{place}/p2p/{peer_of(name)}" for place in places]
    seed = seed_of(signer or name)
    return state_addresses(
        peer_of(name), lambda text: sign_message(text, seed), neighbourhood, number, addresses
    )


# -- which addresses ------------------------------------------------------------------------------

NEVER = [  # dialled by nobody, wherever the node is
    "/ip4/0.0.0.0/tcp/4001",
    "/ip4/224.0.0.251/tcp/5353",
    "/ip4/255.255.255.255/tcp/4001",
    "/ip4/240.0.0.1/tcp/4001",
    "/ip6/::/tcp/4001",
    "/ip6/ff02::1/tcp/4001",
    "/ip4/203.0.113.7/tcp/22",
    "/ip4/203.0.113.7/tcp/80",
    "/ip4/203.0.113.7/tcp/1023",
    "/ip4/203.0.113.7/tcp/0",
    "/ip4/203.0.113.7/tcp/65536",
    "/ip4/203.0.113.7/tcp/99999",
    "/ip4/10.1.2.3/tcp/4001",
    "/ip4/172.16.0.1/tcp/4001",
    "/ip4/172.31.255.255/tcp/4001",
    "/ip4/192.168.2.1/tcp/4001",
    "/ip4/169.254.169.254/tcp/4001",
    "/ip4/100.64.0.1/tcp/4001",
    "/ip6/fd00::1/tcp/4001",
    "/ip6/fe80:1::1/tcp/4001",
    "/ip6/::ffff:10.1.2.3/tcp/4001",
    "/ip6/::ffff:169.254.169.254/tcp/4001",
    "/ip4/203.0.113.7/udp/4001",
    "/dns4/example.org/tcp/4001",
    "/ip4/203.0.113.07/tcp/4001",
    "/ip4/3405803783/tcp/4001",
]
LOOPBACK = [
    "/ip4/127.0.0.1/tcp/6379",
    "/ip4/127.8.8.8/tcp/4001",
    "/ip6/::1/tcp/4001",
    "/ip6/::ffff:127.0.0.1/tcp/4001",
]
FINE = [
    "/ip4/203.0.113.7/tcp/4001",
    "/ip4/203.0.113.7/tcp/443",
    "/ip4/192.168.1.77/tcp/4001",
    "/ip6/2001:470::7/tcp/4001",
    "/ip6/fe80::7/tcp/4001",
]
CIRCUIT = f"/p2p/{peer_of('a relay')}/p2p-circuit"


@pytest.mark.parametrize("ending", ["", CIRCUIT])
def test_addresses_of_other_networks_and_services_are_not_dialled(ending):
    for place in NEVER:
        address = f"{place}{ending}/p2p/{peer_of('mal')}"
        assert not may_dial(address, AT_HOME, is_on_machine=True), place
    for place in LOOPBACK:
        address = f"{place}{ending}/p2p/{peer_of('mal')}"
        assert not may_dial(address, AT_HOME), place
        assert may_dial(address, AT_HOME, is_on_machine=True), place
    for place in FINE:
        assert may_dial(f"{place}{ending}/p2p/{peer_of('ben')}", AT_HOME), place


def test_a_node_on_one_machine_dials_its_neighbours_there():
    assert may_dial(LOOPBACK[0], ON_MACHINE)
    assert not may_dial("/ip4/10.1.2.3/tcp/4001", ON_MACHINE)


def test_what_is_announced_on_the_link_leads_nowhere_else():
    assert is_on_link(f"/ip4/192.168.1.9/tcp/4001/p2p/{peer_of('ben')}", AT_HOME)
    for place in [*NEVER, *LOOPBACK, "/ip4/203.0.113.7/tcp/4001"]:
        assert not is_on_link(place, AT_HOME), place


# -- who names them -------------------------------------------------------------------------------


def test_only_its_own_key_names_the_addresses_of_a_node():
    stated = StatedAddresses(PLACE)
    homes = {peer_of("ben"), peer_of("mal")}
    false = [
        statement_of("ben", 9, "/ip4/203.0.113.7/tcp/4001", signer="mal"),
        statement_of("ben", 9, "/ip4/203.0.113.7/tcp/4001", neighbourhood=b"x" * 32),
        statement_of("ben", 9, "/ip4/203.0.113.7/tcp/4001")._replace(number=10),
        statement_of("ben", 9, "/ip4/203.0.113.7/tcp/4001")._replace(addresses=["/ip4/1.1.1.1"]),
    ]

    assert stated.take(peer_of("mal"), false, homes) == []
    assert stated.handed_on(homes) == []


def test_a_statement_counts_for_homes_and_over_its_own_connection_only():
    stated = StatedAddresses(PLACE)
    ben, cho, stranger = (
        statement_of(name, 1, "/ip4/203.0.113.7/tcp/4001") for name in ("ben", "cho", "stranger")
    )
    homes = {peer_of("ben")}

    assert stated.take(peer_of("mal"), [ben, cho, stranger], homes) == [ben]
    assert stated.take(peer_of("cho"), [cho], homes) == [cho]
    assert stated.handed_on(homes) == [ben]
    assert stated.take_waiting(homes | {peer_of("stranger")}) == [stranger]
    assert stated.take_waiting(homes | {peer_of("stranger")}) == []


def test_an_old_statement_that_is_handed_on_again_replaces_nothing():
    stated = StatedAddresses(PLACE)
    homes = {peer_of("ben")}
    numbers = [5, 3, 7, 5, 7, 6, 8]
    statements = [statement_of("ben", n, f"/ip4/203.0.113.{n}/tcp/4001") for n in numbers]

    taken = [s.number for s in statements if stated.take(peer_of("mal"), [s], homes)]

    assert taken == [5, 7, 8]
    assert [s.number for s in stated.handed_on(homes)] == [8]


def test_what_is_kept_of_statements_is_bounded():
    stated = StatedAddresses(PLACE)
    statement = statement_of("ben", 1, "/ip4/203.0.113.7/tcp/4001")
    for number in range(2 * MAX_WAITING):
        key = number.to_bytes(32, "big")
        stated.take(peer_of("mal"), [statement._replace(key=key)], ())

    assert len(stated._waiting) == MAX_WAITING
    assert MAX_KEPT >= MAX_WAITING


@pytest.mark.parametrize(
    "parts",
    [
        None,
        [],
        [bytes(32), 1, ["/ip4/1.2.3.4"]],
        [bytes(31), 1, [], bytes(64)],
        [bytes(32), True, [], bytes(64)],
        [bytes(32), 1, ["x" * 201], bytes(64)],
        [bytes(32), 1, ["x"] * (MAX_ADDRESSES + 1), bytes(64)],
        [bytes(32), 1, [b"x"], bytes(64)],
        [bytes(32), 1, "x", bytes(64)],
    ],
)
def test_what_is_no_statement_is_refused(parts):
    with pytest.raises(Refused, match=r"R-05\.9"):
        read_addresses(parts)


# -- how often ------------------------------------------------------------------------------------


class Nowhere:
    """A network in which nobody answers. It notes when which address is dialled."""

    peer_id = peer_of("me")
    subnets = AT_HOME

    def __init__(self):
        self.dialled = []
        self.sender, self.events = trio.open_memory_channel(100)

    def peers(self):
        return {}

    async def connect(self, address):
        self.dialled.append((trio.current_time(), address))
        await trio.lowlevel.checkpoint()
        raise NetworkError("nobody answers")


@asynccontextmanager
async def dialling(network):
    dice = random.Random(23)
    with closing(Store(":memory:")) as store:
        manager = PeerManager(
            network,
            AddressBook(store, network.peer_id),
            talk=None,
            talking=set,
            random=dice.randbytes,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(manager.run)
            yield manager
            nursery.cancel_scope.cancel()


def most_within(times, seconds):
    """Returns how many of the times lie within one span of so many seconds, at the most."""
    return max(sum(begun <= time < begun + seconds for time in times) for begun in times)


async def test_an_address_that_never_answers_is_tried_3_times_a_day(autojump_clock):
    network = Nowhere()
    async with dialling(network) as manager:
        for hour in range(30):
            # Mal says it again and again, and says something else in between.
            places = ["/ip4/203.0.113.7/tcp/4001"] if hour % 2 else ["/ip4/203.0.113.8/tcp/4001"]
            manager.learn_stated(statement_of("mal", hour, *places))
            manager.redial_now()
            await trio.sleep(3600)

    for place in ("203.0.113.7", "203.0.113.8"):
        times = [time for time, address in network.dialled if place in address]
        assert 3 <= len(times) <= 6
        assert most_within(times, DAY) <= 3


async def test_all_attempts_together_are_bounded(autojump_clock, monkeypatch):
    network = Nowhere()
    looks = []
    look = PeerManager._due_addresses
    monkeypatch.setattr(PeerManager, "_due_addresses", lambda self: looks.append(0) or look(self))
    async with dialling(network) as manager:
        for number in range(100):
            places = [f"/ip4/203.0.113.{place}/tcp/{4000 + number}" for place in range(1, 9)]
            manager.learn_stated(statement_of(f"mal {number}", 1, *places))
        await trio.sleep(600)

    times = [time for time, _ in network.dialled]
    assert len(times) > ATTEMPTS_A_MINUTE
    assert most_within(times[:200], 60) <= ATTEMPTS_A_MINUTE
    assert len(looks) < 100, "without attempts left, a node does not look for addresses"


async def test_a_peer_has_8_addresses_and_names_none_for_another(autojump_clock):
    network = Nowhere()
    async with dialling(network) as manager:
        places = [f"/ip4/203.0.113.{place}/tcp/4001" for place in range(1, 9)]
        manager.learn_stated(statement_of("mal", 1, *places))
        manager.learn([f"/ip4/203.0.113.99/tcp/4001/p2p/{peer_of('mal')}"])
        for_ben = f"/ip4/203.0.113.7/tcp/4001/p2p/{peer_of('ben')}"
        through = f"/ip4/203.0.113.7/tcp/4001{CIRCUIT}/p2p/{peer_of('mal')}"
        manager.learn_stated(statement_of("mal", 2)._replace(addresses=[for_ben, through]))
        known = {entry.address for entry in manager.book.entries}

    assert len(known) <= MAX_ADDRESSES
    assert not {for_ben, through} & known


# -- through real meshes --------------------------------------------------------------------------


def test_a_member_makes_nobody_dial_what_they_name_for_others(tmp_path):
    dialled = []

    async def scenario():
        street = Street(16, tmp_path, ("ada", "ben", "mal"))
        ada, ben, mal = street.homes.values()
        async with trio.open_nursery() as nursery:
            for home in (ada, ben, mal):
                await nursery.start(home.live)
            connect = ada.mesh.network.connect

            async def note_dial(address):
                dialled.append(address)
                return await connect(address)

            ada.mesh.network.connect = note_dial
            place = street.neighbourhood
            honest = mal.mesh._addresses_to_tell
            false = [
                statement_of("a stranger", 1, "/ip4/203.0.113.1/tcp/4001", neighbourhood=place),
                statement_of("ben", 1, "/ip4/203.0.113.2/tcp/4001", signer="mal"),
            ]
            false_for_ben = false[1]._replace(
                key=key_of_peer(ben.mesh.network.peer_id),
                addresses=[f"/ip4/203.0.113.3/tcp/4001/p2p/{ben.mesh.network.peer_id}"],
            )
            own = statement_of(
                "mal", 2**40 * 4, "/ip4/127.0.0.1/tcp/6379", "/ip4/192.168.9.9/tcp/22"
            )
            own = own._replace(
                key=key_of_peer(mal.mesh.network.peer_id),
                addresses=[
                    text.rpartition("/")[0] + "/" + mal.mesh.network.peer_id
                    for text in own.addresses
                ],
            )
            own = state_addresses(own.peer, mal.mesh.network.sign, place, own.number, own.addresses)
            mal.mesh._addresses_to_tell = lambda: [own, *false, false_for_ben, *honest()[1:]]
            await trio.sleep(60)
            await mal.kill()
            await ben.kill()
            await trio.sleep(1200)
            heard = {s.peer for s in ada.mesh.stated.handed_on(ada.mesh.home_peers())}
            assert heard == {mal_peer, ben_peer}
            nursery.cancel_scope.cancel()

    ben_peer, mal_peer = (
        MemoryNetwork(random.Random(1)).address(name).rpartition("/")[2] for name in ("ben", "mal")
    )
    trio.run(scenario, clock=MockClock(autojump_threshold=0))

    assert dialled
    assert all(address.startswith("/ip4/10.") for address in dialled)
