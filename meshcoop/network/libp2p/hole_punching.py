"""Hole punching: from a circuit to a direct connection between two NATs (libp2p's DCUtR).

Both nodes dial each other at the same moment from the port at which they listen, so that each NAT
takes the other's packets for answers. It works where a NAT keeps ports; once is tried, and where
that fails the circuit stays.
"""

import ipaddress
import logging
import socket

import trio
from libp2p.abc import IHost, INetStream
from libp2p.custom_types import TProtocol
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.identify import parse_identify_response
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.dcutr_pb2 import HolePunch
from multiaddr import Multiaddr

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.circuit_client import relayed
from meshcoop.network.libp2p.fault_guard import survive
from meshcoop.network.libp2p.protobuf_stream import ANSWER_WITHIN, heard, receive, send
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

DCUTR = TProtocol("/libp2p/dcutr")
ROUNDS = 3
DIAL_WITHIN = 3.0  # seconds, a round
MOST_ADDRESSES = 4
_IDENTITY_BYTES = 16 * 1024


class Puncher:
    """Makes holes, and answers who wants one."""

    def __init__(self, host: IHost, swarm: NodeSwarm) -> None:
        self._host, self._swarm = host, swarm
        self.seen_as: dict[ID, str] = {}  # relay → the IP address from which it sees this node
        self._busy: set[ID] = set()
        host.set_stream_handler(DCUTR, self._answer)

    async def look(self, relay: ID) -> None:
        """Asks a relay from where it sees this node. Raises nothing: a NAT may hide it."""
        try:
            with trio.fail_after(ANSWER_WITHIN):
                stream = await self._host.new_stream(relay, [TProtocol(IDENTIFY)])
                said = b""
                while len(said) < _IDENTITY_BYTES and (more := await _read(stream)):
                    said += more
                await stream.close()
            seen = Multiaddr(parse_identify_response(said).observed_addr)
            self.seen_as[relay] = str(ipaddress.ip_address(seen.value_for_protocol("ip4")))
        except Exception as error:  # noqa: BLE001 -- the relay chooses what is raised here
            log.info("%s does not say from where it sees this node: %r", relay, error)

    async def punch(self, peer: ID) -> bool:
        """Tries once to make the circuit to `peer` a direct connection; whether it is one now.
        Raises NetworkError while either side does not know where it is seen.
        """
        own = self._predicted()
        if peer in self._busy or not own:
            raise NetworkError("No relay has said yet from where it sees this node.")
        self._busy.add(peer)
        try:
            with trio.fail_after(ANSWER_WITHIN):
                stream = await self._host.new_stream(peer, [DCUTR])
                began = trio.current_time()
                await send(stream, HolePunch(type=HolePunch.CONNECT, ObsAddrs=own))
                theirs = await receive(stream, HolePunch)
                half = (trio.current_time() - began) / 2
                if not theirs.ObsAddrs:
                    await stream.reset()
                    raise NetworkError("The peer does not know yet from where it is seen.")
                await send(stream, HolePunch(type=HolePunch.SYNC))
                await stream.close()
            await trio.sleep(min(half, 1.0))
            # libp2p's roles: who asked is the server on the connection that both dial.
            return await self._dial(peer, theirs, serve=True)
        except NetworkError:
            raise
        except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
            log.info("no hole to %s: %r", peer, error)
            return False
        finally:
            self._busy.discard(peer)

    async def _answer(self, stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id
        theirs = await heard(stream, HolePunch)
        through = any(relayed(one) for one in self._swarm.get_connections(peer))
        if theirs is None or not through or peer in self._busy:
            await stream.reset()
            return
        self._busy.add(peer)
        try:
            own = self._predicted()
            await send(stream, HolePunch(type=HolePunch.CONNECT, ObsAddrs=own))
            if own and await heard(stream, HolePunch) is not None:
                await stream.close()
                await self._dial(peer, theirs, serve=False)
        finally:
            self._busy.discard(peer)

    async def _dial(self, peer: ID, theirs: HolePunch, *, serve: bool) -> bool:
        where = [one for raw in theirs.ObsAddrs[:MOST_ADDRESSES] if (one := _public(raw))]
        for _ in range(ROUNDS):
            with trio.move_on_after(DIAL_WITHIN):
                async with trio.open_nursery() as nursery:
                    for address in where:
                        nursery.start_soon(self._dial_one, address, peer, serve)
                    while where and not self._direct(peer):  # noqa: ASYNC110 -- no event for it
                        await trio.sleep(0.05)
                    nursery.cancel_scope.cancel()
            if self._direct(peer):
                await self._leave_circuit(peer)
                return True
        return False

    async def _dial_one(self, address: Multiaddr, peer: ID, serve: bool) -> None:
        source = self._source(str(address.value_for_protocol("ip4")))
        if source is None:
            return
        dial = self._swarm.dial_addr_as_responder if serve else self._swarm.dial_addr
        while True:  # until it is cancelled: each attempt may be a moment too early
            try:
                await dial(address, peer, source)
            except Exception as error:  # noqa: BLE001 -- libp2p raises several kinds of error
                log.debug("no hole yet at %s: %r", address, error)
            await trio.sleep(0.1)

    def _direct(self, peer: ID) -> bool:
        return any(not relayed(one) for one in self._swarm.get_connections(peer))

    async def _leave_circuit(self, peer: ID) -> None:
        """What runs over the circuit begins again over the direct connection."""
        log.info("%s is connected directly now", peer)
        for connection in self._swarm.get_connections(peer):
            if relayed(connection):
                await survive("leaving a circuit", connection.close)

    def _listening(self) -> list[tuple[str, int]]:
        bound = [each for one in self._swarm.listeners.values() for each in one.get_addrs()]
        return [
            (str(one.value_for_protocol("ip4")), int(one.value_for_protocol("tcp") or 0))
            for one in bound
            if str(one).startswith("/ip4/") and not str(one).startswith("/ip4/127.")
        ]

    def _predicted(self) -> list[bytes]:
        """Where this node is dialled if its NAT keeps ports: what relays see, at the own port."""
        ports = {port for _, port in self._listening()}
        seen = dict.fromkeys(self.seen_as.values())
        found = [Multiaddr(f"/ip4/{ip}/tcp/{port}").to_bytes() for ip in seen for port in ports]
        return found[:MOST_ADDRESSES]

    def _source(self, target: str) -> tuple[str, int] | None:
        """The listening address from which packets to `target` leave."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))  # sends nothing
            except OSError:
                return None
            own = probe.getsockname()[0]
        return next(((ip, port) for ip, port in self._listening() if ip == own), None)


async def _read(stream: INetStream) -> bytes:
    try:
        return await stream.read(_IDENTITY_BYTES)
    except StreamEOF:
        return b""


def _public(raw: bytes) -> Multiaddr | None:
    """A dialable IPv4 address that a peer claims; loopback and multicast are none."""
    try:
        address = Multiaddr(raw)
        ip = ipaddress.ip_address(str(address.value_for_protocol("ip4")))
        port = int(address.value_for_protocol("tcp") or 0)
    except Exception:  # noqa: BLE001 -- multiaddr raises several kinds of error
        return None
    good = port and not (ip.is_loopback or ip.is_multicast or ip.is_unspecified)
    return Multiaddr(f"/ip4/{ip}/tcp/{port}") if good else None
