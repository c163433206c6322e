"""The promise: a stranger learns nothing from a node, gets no frame, and makes nobody dial.

The attacker is a stranger with a libp2p client who knows the address of a home and of a relay. The
assets are who belongs to which neighbourhood, and the availability of others' machines. The stranger
here even knows the ids of both neighbourhoods' topics. Real nodes answer over real sockets.
"""

import os
import socket
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from typing import NamedTuple

import pytest
import trio
from libp2p.custom_types import TProtocol
from libp2p.identity.identify.identify import parse_identify_response
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.pubsub.pb import rpc_pb2
from libp2p.utils.varint import encode_varint_prefixed
from multiaddr import Multiaddr

from meshcoop.network.interface import NetworkError
from protocol.wire import address_gift, door, frames, gossip, invitation, relay_ticket
from protocol.wire import sync_session as sync
from protocol.wire.door import Ends
from tests.support.attackers import IDENTIFY, MESHSUB, PATIENCE, call, stranger, visitor
from tests.support.real_homes import Folder, Home, eventually, folder, together

DOORS = (sync.PROTOCOL, address_gift.PROTOCOL, invitation.PROTOCOL, relay_ticket.PROTOCOL)
OLDER = [protocol.replace("/2", "/1") for protocol in DOORS]
PUSH = "/ipfs/id/push/1.0.0"
HOLE = "/libp2p/dcutr"


class Neighbourhood(NamedTuple):
    """A neighbourhood with one home and one relay. Everything about it is of its own, but for the
    lengths of words.
    """

    home: Home
    relay: Home
    id: bytes
    words: tuple[bytes, ...]

    @property
    def nodes(self) -> tuple[Home, Home]:
        return self.home, self.relay


def founded(place: Folder, name: str, person: str) -> Neighbourhood:
    home = place.home(person.lower())
    home("found", name, "--as", person, "--listen", place.listen())
    relay = place.home(f"{person.lower()}-relay")
    relay("relay", "found", "Surgery", "--listen", place.listen())
    together(lambda: home("up"), lambda: relay("up"))
    home("relay", "enrol", relay("relay", "ticket")["ticket"])
    eventually(lambda: held_at(relay) == home("status")["set_hash"], "the relay lacks records")
    neighbourhood = bytes.fromhex(home("status")["neighbourhood"]["id"])
    device = bytes.fromhex(home("status")["device"])
    words = (name.encode(), person.encode(), neighbourhood, neighbourhood[:16], device)
    return Neighbourhood(home, relay, neighbourhood, words)


def held_at(relay: Home) -> str:
    return str(relay("status")["served"][0]["set_hash"])


@pytest.fixture(scope="module")
def streets():
    with folder() as place:
        yield together(
            lambda: founded(place, "Rushey Lane", "Ada"),
            lambda: founded(place, "Poplar Road", "Eve"),
        )


