"""A node's connection to the network. Builds the libp2p host, and closes it again."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import StreamHandlerFn, TProtocol
from libp2p.peer.id import ID
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr

from meshcoop.network.dial_rules import Subnet
from meshcoop.network.interface import (
    Handler,
    Network,
    NetworkError,
    PeerEvent,
    RelayService,
    Stream,
    UnexpectedPeer,
    Validator,
)
from meshcoop.network.libp2p.address import check_listen, parse_circuit_address, parse_peer_address
from meshcoop.network.libp2p.circuit_client import HOP, CircuitClient
from meshcoop.network.libp2p.circuit_relay import CircuitRelay
from meshcoop.network.libp2p.connections import PeerTracker
from meshcoop.network.libp2p.gossipsub import NodePubsub
from meshcoop.network.libp2p.hole_punching import HolePuncher
from meshcoop.network.libp2p.identify import NodeHost
from meshcoop.network.libp2p.identity import key_pair_from_seed, parse_peer_id
from meshcoop.network.libp2p.library_logs import redirect_logs
from meshcoop.network.libp2p.liveness import ping_all
from meshcoop.network.libp2p.mdns import announce
from meshcoop.network.libp2p.stream import PeerStream
from meshcoop.network.libp2p.subnets import find_subnets
from meshcoop.network.libp2p.swarm import HOME_LIMITS, ConnectionLimits, NodeSwarm
from protocol.record.signature import sign_message

log = logging.getLogger(__name__)

CONNECT_WITHIN = 10.0  # seconds
OPEN_WITHIN = 10.0  # seconds
DROP_WITHIN = 5.0  # seconds
LOOK_WITHIN = 2.0  # after this machine's addresses have changed, seconds for peers to answer
CLOSE_WITHIN = 10.0  # seconds to close the connections
STOP_WITHIN = 15.0  # seconds to close everything

_ANSWERING_PEER = re.compile(r"remote_peer_id_from_pubkey=([1-9A-HJ-NP-Za-km-z]{40,60})$")
_OTHER_NODE = "Cannot connect to {address}: another node answers there."


class HostNetwork:
    """Implements meshcoop.network.interface.Network over libp2p."""

    def __init__(self, swarm: NodeSwarm, seed: bytes) -> None:
        self.swarm = swarm
        self._seed = seed
        self.host = NodeHost(swarm)
        self.pubsub = NodePubsub(self.host)
        self.circuits = CircuitClient(self.host, swarm)
        self.puncher = HolePuncher(self.host, swarm, self.pubsub.is_any_topic_shared)
        self.tracker = PeerTracker(swarm)
        swarm.register_notifee(self.tracker)

    @property
    def peer_id(self) -> str:
        """This node's own peer id."""
        return self.host.get_id().to_base58()

    @property
    def addresses(self) -> list[str]:
        """The addresses at which this node listens, with the real port numbers."""
        listeners = self.swarm.listeners.values()
        bound = [address for listener in listeners for address in listener.get_addrs()]
        return [f"{address}/p2p/{self.peer_id}" for address in bound]

    @property
    def subnets(self) -> list[Subnet]:
        """The networks to which this machine belongs."""
        return find_subnets(self.addresses)

    def sign(self, message: bytes) -> bytes:
        """Signs a message with the key of this node's peer id. Returns the signature."""
        return sign_message(message, self._seed)

    @property
    def events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """The events of peers. An event says that a peer has connected, that it has disconnected,
        or that it was discovered.
        """
        return self.tracker.events

    @property
    def observed_addresses(self) -> list[str]:
        """This node's IP addresses, as relays see them."""
        return list(dict.fromkeys(self.puncher.observed_ips.values()))

    async def listen(self, addresses: list[str]) -> None:
        """Replaces the addresses at which this node listens. Skips an address that cannot
        be bound.
        """
        wanted = {address.split("/p2p/")[0] for address in addresses}
        unwanted = [address for address in self.swarm.listeners if address not in wanted]
        for address in unwanted:
            await self.swarm.listeners.pop(address).close()
        for address in sorted(wanted - self.swarm.listeners.keys()):
            try:
                await _listen(self.swarm, [check_listen(address)])
            except NetworkError as error:
                log.warning("%s", error)
        # So connections from an address that this machine has lost are closed at once.
        await ping_all(self.swarm, LOOK_WITHIN)

    def peers(self) -> dict[str, str]:
        """Returns the connected peers: for each peer id, the address of its connection."""
        return self.tracker.peers()

    @contextmanager
    def serve(self, protocol: str, handler: Handler) -> Iterator[None]:
        """Lets `handler` answer the streams of `protocol`, for the block of a `with` statement.

        When the handler returns, its stream is closed. If the handler raises, its stream is reset.
        Raises NetworkError if the protocol is served already.
        """

        async def handle(stream: INetStream) -> None:
            peer_stream = PeerStream(stream)
            await handler(peer_stream)
            await peer_stream.close()

        with self._handle_streams(TProtocol(protocol), handle):
            yield

    async def connect(self, address: str) -> str:
        """Dials `address`, directly or through a relay. Returns the peer's id. Does nothing if the
        peer is connected already.

        If nobody answers, raises NetworkError: within 10 s, or within 20 s through a relay.
        """
        circuit = parse_circuit_address(address)
        if circuit is not None:
            return await self._connect_through_relay(*circuit)
        tcp_address, peer = parse_peer_address(address)
        if peer == self.host.get_id():
            raise NetworkError("{address} is this node itself.", address=address)
        if peer not in self.swarm.connections:
            await self._dial(tcp_address, peer)
        return peer.to_base58()

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a stream to a connected peer. Raises NetworkError within 10 s if that fails."""
        try:
            with trio.fail_after(OPEN_WITHIN):
                stream = await self.host.new_stream(parse_peer_id(peer), [TProtocol(protocol)])
        except trio.TooSlowError:
            raise NetworkError(
                "The peer {peer} did not answer to {protocol}.", peer=peer, protocol=protocol
            ) from None
        except NetworkError:
            raise
        except Exception as error:
            raise NetworkError(
                "Cannot open {protocol} to the peer {peer}.", protocol=protocol, peer=peer
            ) from error
        return PeerStream(stream)

    async def drop(self, peer: str) -> None:
        """Closes every connection to `peer`. Never raises."""
        # Shielded from cancellation: if a close is cancelled, libp2p sends no notice of it.
        with trio.move_on_after(DROP_WITHIN) as limit:
            limit.shield = True
            try:
                await self.swarm.close_peer(parse_peer_id(peer))
            except Exception:
                log.exception("dropping the peer %s", peer)

    @contextmanager
    def serve_relay(self, allowed: Callable[[str], bool]) -> Iterator[RelayService]:
        """Makes this node a relay for the peers that `allowed` accepts, for the block of a `with`
        statement.
        """
        relay = CircuitRelay(self.host, self.swarm, allowed)
        with self._handle_streams(HOP, relay.answer_hop):
            yield relay

    async def reserve(self, relay: str) -> float:
        """Reserves a place at a connected relay. Returns for how many seconds the reservation
        holds.

        Also learns at which address the relay sees this node.
        """
        peer = parse_peer_id(relay)
        seconds = await self.circuits.reserve(peer)
        await self.puncher.learn_observed_address(peer)
        return seconds

    async def upgrade_to_direct(self, peer: str) -> bool:
        """Tries once to replace the circuit to `peer` by a direct connection. Returns True if this
        worked.
        """
        return await self.puncher.punch_hole(parse_peer_id(peer))

    def subscribe(
        self, topic: str, validator: Validator
    ) -> AbstractAsyncContextManager[trio.MemoryReceiveChannel[bytes]]:
        """Takes part in a gossip topic, for the block of an `async with` statement (see
        NodePubsub.join_topic).
        """
        return self.pubsub.join_topic(topic, validator)

    def share_topic(self, topic: str, peers: set[str]) -> None:
        """Shares a topic with exactly these peers (see NodePubsub.share_topic)."""
        self.pubsub.share_topic(topic, {parse_peer_id(peer) for peer in peers})

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends `data` to a gossip topic, with pauses between messages. Raises NetworkError if
        `data` has more than 512 KiB.
        """
        await self.pubsub.send_message(topic, data)

    @contextmanager
    def _handle_streams(self, protocol: TProtocol, handle: StreamHandlerFn) -> Iterator[None]:
        if protocol in self.host.multiselect.get_protocols():
            raise NetworkError("The protocol {protocol} is served already.", protocol=protocol)
        self.host.set_stream_handler(protocol, handle)
        try:
            yield
        finally:
            self.host.remove_stream_handler(protocol)

    async def _connect_through_relay(self, relay_address: str, relay: ID, peer: ID) -> str:
        if self.host.get_id() in {relay, peer}:
            raise NetworkError("A node cannot connect to itself through a relay.")
        if peer not in self.swarm.connections:
            await self.connect(relay_address)
            try:
                with trio.fail_after(CONNECT_WITHIN):
                    await self.circuits.dial(relay, relay_address, peer)
            except trio.TooSlowError:
                raise NetworkError(
                    "Nobody answered behind the relay at {relay_address}.",
                    relay_address=relay_address,
                ) from None
        return peer.to_base58()

    async def _dial(self, address: Multiaddr, peer: ID) -> None:
        # host.connect() is not used. It dials any addresses in the peer store, at most one of each
        # kind. It waits at least 250 ms, and after a failure it refuses the peer for 60 s. libp2p's
        # own code may have put the peer into this cache of refused peers, so the peer is removed
        # from it here.
        self.swarm._negative_peer_cache.evict(str(peer))  # noqa: SLF001 -- no public way
        try:
            with trio.fail_after(CONNECT_WITHIN):
                await self.swarm.dial_addr(address, peer)
        except trio.TooSlowError:
            raise NetworkError(
                "Nobody answered at {address} within {seconds:g} seconds.",
                address=address,
                seconds=CONNECT_WITHIN,
            ) from None
        except Exception as error:
            raise _connect_error(address, error) from error


