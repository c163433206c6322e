"""Helpers of the network tests: nodes on 127.0.0.1, strangers with a plain libp2p, and functions
that wait.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio
from libp2p import new_host
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.network.stream.net_stream import NetStream
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr

from meshcoop.network.libp2p.host import HostNetwork, open_host
from meshcoop.network.libp2p.swarm import HOME_LIMITS, ConnectionLimits

ANYWHERE = "/ip4/127.0.0.1/tcp/0"
WAIT = 60.0  # seconds: no wait may take longer, and most take far less


def seed(number: int) -> bytes:
    return bytes([number]) * 32


@asynccontextmanager
async def node(
    number: int,
    listen: str = ANYWHERE,
    log_file: Path | None = None,
    places: ConnectionLimits = HOME_LIMITS,
) -> AsyncIterator[HostNetwork]:
    async with open_host(
        seed(number),
        [listen],
        log=None if log_file is None else logging.FileHandler(log_file),
        mdns=False,
        places=places,
    ) as network:
        assert isinstance(network, HostNetwork)
        yield network


@asynccontextmanager
async def stranger() -> AsyncIterator[BasicHost]:
    """Runs a plain libp2p host with all default settings and without our guards."""
    host = new_host()
    assert isinstance(host, BasicHost)
    async with host.run([Multiaddr(ANYWHERE)]):
        try:
            yield host
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(5):
                await host.close()


async def call(host: BasicHost, network: HostNetwork, protocol: str) -> NetStream:
    """Opens a stream from a stranger to a node. All streams of the stranger share one connection."""
    info = info_from_p2p_addr(Multiaddr(network.addresses[0]))
    if not host.get_network().get_connections(info.peer_id):
        await host.connect(info)
    stream = await host.new_stream(info.peer_id, [TProtocol(protocol)])
    assert isinstance(stream, NetStream)
    return stream


async def until(condition: Callable[[], object], within: float = WAIT) -> None:
    """Waits until `condition` holds. If it takes too long, raises TooSlowError."""
    with trio.fail_after(within):
        while not condition():  # noqa: ASYNC110 -- libp2p has no event for most of this
            await trio.sleep(0.01)


def share(topic: str, *networks: HostNetwork) -> None:
    """Lets all of `networks` take part in `topic` with each other, as after accepted hellos."""
    peers = {network.peer_id for network in networks}
    for network in networks:
        network.share_topic(topic, peers - {network.peer_id})


async def meshed(topic: str, *networks: HostNetwork) -> None:
    """Shares `topic` among `networks`, and waits until each has a peer in its gossip mesh for it."""
    share(topic, *networks)
    await until(lambda: all(each.pubsub.gossip.mesh.get(topic) for each in networks))


async def alive(network: HostNetwork, number: int = 99) -> None:
    """Fails unless `network` still works: it accepts an honest node, answers the node and passes
    gossip on.
    """
    async with node(number) as honest, AsyncExitStack() as registered:
        registered.enter_context(network.serve("/alive/1", _echo))
        with trio.fail_after(WAIT):
            await honest.connect(network.addresses[0])
            stream = await honest.open_stream(network.peer_id, "/alive/1")
            await stream.write(b"still there?")
            assert await stream.read() == b"still there?"
            await stream.close()
        topic = f"alive/{number}"
        inbox = await registered.enter_async_context(network.subscribe(topic, lambda _: True))
        await registered.enter_async_context(honest.subscribe(topic, lambda _: True))
        await meshed(topic, network, honest)
        with trio.fail_after(WAIT):
            await honest.publish(topic, b"news")
            assert await inbox.receive() == b"news"


async def _echo(stream) -> None:
    while data := await stream.read():
        await stream.write(data)
