"""Notices peers that are silent without having closed: stopped, unplugged or out of reach."""

import logging

import trio
from libp2p.abc import INetConn
from libp2p.network.health.ping_probe import ping_connection
from libp2p.network.swarm import Swarm

from meshcoop.net.guard import survive

log = logging.getLogger("meshcoop.net.health")

PING_EVERY = 15.0  # seconds
PING_WITHIN = 10.0  # seconds: a small computer that verifies a large batch answers late


async def watch_health(swarm: Swarm) -> None:
    """Pings every connection, all at once and again and again, and closes those without answer.

    By default libp2p notices nothing, not in 70 s. Its own health monitor waits a minute before
    its first look, asks one peer after the other (ten silent ones would hide the eleventh for two
    minutes), and dials replacements by itself.
    """
    while True:
        await trio.sleep(PING_EVERY)
        async with trio.open_nursery() as nursery:
            for connection in swarm.get_connections():
                nursery.start_soon(_probe, connection)


async def _probe(connection: INetConn) -> None:
    answer = await ping_connection(connection, ping_timeout=PING_WITHIN)
    if not answer.success and not connection.is_closed:
        log.warning("%s does not answer: its connection ends", connection.muxed_conn.peer_id)
        await survive("closing a silent connection", connection.close)