class Trap:
    """A port at which nobody should ever connect. The stranger tells its address everywhere."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.address = f"/ip4/127.0.0.1/tcp/{self._server.getsockname()[1]}"

    def is_sprung(self) -> bool:
        with suppress(BlockingIOError):
            self._server.accept()
            return True
        return False

    def close(self) -> None:
        self._server.close()


def shown_secrets(street: Neighbourhood, ends: Ends, challenge: bytes) -> dict[str, bytes]:
    """Returns what a stranger may send to a door: every wrong proof and every old message."""
    nonce = bytes(door.NONCE_SIZE)
    mirrored = Ends(ends.answerer, ends.opener)
    near_secret = street.id[:16] + bytes(16)
    hello = [sync.HELLO, 1, street.id, bytes(32), bytes(64), []]
    return {
        "nothing": b"",
        "half a proof": bytes(door.PROOF_SIZE // 2),
        "noise": os.urandom(door.PROOF_SIZE),
        "more noise": os.urandom(5000),
        "another secret": door.prove_opener(door.door_key(bytes(32)), ends, challenge, nonce),
        "the known half": door.prove_opener(door.door_key(near_secret), ends, challenge, nonce),
        "its own echo": challenge + challenge,
        "the right secret, mirrored": door.prove_opener(
            door.door_key(street.id), mirrored, challenge, nonce
        ),
        "an old proof": door.prove_opener(door.door_key(street.id), ends, bytes(32), nonce),
        "a hello of version 1": frames.encode(hello),
    }


async def read_all(stream) -> bytes:
    """Reads until the node ends the stream. A stream that is cut ends differently."""
    heard = b""
    try:
        while data := await stream.read():
            heard += data
    except NetworkError:
        heard += b"(cut)"
    return heard


async def knock_at_doors(street: Neighbourhood, where: str) -> dict[str, bytes]:
    """Tries every door with every wrong proof. Returns what the node answers after its nonce."""
    heard: dict[str, bytes] = {}
    nonces = set()
    async with visitor(7) as them:
        peer = await them.connect(where)
        for protocol in [*DOORS, *OLDER]:
            for name in shown_secrets(street, Ends("", ""), bytes(32)):
                step = f"{protocol} {name}"
                try:
                    stream = await them.open_stream(peer, protocol)
                    challenge = await stream.read()
                except NetworkError:
                    heard[step] = b"(not spoken)"
                    continue
                nonces.add(challenge)
                ends = Ends(them.peer_id, peer)
                with suppress(NetworkError):
                    await stream.write(shown_secrets(street, ends, challenge)[name])
                    await stream.close()
                heard[step] = challenge[door.NONCE_SIZE :] + await read_all(stream)
    assert all(len(challenge) == door.NONCE_SIZE for challenge in nonces)
    return heard


@asynccontextmanager
async def eavesdropper():
    """Runs a stranger that keeps what nodes send it over gossip."""
    heard: list[bytes] = []

    async def listen(stream) -> None:
        with suppress(Exception):  # libp2p ends a stream by raising
            while data := await stream.read(65536):
                heard.append(data)

    async with stranger() as them:
        them.set_stream_handler(TProtocol(MESHSUB), listen)
        yield them, heard


def intrusion(topic: str, trap: str) -> rpc_pb2.RPC:
    """Makes the frame of a stranger who wants to be in the mesh and makes the node dial `trap`."""
    record = rpc_pb2.PeerInfo(peerID=bytes(34), signedPeerRecord=Multiaddr(trap).to_bytes())
    return rpc_pb2.RPC(
        subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid=topic)],
        publish=[rpc_pb2.Message(data=b"a stranger's", topicIDs=[topic])],
        control=rpc_pb2.ControlMessage(
            graft=[rpc_pb2.ControlGraft(topicID=topic)],
            ihave=[rpc_pb2.ControlIHave(topicID=topic, messageIDs=[bytes(32)])],
            prune=[rpc_pb2.ControlPrune(topicID=topic, peers=[record])],
        ),
    )


async def identity_of(them, where: str) -> Identify:
    stream = await call(them, where, IDENTIFY)
    answer = b""
    with suppress(Exception):  # libp2p ends a stream by raising
        while data := await stream.read(65536):
            answer += data
    return parse_identify_response(answer)


async def listen_in(street: Neighbourhood, node: Home, trap: str, title: str) -> dict[str, object]:
    """Asks a node who it is, and tries to get into its gossip while the street is busy. Returns what
    the node tells.
    """
    where = (await trio.to_thread.run_sync(node, "status"))["addresses"][0]
    topic = gossip.topic_name(street.id)
    async with eavesdropper() as (them, heard):
        identity = await identity_of(them, where)
        for protocol in (PUSH, HOLE):
            with suppress(Exception):  # the node does not speak it, or cuts the stream
                stream = await call(them, where, protocol)
                lure = Identify(listen_addrs=[Multiaddr(trap).to_bytes()]).SerializeToString()
                await stream.write(encode_varint_prefixed(lure))
        stream = await call(them, where, MESHSUB)
        for _ in range(2):
            wire = intrusion(topic, trap).SerializeToString()
            await stream.write(encode_varint_prefixed(wire))
        posted = await trio.to_thread.run_sync(street.home.post, "request", "--title", title)
        await trio.to_thread.run_sync(partial(arrives, street, posted))
    return {
        "protocols": list(identity.protocols),
        "agent": (identity.agent_version, identity.protocol_version),
        "addresses": list(identity.listen_addrs),
        "record": identity.signedPeerRecord,
        "gossip": b"".join(heard),
    }


def arrives(street: Neighbourhood, posted: str) -> None:
    street.home.has(posted)
    wanted = street.home("status")["set_hash"]
    eventually(lambda: held_at(street.relay) == wanted, "gossip and sync stand still")


async def test_a_stranger_learns_nothing_gets_no_frame_and_makes_nobody_dial(streets):
    with closing(Trap()) as trap, trio.fail_after(10 * PATIENCE):
        for kind in (0, 1):  # the homes, then the relays
            told = []
            for street in streets:
                node = street.nodes[kind]
                where = (await trio.to_thread.run_sync(node, "status"))["addresses"][0]
                answers = await knock_at_doors(street, where)
                told.append((answers, await listen_in(street, node, trap.address, "A lift")))
            (answers, overheard), (others, overheard_there) = told
            assert answers == others
            assert overheard == overheard_there
            # A door that is there stays shut without a word. Nothing of version 1 is spoken.
            assert set(answers.values()) <= {b"", b"(not spoken)"}
            assert {step for step, heard in answers.items() if heard == b""} == {
                step for step in answers if step.split()[0] in served(overheard)
            }
            assert not any(protocol in served(overheard) for protocol in OLDER)
            assert overheard["gossip"] == b"\0"  # one empty frame, the same for everybody
            assert (overheard["addresses"], overheard["record"]) == ([], b"")
            whole = repr(told).encode()
            for street in streets:
                assert not any(word in whole for word in street.words)
        assert not trap.is_sprung()


def served(overheard: dict[str, object]) -> set[str]:
    protocols = overheard["protocols"]
    assert isinstance(protocols, list)
    return set(protocols)
