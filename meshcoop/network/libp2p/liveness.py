"""Notices peers that no longer answer but have not closed their connection. Such peers were stopped
or unplugged, or are out of reach.

By default, libp2p did not notice a stopped peer within 70 s. libp2p's health monitor is not used.
That monitor waits a minute before its first round and asks one peer after the other. So ten silent
peers would hide the eleventh for two minutes. The monitor also opens a stream for every ping, and
dials other peers by itself.
"""

import logging

import trio
from libp2p.abc import INetConn
from libp2p.network.swarm import Swarm

from meshcoop.network.libp2p.fault_guard import contain_faults
from meshcoop.network.libp2p.yamux import BoundedYamux

log = logging.getLogger(__name__)

PING_EVERY = 4.0  # seconds
PING_WITHIN = 5.5  # seconds; a small computer that stores a large batch answers late


async def watch_health(swarm: Swarm) -> None:
    """Pings every connection at intervals. Closes a connection if the peer does not answer."""
    while True:
        await trio.sleep(PING_EVERY)
        await ping_all(swarm, PING_WITHIN)


async def ping_all(swarm: Swarm, within: float) -> None:
    """Pings all connections at once. Closes those that do not answer within `within` seconds."""
    async with trio.open_nursery() as nursery:
        for connection in swarm.get_connections():
            nursery.start_soon(_ping_or_close, connection, within)


async def _ping_or_close(connection: INetConn, within: float) -> None:
    muxed = connection.muxed_conn
    assert isinstance(muxed, BoundedYamux), "Yamux is the only muxer a node offers"
    if not await muxed.answers_ping(within) and not connection.is_closed:
        log.warning("%s does not answer: its connection ends", connection.muxed_conn.peer_id)
        await contain_faults("closing a silent connection", connection.close)