@asynccontextmanager
async def open_host(
    seed: bytes,
    listen: list[str],
    *,
    log: logging.Handler | None,
    mdns: bool,
    places: ConnectionLimits = HOME_LIMITS,
) -> AsyncIterator[Network]:
    """Runs a node on the network until the block ends. Then closes every task and socket.

    `seed` is the 32-byte Ed25519 seed of the node's network key. `listen` has concrete multiaddrs
    such as /ip4/192.0.2.7/tcp/41234. Port 0 means any free port. `log` receives the warnings of
    libraries. If `log` is None, the warnings are lost.

    With `mdns`, the node announces itself in the home network, and `events` reports the other nodes
    there. The node does not dial them by itself.

    Raises NetworkError if an address cannot be bound. An exception from the block is raised
    unchanged.
    """
    failure: Exception | None = None
    network = HostNetwork(NodeSwarm(key_pair_from_seed(seed), places), seed)
    wanted = [check_listen(address) for address in listen]
    with redirect_logs(log):
        async with trio.open_nursery() as nursery:
            running = trio.Event()
            closing = trio.Event()
            nursery.start_soon(_run, network, running, closing)
            try:
                await running.wait()
                await _listen(network.swarm, wanted)
                async with _discovery(network, on=mdns):
                    yield network
            except Exception as error:  # noqa: BLE001 -- raised again below
                # Raised outside the nursery, which would wrap the exception in a group.
                failure = error
            finally:
                closing.set()
    if failure is not None:
        raise failure


