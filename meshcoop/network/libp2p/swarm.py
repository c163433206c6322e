"""The node's connections: who may come in, how long a handshake may take, and who may dial."""

from collections import Counter
from contextlib import suppress
from typing import NamedTuple

import trio
from libp2p.abc import INetConn
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair
from libp2p.custom_types import StreamHandlerFn, THandler, TProtocol
from libp2p.io.abc import ReadWriteCloser
from libp2p.network.auto_connector import AutoConnector
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.exceptions import SwarmException
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore, PeerStoreError
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.transport.exceptions import OpenConnectionError
from libp2p.transport.tcp.tcp import TCP, TCPListener
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr

from meshcoop.network.libp2p.fault_guard import StreamGuard, guard_tasks
from meshcoop.network.libp2p.liveness import watch_health
from meshcoop.network.libp2p.yamux import BoundedMuxers, BoundedYamux

HALF_OPEN = 64  # connections that have not finished their handshake
HANDSHAKE_WITHIN = 10.0  # seconds, for the handshake and for the protocol of a stream


class Places(NamedTuple):
    """How many connections a node has at most: `inbound` of them from others, for the rest is for
    peers that it chose itself, and `of_one_ip`, so that one host with many keys takes not every
    place.
    """

    all: int
    inbound: int
    of_one_ip: int


OF_A_HOME = Places(128, 96, 32)
OF_A_RELAY = Places(1024, 960, 128)  # many homes may share a provider's address


class Lobby:
    """The connections in their handshake: bounded, and a newcomer always gets in.

    600 sockets that say nothing kept an honest connection out of libp2p for more than 15 s. When
    the lobby is full, the address that holds most of it loses its oldest place.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._guests: dict[trio.CancelScope, str] = {}  # scope → IP address, oldest first

    def enter(self, ip: str) -> trio.CancelScope:
        """A place for `ip`: work in this scope, which is cancelled when the place is lost."""
        if len(self._guests) >= self._places:
            [(crowd, _)] = Counter(self._guests.values()).most_common(1)
            oldest = next(scope for scope, guest in self._guests.items() if guest == crowd)
            del self._guests[oldest]
            oldest.cancel()
        scope = trio.CancelScope()
        self._guests[scope] = ip
        return scope

    def leave(self, scope: trio.CancelScope) -> None:
        """Gives the place back, if it is not lost already."""
        self._guests.pop(scope, None)


class TidyListener(TCPListener):
    """A TCP listener that leaves nothing behind when it cannot listen."""

    async def listen(self, maddr: Multiaddr) -> None:
        """Starts to listen. Raises OpenConnectionError."""
        try:
            await super().listen(maddr)
        except OpenConnectionError:
            # libp2p forgets the listener and lets its system task run on.
            await self.close()
            raise


class TidyTCP(TCP):
    """libp2p's TCP transport with tidy listeners."""

    def create_listener(self, handler_function: THandler) -> TidyListener:
        """A listener that hands each new connection to `handler_function`."""
        return TidyListener(handler_function)


class StayHome(AutoConnector):
    """libp2p's auto-connector dials every peer it has heard of, towards 200 connections.

    No setting stops it. Whom to dial is decided by the node's own peer manager.
    """

    async def maybe_connect(self) -> None:
        """Dials nobody."""
        await trio.lowlevel.checkpoint()


class NodeSwarm(Swarm):
    """libp2p's swarm with guards, bounds and no will of its own."""

    def __init__(self, keys: KeyPair, places: Places = OF_A_HOME) -> None:
        peer = ID.from_pubkey(keys.public_key)
        store = PeerStore()
        store.add_key_pair(peer, keys)
        # No resource manager: libp2p's default one limits by rates and free memory of its own
        # choosing, and its caps per IP address are not applied. The bounds here replace it.
        super().__init__(
            peer,
            store,
            _upgrader(keys),
            [TidyTCP()],
            # One attempt a call: back-off is the peer manager's.
            RetryConfig(max_retries=0),
            _connection_config(places.all),
        )
        self.auto_connector = StayHome(self)
        self.places = places
        self._lobby = Lobby(HALF_OPEN)
        self._inbound: Counter[str] = Counter()

    async def run(self) -> None:
        """The service's main task."""
        guard_tasks(self.manager)
        self.manager.run_daemon_task(watch_health, self)
        await super().run()

    def set_stream_handler(self, stream_handler: StreamHandlerFn) -> None:
        """Takes the host's common stream handler and puts a guard around it."""
        super().set_stream_handler(StreamGuard(stream_handler))

    async def dial_peer(self, peer_id: ID) -> list[INetConn]:
        """The open connections to a peer; never a new one. Raises SwarmException without any.

        libp2p calls this whenever a stream to an unconnected peer is wanted, by gossip too, and
        dials addresses that the peer itself, or another, has put into the peer store.
        """
        connections = [each for each in self.get_connections(peer_id) if not each.is_closed]
        if not connections:
            raise SwarmException(f"not connected to {peer_id}")
        await trio.lowlevel.checkpoint()
        return connections

    async def dial_peer_replacement(self, peer_id: ID) -> INetConn | None:
        """Nothing: the health check may end a connection, not dial on its own."""
        del peer_id
        await trio.lowlevel.checkpoint()
        return None

    def forget(self, peer_id: ID) -> None:
        """Drops what a peer that has left said of itself: libp2p would keep it for ever."""
        with suppress(PeerStoreError):
            self.peerstore.clear_peerdata(peer_id)

    async def _handle_inbound_connection(
        self, read_write_closer: ReadWriteCloser, maddr: Multiaddr
    ) -> None:
        # Replaces libp2p's, which keeps the place of an inbound connection until the swarm stops:
        # after max_connections - min_connections of them, over whatever time, nobody gets in.
        remote = read_write_closer.get_remote_address()
        ip = remote[0] if remote else ""
        many = self._inbound.total() >= self.places.inbound
        if many or self._inbound[ip] >= self.places.of_one_ip:
            return  # the listener closes the socket of a handler that returns
        place = self._lobby.enter(ip)
        try:
            with place:
                raw = RawConnection(read_write_closer, initiator=False)
                muxed = await self.upgrade_inbound_raw_conn(raw, maddr)
        finally:
            self._lobby.leave(place)
        if place.cancelled_caught:
            return
        assert isinstance(muxed, BoundedYamux), "Yamux is the only muxer a node offers"
        self._inbound[ip] += 1
        try:
            await muxed.event_closed.wait()
        finally:
            self._inbound[ip] -= 1
            self._inbound += Counter()  # forgets the addresses that hold nothing


def _upgrader(keys: KeyPair) -> TransportUpgrader:
    # libp2p's default offers plaintext and secio beside Noise, and so lets anyone claim any id.
    noise = NoiseTransport(keys, noise_privkey=create_new_key_pair().private_key)
    upgrader = TransportUpgrader({NOISE: noise}, {})
    upgrader.muxer_multistream = BoundedMuxers({TProtocol(YAMUX): BoundedYamux})
    return upgrader


def _connection_config(most: int) -> ConnectionConfig:
    return ConnectionConfig(
        max_connections=most,
        min_connections=0,
        low_watermark=0,
        high_watermark=most,
        inbound_upgrade_timeout=HANDSHAKE_WITHIN,
        outbound_upgrade_timeout=HANDSHAKE_WITHIN,
        inbound_stream_protocol_negotiation_timeout=HANDSHAKE_WITHIN,
        outbound_stream_protocol_negotiation_timeout=HANDSHAKE_WITHIN,
    )
