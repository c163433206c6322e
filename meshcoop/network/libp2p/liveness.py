"""Notices peers that are silent without having closed: stopped, unplugged or out of reach."""

import logging

import trio
from libp2p.abc import INetConn
from libp2p.network.swarm import Swarm

from meshcoop.network.libp2p.fault_guard import survive
from meshcoop.network.libp2p.yamux import BoundedYamux

log = logging.getLogger(__name__)

PING_EVERY = 4.0  # seconds
PING_WITHIN = 5.5  # seconds: a small computer that stores a large batch answers late


async def watch_health(swarm: Swarm) -> None:
    """Pings every connection, all at once and again and again, and closes those without answer.

    By default libp2p notices nothing, not in 70 s. Its own health monitor waits a minute before
    its first look, asks one peer after the other (ten silent ones would hide the eleventh for two
    minutes), opens a stream for every ping, and dials replacements by itself.
    """
    while True:
        await trio.sleep(PING_EVERY)
        await look(swarm, PING_WITHIN)


async def look(swarm: Swarm, within: float) -> None:
    """Pings every connection now, and closes those without an answer within so many seconds."""
    async with trio.open_nursery() as nursery:
        for connection in swarm.get_connections():
            nursery.start_soon(_probe, connection, within)


async def _probe(connection: INetConn, within: float) -> None:
    muxed = connection.muxed_conn
    assert isinstance(muxed, BoundedYamux), "Yamux is the only muxer a node offers"
    if not await muxed.answers(within) and not connection.is_closed:
        log.warning("%s does not answer: its connection ends", connection.muxed_conn.peer_id)
        await survive("closing a silent connection", connection.close)
