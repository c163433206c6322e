"""Parts of the attackers in the acceptance tests: the hosts that attack, and keys stolen from
members.
"""

import os
from contextlib import asynccontextmanager, suppress

import trio
from libp2p import new_host
from libp2p.custom_types import TProtocol
from libp2p.identity.identify.identify import parse_identify_response
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr

from meshcoop.home import key_file as keystore
from meshcoop.network.doorway import open_door
from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.host import open_host
from protocol.wire import frames
from protocol.wire import membership_proof as hello
from protocol.wire import sync_session as sync
from tests.support.real_homes import PASSPHRASE

ANYWHERE = "/ip4/127.0.0.1/tcp/0"
IDENTIFY, MESHSUB = "/ipfs/id/1.0.0", "/meshsub/1.1.0"
PATIENCE = 30.0


@asynccontextmanager
async def stranger():
    """Runs a plain libp2p host with all default settings, as a stranger would."""
    host = new_host()
    async with host.run([Multiaddr(ANYWHERE)]):
        try:
            yield host
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(5):
                await host.close()


@asynccontextmanager
async def visitor(seed):
    """Runs a host of our own network code, for attacks that speak our protocols."""
    async with open_host(bytes([seed]) * 32, [ANYWHERE], log=None, mdns=False) as network:
        yield network


async def call(host, where, protocol):
    info = info_from_p2p_addr(Multiaddr(where))
    with trio.fail_after(PATIENCE):
        if not host.get_network().get_connections(info.peer_id):
            await host.connect(info)
        return await host.new_stream(info.peer_id, [TProtocol(protocol)])


async def served_by(host, where):
    """Returns the protocols that the node says it serves."""
    stream = await call(host, where, IDENTIFY)
    answer = b""
    with suppress(Exception):  # libp2p ends a stream by raising
        while data := await stream.read(65536):
            answer += data
    return set(parse_identify_response(answer).protocols)


def member_gone_bad(home):
    """Returns a member's seed, device and neighbourhood, taken from that member's own home."""
    held = keystore.unlock_key_file(home.path / "keys", PASSPHRASE).keys.devices[0]
    neighbourhood = bytes.fromhex(home("status")["neighbourhood"]["id"])
    return held.seed, bytes.fromhex(home("status")["device"]), neighbourhood


async def inside(network, peer, protocol, secret):
    """Opens a stream to a peer, and the door at its beginning."""
    stream = await network.open_stream(peer, protocol)
    return (await open_door(stream, network.peer_id, secret, os.urandom)).stream


def greeting(seed, device, neighbourhood, sender, receiver):
    signature = hello.prove_membership(seed, neighbourhood, sender, receiver)
    return frames.encode([sync.HELLO, sync.VERSION, device, signature, []])


async def answers(stream):
    """Returns all frames that arrive until the other side ends the stream."""
    decoder, found = frames.Decoder(), []
    with trio.fail_after(PATIENCE), suppress(NetworkError):
        while data := await stream.read():
            found += decoder.feed(data)
    return found


async def first_answer(stream):
    decoder = frames.Decoder()
    with trio.fail_after(PATIENCE):
        while True:
            for frame in decoder.feed(await stream.read()):
                return frame


async def shout(host, where, protocol, data):
    """Writes data to a new stream. Ignores all errors, because the node may cut the stream or the
    connection.
    """
    with suppress(Exception):
        stream = await call(host, where, protocol)
        await stream.write(data)
        await stream.close()