async def _run(network: HostNetwork, running: trio.Event, closing: trio.Event) -> None:
    # Shielded from cancellation, because a cancelled libp2p service stops half-way and leaves its
    # sockets open. If the block is cancelled, the services still end in order here.
    with trio.CancelScope() as scope:
        scope.shield = True
        async with (
            background_trio_service(network.swarm),
            background_trio_service(network.pubsub.gossip),
            background_trio_service(network.pubsub),
        ):
            await network.pubsub.wait_until_ready()
            running.set()
            await closing.wait()
            scope.deadline = trio.current_time() + STOP_WITHIN
            # The host is closed while its services still run. Otherwise its listener would go on
            # as a system task, and tasks and sockets would leak.
            with trio.move_on_after(CLOSE_WITHIN):
                await network.host.close()
    network.tracker.close()
    if scope.cancelled_caught:
        log.warning("the network did not stop within %g seconds", STOP_WITHIN)


async def _listen(swarm: NodeSwarm, wanted: list[Multiaddr]) -> None:
    await swarm.listen(*wanted)
    for address in wanted:
        if str(address) not in swarm.listeners:  # libp2p does not say why
            raise NetworkError(
                "Cannot listen on {address}: another program took it just now.", address=address
            )


def _discovery(network: HostNetwork, *, on: bool) -> AbstractAsyncContextManager[None]:
    if not on:
        return nullcontext()
    return announce(network.peer_id, network.addresses, network.tracker.report_discovered)


def _connect_error(address: Multiaddr, error: BaseException) -> NetworkError:
    answering_peer = _find_answering_peer(error)
    if answering_peer is not None:
        return UnexpectedPeer(_OTHER_NODE, answering_peer, address=address)
    causes = list(_causes(error))
    if any(isinstance(cause, PeerIDMismatchesPubkey) for cause in causes):
        return NetworkError(_OTHER_NODE, address=address)
    if any(isinstance(cause, OSError) for cause in causes):
        return NetworkError(
            "Cannot connect to {address}: nobody listens there, or no way leads there.",
            address=address,
        )
    return NetworkError(
        "Cannot connect to {address}: the other side broke off the handshake.", address=address
    )


def _find_answering_peer(error: BaseException) -> str | None:
    """Finds the peer id of the node that answered instead of the expected one. Returns None if this
    id cannot be seen.
    """
    for cause in _causes(error):
        if isinstance(cause, PeerIDMismatchesPubkey):
            # libp2p puts the id only into the text of the exception.
            match = _ANSWERING_PEER.search(str(cause))
            if match:
                return match[1]
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an exception, then its cause, then the cause of that cause, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
