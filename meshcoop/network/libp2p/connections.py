"""Tracks the connected peers. Turns libp2p's notices about connections into events. An event says
that a peer has connected or has disconnected.
"""

import logging

import trio
from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from meshcoop.network.interface import PeerEvent
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

MAX_WAITING_EVENTS = 4096  # events that may wait for their reader


class PeerTracker(INotifee):
    """Watches a swarm's connections, and sends an event when a peer connects or disconnects."""

    def __init__(self, swarm: NodeSwarm) -> None:
        self._swarm = swarm
        self._reported: dict[str, str] = {}  # connected peer → the address that was reported
        send, receive = trio.open_memory_channel[PeerEvent](MAX_WAITING_EVENTS)
        self._send_channel = send
        self.events = receive

    def peers(self) -> dict[str, str]:
        """Returns the connected peers. The result maps each peer's id to the multiaddr of its
        oldest open connection, with /p2p/ID.
        """
        return {
            peer.to_base58(): _address(connections[0], peer.to_base58())
            for peer, connections in self._swarm.connections.items()
            if connections
        }

    def report_discovered(self, peer: str, address: str) -> None:
        """Sends an event for an address that a node announces."""
        # If nobody reads the events, discoveries are left out first. Anybody in the home network
        # can announce many addresses. These must leave room for the events of connections.
        if self._send_channel.statistics().current_buffer_used < MAX_WAITING_EVENTS // 2:
            self._send(PeerEvent("discovered", peer, address))

    def close(self) -> None:
        """Closes the channel of events. Its reader still gets every event that was sent before."""
        self._send_channel.close()

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        """Reports that a peer has connected, if the new connection is its first one."""
        del network, conn
        self._report_changes()
        await trio.lowlevel.checkpoint()

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        """Reports that a peer has disconnected, if its last connection has closed."""
        del network, conn
        self._report_changes()
        await trio.lowlevel.checkpoint()

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Does nothing. libp2p calls this when a stream opens."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Does nothing. libp2p calls this when a stream closes."""

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Does nothing. libp2p calls this when the node begins to listen."""

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Does nothing. libp2p calls this when the node no longer listens."""

    def _report_changes(self) -> None:
        # libp2p gives one notice for each connection, up to 0.1 s late. If a close is cancelled, it
        # gives none. So each notice compares all connections with what was reported. The next
        # notice makes up for a missing one.
        present = self.peers()
        for peer, address in list(self._reported.items()):
            if peer not in present:
                del self._reported[peer]
                self._swarm.forget_peer(ID.from_base58(peer))
                self._send(PeerEvent("disconnected", peer, address))
        for peer, address in present.items():
            if peer not in self._reported:
                self._reported[peer] = address
                self._send(PeerEvent("connected", peer, address))

    def _send(self, event: PeerEvent) -> None:
        try:
            self._send_channel.send_nowait(event)
        except trio.WouldBlock:
            log.warning("nobody reads the peer events: %s of %s is lost", event.change, event.peer)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            log.debug("nobody listens to peer events any more")


def _address(connection: INetConn, peer: str) -> str:
    addresses = connection.get_transport_addresses()
    address = str(addresses[0]) if addresses else ""
    if "/p2p-circuit" in address:
        return address
    return f"{address.split('/p2p/')[0]}/p2p/{peer}"
