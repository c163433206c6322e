"""Hole punching: replaces a circuit (a connection through a relay) by a direct connection between
two nodes behind NATs. A NAT is a router that translates addresses. This is libp2p's DCUtR.

Both nodes dial each other at the same moment, each from the port at which it listens. Each NAT then
takes the other node's packets for answers. This works if the NATs keep the port numbers of packets:
it worked in 5 of 5 tries. It fails if a NAT changes them: it worked in 0 of 2 tries. So the node
tries only once. If the try fails, the circuit stays.

libp2p's own code is not used (specs/decisions/0034). libp2p's code dials the addresses in the peer
store, and starts by itself every two seconds.
"""

import ipaddress
import logging
import socket
from collections.abc import Callable

import trio
from libp2p.abc import IHost, INetStream
from libp2p.custom_types import TProtocol
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.identify import parse_identify_response
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.dcutr_pb2 import HolePunch
from multiaddr import Multiaddr

from meshcoop.network.dial_rules import Subnet, may_dial
from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.circuit_client import is_relayed
from meshcoop.network.libp2p.fault_guard import contain_faults
from meshcoop.network.libp2p.protobuf_stream import (
    ANSWER_WITHIN,
    read_first_message,
    receive_message,
    send_message,
)
from meshcoop.network.libp2p.subnets import find_subnets
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

DCUTR = TProtocol("/libp2p/dcutr")
ROUNDS = 3
DIAL_WITHIN = 3.0  # seconds for each of the ROUNDS
MAX_ADDRESSES = 4
MOST_ANSWERS = 3  # to one peer in an hour; an honest peer asks once for each circuit
_HOUR = 3600.0  # seconds
_IDENTITY_BYTES = 16 * 1024


