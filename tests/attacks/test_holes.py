"""Hole punching: nobody is dialled but who has passed the door, and only where a node may dial."""

from types import SimpleNamespace

import pytest
import trio
import trio.testing
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.dcutr_pb2 import HolePunch
from libp2p.utils.varint import encode_varint_prefixed
from multiaddr import Multiaddr

from meshcoop.network.libp2p import hole_punching
from meshcoop.network.libp2p.hole_punching import MAX_ADDRESSES, MOST_ANSWERS, HolePuncher
from tests.attacks.test_dialling import AT_HOME, CIRCUIT, FINE, LOOPBACK, NEVER, peer_of

PEER = ID.from_string(peer_of("mal"))
PUBLIC = "/ip4/203.0.113.7/tcp/4001"


class Stream:
    """A stream on which the peer has sent its messages already."""

    def __init__(self, *messages):
        self.muxed_conn = SimpleNamespace(peer_id=PEER)
        self.written = b""
        self.is_reset = False
        self._unread = b"".join(
            encode_varint_prefixed(message.SerializeToString()) for message in messages
        )

    async def read(self, size):
        piece, self._unread = self._unread[:size], self._unread[size:]
        return piece

    async def write(self, data):
        self.written += data

    async def reset(self):
        self.is_reset = True

    async def close(self):
        pass


class Swarm:
    """A swarm that only notes what it is told to dial."""

    def __init__(self, *addresses):
        self.listeners = {}
        self.dialled = set()
        self._addresses = addresses

    def get_connections(self, peer):
        assert peer == PEER
        return [
            SimpleNamespace(get_transport_addresses=lambda address=address: [address])
            for address in self._addresses
        ]

    async def dial_addr(self, address, peer, source):
        assert peer == PEER
        self.dialled.add(str(address))

    dial_addr_as_responder = dial_addr


class Node:
    """A node whose puncher is tried. Mal is connected through `connections`."""

    def __init__(self, monkeypatch, *connections, is_trusted=True):
        self.swarm = Swarm(*connections)
        self.opened = None  # the stream on which Mal answers this node
        host = SimpleNamespace(set_stream_handler=self._keep, new_stream=self._open)
        self.puncher = HolePuncher(host, self.swarm, lambda peer: is_trusted and peer == PEER)
        monkeypatch.setattr(hole_punching, "find_subnets", lambda addresses: AT_HOME)
        monkeypatch.setattr(self.puncher, "_source_address", lambda target: ("192.168.1.2", 4001))
        monkeypatch.setattr(self.puncher, "_predicted_addresses", lambda: [b"own address"])

    def _keep(self, protocol, handler):
        assert protocol == hole_punching.DCUTR
        self.answer = handler

    async def _open(self, peer, protocols):
        assert (peer, protocols) == (PEER, [hole_punching.DCUTR])
        return self.opened


def connect(*addresses):
    return HolePunch(type=HolePunch.CONNECT, ObsAddrs=addresses)


SYNC = HolePunch(type=HolePunch.SYNC)


def packed(places):
    """Returns the places as bytes, without those that no peer can write so."""
    for place in places:
        try:
            yield Multiaddr(place).to_bytes()
        except Exception:  # noqa: BLE001 -- multiaddr raises several kinds of error
            continue


def batches(addresses):
    listed = list(addresses)
    return [listed[at : at + MAX_ADDRESSES] for at in range(0, len(listed), MAX_ADDRESSES)]


HOSTILE = [*packed(NEVER), *packed(LOOPBACK), *packed([CIRCUIT]), b"", b"\x00", b"\xff" * 40]


async def test_who_names_addresses_of_other_services_makes_nobody_dial_them(
    monkeypatch, autojump_clock
):
    """Attacker: a member. Asset: the availability of others' services."""
    assert len(HOSTILE) > 20
    for addresses in batches(HOSTILE):
        node = Node(monkeypatch, CIRCUIT)
        await node.answer(Stream(connect(*addresses), SYNC))
        assert node.swarm.dialled == set(), addresses

        node.opened = Stream(connect(*addresses))
        assert not await node.puncher.punch_hole(PEER)
        assert node.swarm.dialled == set(), addresses


async def test_a_peer_is_dialled_where_a_node_may_dial_and_at_few_places(
    monkeypatch, autojump_clock
):
    """Attacker: a member. Asset: the availability of others' services."""
    fine = [*packed(place for place in FINE if place.startswith("/ip4/"))]
    many = [*packed(f"/ip4/203.0.113.{number}/tcp/4001" for number in range(1, 60))]
    node = Node(monkeypatch, CIRCUIT)
    await node.answer(Stream(connect(*fine), SYNC))
    assert node.swarm.dialled == {str(Multiaddr(address)) for address in fine}

    node = Node(monkeypatch, CIRCUIT)
    await node.answer(Stream(connect(*many), SYNC))
    assert len(node.swarm.dialled) == MAX_ADDRESSES


@pytest.mark.parametrize(
    ("connections", "is_trusted"),
    [((CIRCUIT,), False), ((PUBLIC,), True), ((), True), ((PUBLIC,), False)],
    ids=["a stranger over a circuit", "connected directly", "not connected", "a direct stranger"],
)
async def test_who_has_not_passed_the_door_over_a_circuit_learns_no_address_and_is_not_dialled(
    monkeypatch, autojump_clock, connections, is_trusted
):
    """Attacker: a stranger on the wire, or a relay. Asset: who belongs."""
    node = Node(monkeypatch, *connections, is_trusted=is_trusted)
    stream = Stream(connect(*packed([PUBLIC])), SYNC)
    await node.answer(stream)

    assert stream.is_reset
    assert stream.written == b""
    assert node.swarm.dialled == set()


async def test_one_peer_has_one_attempt_at_a_time(monkeypatch, autojump_clock):
    """Attacker: a member. Asset: availability."""
    node = Node(monkeypatch, CIRCUIT)
    first = Stream(connect(*packed([PUBLIC])), SYNC)
    second = Stream(connect(*packed(["/ip4/203.0.113.8/tcp/4001"])), SYNC)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.answer, first)
        await trio.testing.wait_all_tasks_blocked()
        await node.answer(second)

    assert second.is_reset
    assert second.written == b""
    assert node.swarm.dialled == {PUBLIC}


async def test_who_asks_again_and_again_for_other_places_has_few_of_them_dialled(
    monkeypatch, autojump_clock
):
    """R-08.12b. Attacker: a member. Asset: the availability of others' services."""
    node = Node(monkeypatch, CIRCUIT)
    for number in range(1, 20):
        await node.answer(Stream(connect(*packed([f"/ip4/203.0.113.{number}/tcp/4001"])), SYNC))
    assert len(node.swarm.dialled) == MOST_ANSWERS

    await trio.sleep(3600)
    await node.answer(Stream(connect(*packed(["/ip4/203.0.113.77/tcp/4001"])), SYNC))
    assert len(node.swarm.dialled) == MOST_ANSWERS + 1


async def test_a_node_that_does_not_know_its_own_address_dials_nobody(monkeypatch, autojump_clock):
    """Attacker: a member. Asset: availability."""
    node = Node(monkeypatch, CIRCUIT)
    monkeypatch.setattr(node.puncher, "_predicted_addresses", list)
    await node.answer(Stream(connect(*packed([PUBLIC])), SYNC))

    assert node.swarm.dialled == set()
