"""The node's connections: which ones the node accepts, how long a handshake may take, and when the
node dials.

libp2p's defaults do not suit a neighbourhood. With them, 600 silent sockets kept an honest
connection out for more than 15 s. libp2p's auto-connector dials every known peer until there are
200 connections.
"""

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

MAX_HANDSHAKES = 64  # at the same time
HANDSHAKE_WITHIN = 10.0  # seconds for a handshake, or to agree on the protocol of a stream


class ConnectionLimits(NamedTuple):
    """How many connections a node may have.

    `total` is the largest number of connections. Other nodes may open at most `inbound` of them;
    the rest is for peers that the node dials. `per_ip` is the largest number of connections that
    one IP address may open. So one machine with many keys cannot take every place.
    """

    total: int
    inbound: int
    per_ip: int


HOME_LIMITS = ConnectionLimits(total=128, inbound=96, per_ip=32)
# Many homes may share one IP address of their internet provider.
RELAY_LIMITS = ConnectionLimits(total=1024, inbound=960, per_ip=128)


class HandshakeSlots:
    """Limits the connections that are still in their handshake: each takes a slot. A new connection
    always gets a slot.

    If all slots are taken, the IP address with the most slots loses its oldest slot.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._holders: dict[trio.CancelScope, str] = {}  # scope → IP address, oldest first

    def acquire(self, ip: str) -> trio.CancelScope:
        """Gives a slot to a connection from `ip`: the right to do its handshake now. Returns a
        cancel scope, in which the caller does the handshake.

        A later connection may take the slot away. Then the scope is cancelled.
        """
        if len(self._holders) >= self._count:
            self._cancel_one()
        scope = trio.CancelScope()
        self._holders[scope] = ip
        return scope

    def release(self, scope: trio.CancelScope) -> None:
        """Gives back the slot of a connection. Does nothing if another connection has taken the
        slot away.
        """
        self._holders.pop(scope, None)

    def _cancel_one(self) -> None:
        [(largest_holder, _)] = Counter(self._holders.values()).most_common(1)
        oldest, *_ = (scope for scope, ip in self._holders.items() if ip == largest_holder)
        del self._holders[oldest]
        oldest.cancel()


class TidyListener(TCPListener):
    """A TCP listener that leaves no task behind if it cannot listen."""

    async def listen(self, maddr: Multiaddr) -> None:
        """Starts to listen. Raises OpenConnectionError if the address cannot be bound."""
        try:
            await super().listen(maddr)
        except OpenConnectionError:
            # libp2p forgets the listener, but does not end its system task.
            await self.close()
            raise


class TidyTCP(TCP):
    """libp2p's TCP transport, which makes listeners of the class TidyListener."""

    def create_listener(self, handler_function: THandler) -> TidyListener:
        """Makes a listener that hands each new connection to `handler_function`."""
        return TidyListener(handler_function)


class NoAutoConnector(AutoConnector):
    """Takes the place of libp2p's auto-connector, and dials nobody.

    libp2p's auto-connector dials every known peer until there are 200 connections. No setting stops
    it, not even `low_watermark=0`. In meshcoop, the node's peer manager decides which peers to
    dial.
    """

    async def maybe_connect(self) -> None:
        """Does nothing. libp2p calls this to open more connections."""
        await trio.lowlevel.checkpoint()