class HolePuncher:
    """Replaces circuits by direct connections, and answers peers that ask for this.

    `is_trusted` returns whether a peer has proved that it belongs to a neighbourhood of this node.
    Other peers learn no address here, and cannot make this node dial anybody.
    """

    def __init__(self, host: IHost, swarm: NodeSwarm, is_trusted: Callable[[ID], bool]) -> None:
        self._host = host
        self._swarm = swarm
        self._is_trusted = is_trusted
        self.observed_ips: dict[ID, str] = {}  # relay → the IP address from which it sees this node
        self._answered: dict[ID, list[float]] = {}  # peer → times of the answers of the last hour
        self._busy: set[ID] = set()  # peers with which an attempt is under way
        host.set_stream_handler(DCUTR, self._answer_punch)

    async def learn_observed_address(self, relay: ID) -> None:
        """Asks a relay from which IP address the relay sees this node. Raises nothing if there is
        no answer.
        """
        try:
            with trio.fail_after(ANSWER_WITHIN):
                stream = await self._host.new_stream(relay, [TProtocol(IDENTIFY)])
                identity = await _read_identity(stream)
                await stream.close()
            address = Multiaddr(parse_identify_response(identity).observed_addr)
            ip = ipaddress.ip_address(address.value_for_protocol("ip4"))
            self.observed_ips[relay] = str(ip)
        except Exception as error:  # noqa: BLE001 -- the relay chooses what is raised here
            log.info("%s does not say from where it sees this node: %r", relay, error)

    async def punch_hole(self, peer: ID) -> bool:
        """Tries once to replace the circuit to `peer` by a direct connection.

        Returns True if there is a direct connection now. Both nodes must have learned at which
        address relays see them. Raises NetworkError if one of them has not learned this yet, or if
        an attempt with this peer is under way.
        """
        own_addresses = self._predicted_addresses()
        if peer in self._busy or not own_addresses:
            raise NetworkError("No relay has reported this node's address yet.")
        self._busy.add(peer)
        try:
            peer_addresses = await self._agree_to_punch(peer, own_addresses)
            # By the definition of libp2p, the node that asked is the server of the direct
            # connection.
            return await self._dial_peer(peer, peer_addresses, as_server=True)
        except NetworkError:
            raise
        except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
            log.info("no hole to %s: %r", peer, error)
            return False
        finally:
            self._busy.discard(peer)

    async def _agree_to_punch(self, peer: ID, own_addresses: list[bytes]) -> list[bytes]:
        """Exchanges addresses with a peer. Then waits until the moment when this node must dial,
        and returns the peer's addresses.

        Raises NetworkError if the peer does not know its own address yet.
        """
        with trio.fail_after(ANSWER_WITHIN):
            stream = await self._host.new_stream(peer, [DCUTR])
            sent_at = trio.current_time()
            await send_message(stream, HolePunch(type=HolePunch.CONNECT, ObsAddrs=own_addresses))
            answer = await receive_message(stream, HolePunch)
            one_way_seconds = (trio.current_time() - sent_at) / 2
            if not answer.ObsAddrs:
                await stream.reset()
                raise NetworkError("No relay has reported the peer's address yet.")
            await send_message(stream, HolePunch(type=HolePunch.SYNC))
            await stream.close()
        # The peer dials when SYNC arrives, which takes half a round trip.
        await trio.sleep(min(one_way_seconds, 1.0))
        return list(answer.ObsAddrs)

    async def _answer_punch(self, stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id
        request = await read_first_message(stream, HolePunch)
        connections = self._swarm.get_connections(peer)
        is_over_circuit = any(is_relayed(connection) for connection in connections)
        is_welcome = is_over_circuit and self._is_trusted(peer) and peer not in self._busy
        if request is None or not is_welcome or not self._may_answer(peer):
            await stream.reset()
            return
        self._busy.add(peer)
        try:
            own_addresses = self._predicted_addresses()
            await send_message(stream, HolePunch(type=HolePunch.CONNECT, ObsAddrs=own_addresses))
            if own_addresses and await read_first_message(stream, HolePunch) is not None:
                await stream.close()
                await self._dial_peer(peer, list(request.ObsAddrs), as_server=False)
        finally:
            self._busy.discard(peer)

    def _may_answer(self, peer: ID) -> bool:
        """R-08.12b: returns whether this node answers this peer once more in this hour, and counts
        the answer.

        Without a limit, a peer could name another address each time, and make this node dial all of
        them.
        """
        now = trio.current_time()
        recent = [time for time in self._answered.get(peer, ()) if time > now - _HOUR]
        is_allowed = len(recent) < MOST_ANSWERS
        self._answered[peer] = [*recent, now] if is_allowed else recent
        return is_allowed

    async def _dial_peer(self, peer: ID, peer_addresses: list[bytes], *, as_server: bool) -> bool:
        """Dials all addresses of a peer at once. Returns True if this leads to a direct
        connection.
        """
        listeners = self._swarm.listeners.values()
        subnets = find_subnets(
            str(address) for listener in listeners for address in listener.get_addrs()
        )
        parsed = [_parse_dialable(address, subnets) for address in peer_addresses[:MAX_ADDRESSES]]
        addresses = [address for address in parsed if address is not None]
        for _ in range(ROUNDS):
            with trio.move_on_after(DIAL_WITHIN):
                async with trio.open_nursery() as nursery:
                    for address in addresses:
                        nursery.start_soon(self._keep_dialling, address, peer, as_server)
                    while addresses and not self._is_direct(peer):  # noqa: ASYNC110 -- no event
                        await trio.sleep(0.05)
                    nursery.cancel_scope.cancel()
            if self._is_direct(peer):
                await self._close_circuits(peer)
                return True
        return False

    async def _keep_dialling(self, address: Multiaddr, peer: ID, as_server: bool) -> None:
        source = self._source_address(str(address.value_for_protocol("ip4")))
        if source is None:
            return
        dial = self._swarm.dial_addr_as_responder if as_server else self._swarm.dial_addr
        while True:  # until cancelled, because an attempt may be a moment too early
            try:
                await dial(address, peer, source)
            except Exception as error:  # noqa: BLE001 -- libp2p raises several kinds of error
                log.debug("no hole yet at %s: %r", address, error)
            await trio.sleep(0.1)

    def _is_direct(self, peer: ID) -> bool:
        connections = self._swarm.get_connections(peer)
        return any(not is_relayed(connection) for connection in connections)

    async def _close_circuits(self, peer: ID) -> None:
        """Closes the circuits to a peer. Their streams will be opened again over the direct
        connection.
        """
        log.info("%s is connected directly now", peer)
        for connection in self._swarm.get_connections(peer):
            if is_relayed(connection):
                await contain_faults("leaving a circuit", connection.close)

    def _listen_addresses(self) -> list[tuple[str, int]]:
        """Returns the IPv4 addresses and ports at which this node listens. Leaves out loopback
        addresses.
        """
        listeners = self._swarm.listeners.values()
        bound = [address for listener in listeners for address in listener.get_addrs()]
        return [
            (str(address.value_for_protocol("ip4")), int(address.value_for_protocol("tcp") or 0))
            for address in bound
            if str(address).startswith("/ip4/") and not str(address).startswith("/ip4/127.")
        ]

    def _predicted_addresses(self) -> list[bytes]:
        """Returns the addresses at which peers can reach this node if its NAT keeps port numbers.

        Each of them combines an IP address that relays see with a port at which this node listens.
        """
        ports = {port for _, port in self._listen_addresses()}
        ips = dict.fromkeys(self.observed_ips.values())
        addresses = [Multiaddr(f"/ip4/{ip}/tcp/{port}") for ip in ips for port in ports]
        return [address.to_bytes() for address in addresses[:MAX_ADDRESSES]]

    def _source_address(self, target: str) -> tuple[str, int] | None:
        """Returns the address and port from which this node sends packets to `target`. Returns None
        if the node does not listen at this address.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))  # sends nothing: the system only chooses the route
            except OSError:
                return None
            own_ip = probe.getsockname()[0]
        return next(((ip, port) for ip, port in self._listen_addresses() if ip == own_ip), None)


async def _read_identity(stream: INetStream) -> bytes:
    """Reads a peer's identify message, in which the peer describes itself. Stops reading at a size
    limit.
    """
    identity = b""
    while len(identity) < _IDENTITY_BYTES:
        try:
            piece = await stream.read(_IDENTITY_BYTES)
        except StreamEOF:  # at the end, libp2p raises this instead of returning b""
            break
        if not piece:
            break
        identity += piece
    return identity


def _parse_dialable(claimed: bytes, subnets: list[Subnet]) -> Multiaddr | None:
    """Parses an IPv4 address that a peer claims. Returns None if this node must not dial the
    address.

    Without this check, a peer could make this node dial services of this node's own machine or
    network.
    """
    try:
        address = Multiaddr(claimed)
        ip = address.value_for_protocol("ip4")
        port = address.value_for_protocol("tcp")
    except Exception:  # noqa: BLE001 -- multiaddr raises several kinds of error
        return None
    place = f"/ip4/{ip}/tcp/{port}"
    return Multiaddr(place) if may_dial(place, subnets) else None
