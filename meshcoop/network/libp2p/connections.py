"""Which peers are here: libp2p's notices of connections, told as one event a peer."""

import logging

import trio
from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from meshcoop.network.interface import PeerEvent
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

EVENTS = 4096  # events that may wait for their reader


class Presence(INotifee):
    """Watches a swarm's connections and feeds the channel of peer events."""

    def __init__(self, swarm: NodeSwarm) -> None:
        self._swarm = swarm
        self._here: dict[str, str] = {}  # peer id → address, as told
        self._send, self.events = trio.open_memory_channel[PeerEvent](EVENTS)

    def peers(self) -> dict[str, str]:
        """Connected peers: id → the multiaddr of the oldest open connection, with /p2p/ID."""
        return {
            peer.to_base58(): _address(connections[0], peer.to_base58())
            for peer, connections in self._swarm.connections.items()
            if connections
        }

    def found(self, peer: str, address: str) -> None:
        """Tells of an address somebody announces. The first to be left out when nobody reads."""
        if self._send.statistics().current_buffer_used < EVENTS // 2:
            self._tell(PeerEvent("discovered", peer, address))

    def close(self) -> None:
        """Ends the channel: its reader sees the end after the last event."""
        self._send.close()

    def _compare(self) -> None:
        # libp2p gives one notice a connection, up to 0.1 s late, and none at all when a close is
        # cancelled; comparing the whole state makes each peer come and go once, and self-heals.
        now = self.peers()
        for peer, address in list(self._here.items()):
            if peer not in now:
                del self._here[peer]
                self._swarm.forget(ID.from_base58(peer))
                self._tell(PeerEvent("disconnected", peer, address))
        for peer, address in now.items():
            if peer not in self._here:
                self._here[peer] = address
                self._tell(PeerEvent("connected", peer, address))

    def _tell(self, event: PeerEvent) -> None:
        try:
            self._send.send_nowait(event)
        except trio.WouldBlock:
            log.warning("nobody reads the peer events: %s of %s is lost", event.what, event.peer)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            log.debug("nobody listens to peer events any more")

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        """A connection is ready."""
        del network, conn
        self._compare()
        await trio.lowlevel.checkpoint()

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        """A connection has ended."""
        del network, conn
        self._compare()
        await trio.lowlevel.checkpoint()

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Nothing to tell."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Nothing to tell."""

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Nothing to tell."""

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Nothing to tell."""


def _address(connection: INetConn, peer: str) -> str:
    addresses = connection.get_transport_addresses()
    address = str(addresses[0]) if addresses else ""
    if "/p2p-circuit" in address:
        return address
    return f"{address.split('/p2p/')[0]}/p2p/{peer}"