class NodeSwarm(Swarm):
    """libp2p's swarm (all connections of a node), with guards and limits. The swarm dials only when
    the node asks for it.
    """

    def __init__(self, keys: KeyPair, limits: ConnectionLimits = HOME_LIMITS) -> None:
        peer = ID.from_pubkey(keys.public_key)
        store = PeerStore()
        store.add_key_pair(peer, keys)
        # There is no resource manager. libp2p's default one chooses limits of rates and memory by
        # itself, and does not apply its limits per IP address. The limits here replace it.
        super().__init__(
            peer,
            store,
            _upgrader(keys),
            [TidyTCP()],
            # Each call makes one attempt. The peer manager decides when to try again.
            RetryConfig(max_retries=0),
            _connection_config(limits.total),
        )
        self.auto_connector = NoAutoConnector(self)
        self.limits = limits
        self._handshakes = HandshakeSlots(MAX_HANDSHAKES)
        self._inbound: Counter[str] = Counter()

    async def run(self) -> None:
        """Runs the swarm. A fault in one of its tasks does not end the swarm."""
        guard_tasks(self.manager)
        self.manager.run_daemon_task(watch_health, self)
        await super().run()

    def set_stream_handler(self, stream_handler: StreamHandlerFn) -> None:
        """Sets the handler that the host uses for all streams. Puts a guard around this handler."""
        super().set_stream_handler(StreamGuard(stream_handler))

    async def dial_peer(self, peer_id: ID) -> list[INetConn]:
        """Returns the open connections to a peer, and opens no new one. Raises SwarmException if no
        connection is open.

        libp2p calls this whenever it wants a stream to a peer that is not connected, even for
        gossip. libp2p's own method would dial addresses from the peer store. Any peer may have put
        these addresses there.
        """
        connections = self.get_connections(peer_id)
        open_connections = [connection for connection in connections if not connection.is_closed]
        if not open_connections:
            raise SwarmException(f"not connected to {peer_id}")
        await trio.lowlevel.checkpoint()
        return open_connections

    async def dial_peer_replacement(self, peer_id: ID) -> INetConn | None:
        """Does nothing. libp2p calls this after its health check has ended a connection. In
        meshcoop, the peer manager decides whether to dial again.
        """
        del peer_id
        await trio.lowlevel.checkpoint()
        return None

    def forget_peer(self, peer_id: ID) -> None:
        """After a peer has gone, forgets what the peer said about itself. libp2p would keep these
        data for ever.
        """
        with suppress(PeerStoreError):
            self.peerstore.clear_peerdata(peer_id)

    async def _handle_inbound_connection(
        self, read_write_closer: ReadWriteCloser, maddr: Multiaddr
    ) -> None:
        # This replaces libp2p's method, which never frees the place of an inbound connection. After
        # max_connections - min_connections of them in all (250 by default), nobody could connect.
        remote = read_write_closer.get_remote_address()
        ip = remote[0] if remote else ""
        is_full = self._inbound.total() >= self.limits.inbound
        if is_full or self._inbound[ip] >= self.limits.per_ip:
            return  # the listener closes the socket when this handler returns
        slot = self._handshakes.acquire(ip)
        try:
            with slot:
                raw_connection = RawConnection(read_write_closer, initiator=False)
                muxed = await self.upgrade_inbound_raw_conn(raw_connection, maddr)
        finally:
            self._handshakes.release(slot)
        if slot.cancelled_caught:
            return
        assert isinstance(muxed, BoundedYamux), "Yamux is the only muxer a node offers"
        self._inbound[ip] += 1
        try:
            await muxed.event_closed.wait()
        finally:
            self._inbound[ip] -= 1
            # Adding an empty Counter removes the addresses that have no connection left.
            self._inbound += Counter()


def _upgrader(keys: KeyPair) -> TransportUpgrader:
    # Only Noise is offered. libp2p also offers plaintext and secio. With those, anyone could claim
    # any id.
    noise = NoiseTransport(keys, noise_privkey=create_new_key_pair().private_key)
    upgrader = TransportUpgrader({NOISE: noise}, {})
    upgrader.muxer_multistream = BoundedMuxers({TProtocol(YAMUX): BoundedYamux})
    return upgrader


def _connection_config(max_connections: int) -> ConnectionConfig:
    return ConnectionConfig(
        max_connections=max_connections,
        min_connections=0,
        low_watermark=0,
        high_watermark=max_connections,
        inbound_upgrade_timeout=HANDSHAKE_WITHIN,
        outbound_upgrade_timeout=HANDSHAKE_WITHIN,
        inbound_stream_protocol_negotiation_timeout=HANDSHAKE_WITHIN,
        outbound_stream_protocol_negotiation_timeout=HANDSHAKE_WITHIN,
    )
