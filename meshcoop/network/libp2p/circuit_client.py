"""Circuits: connections to a peer through a relay. This module is the home's side of libp2p's
circuit relay v2.

The messages are libp2p's, but this module's own code sends and reads them (specs/decisions/0034).
libp2p's own client reserves again before every dial. That client also puts addresses into the peer
store although other nodes only claim these addresses. When one circuit of a home ends, libp2p's
relay closes another circuit of that home.

libp2p's `host.connect` cannot dial a circuit address. libp2p's circuit transport can dial it, in 40
to 90 ms. The client in this module takes equally long.
"""

import logging
import time
from contextlib import suppress

import trio
from libp2p.abc import IHost, INetConn, INetStream
from libp2p.connection_types import ConnectionType
from libp2p.custom_types import TProtocol
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import IOException
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId, Status, StopMessage
from multiaddr import Multiaddr

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.protobuf_stream import (
    ANSWER_WITHIN,
    read_first_message,
    receive_message,
    send_message,
)
from meshcoop.network.libp2p.stream import PeerStream
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

HOP = TProtocol("/libp2p/circuit/relay/0.2.0/hop")
STOP = TProtocol("/libp2p/circuit/relay/0.2.0/stop")

MAX_INBOUND_CIRCUITS = 32  # how many circuits others may have to this node


class CircuitStream(ReadWriteCloser):
    """Makes a stream through a relay look like a socket. So libp2p can run a connection over the
    stream.
    """

    def __init__(self, stream: INetStream) -> None:
        self._stream = stream
        # Writes go through a PeerStream: libp2p gives up a stream if its reader is busy for 5 s.
        self._patient_stream = PeerStream(stream)

    async def read(self, n: int | None = None) -> bytes:
        """Reads at most `n` bytes. Returns b"" at the end, as a socket does. Raises IOException if
        the circuit was cut.
        """
        try:
            return await self._stream.read(n)
        except StreamEOF:
            return b""
        except Exception as error:
            raise IOException("the circuit was cut") from error

    async def write(self, data: bytes) -> None:
        """Sends all of `data`. Raises IOException if the circuit was cut."""
        try:
            await self._patient_stream.write(data)
        except NetworkError as error:
            raise IOException("the circuit was cut") from error

    async def close(self) -> None:
        """Ends the circuit. Never raises."""
        with suppress(Exception):
            await self._stream.close()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Returns None. This node does not know the IP address of a peer behind a relay."""
        return None


class CircuitClient:
    """Opens circuits from this node, and accepts circuits that relays bring to this node."""

    def __init__(self, host: IHost, swarm: NodeSwarm) -> None:
        self._host = host
        self._swarm = swarm
        self._reserved_until: dict[ID, float] = {}  # relay → end of our place there, in Trio's time
        self._inbound_count = 0
        host.set_stream_handler(STOP, self._answer_stop)

    async def reserve(self, relay: ID) -> float:
        """Reserves a place at a connected relay. Others can then reach this node through the relay.

        Returns for how many seconds the reservation holds. Raises NetworkError if the relay
        refuses.
        """
        stream = await self._open_hop_stream(relay)
        try:
            answer = await self._exchange(stream, HopMessage(type=HopMessage.RESERVE))
        finally:
            with trio.CancelScope(shield=True):
                await stream.close()
        seconds = max(0.0, answer.reservation.expire - time.time())
        self._reserved_until[relay] = trio.current_time() + seconds
        return seconds

    async def dial(self, relay: ID, relay_address: str, peer: ID) -> None:
        """Connects to `peer` through a relay that is connected. Raises NetworkError if
        that fails.
        """
        request = HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=peer.to_bytes()))
        stream = await self._open_hop_stream(relay)
        try:
            await self._exchange(stream, request)
        except BaseException:
            with trio.CancelScope(shield=True):
                await stream.reset()
            raise
        address = f"{relay_address}/p2p-circuit/p2p/{peer}"
        raw_connection = _raw_connection(stream, address, is_initiator=True)
        try:
            # The handshake runs from end to end, so a relay cannot pretend to be the peer.
            connection = await self._host.upgrade_outbound_connection(raw_connection, peer)
        except Exception as error:
            raise NetworkError(
                "The peer {peer} does not answer behind the relay.", peer=peer
            ) from error
        _mark_relayed(connection, raw_connection)

    async def _open_hop_stream(self, relay: ID) -> INetStream:
        try:
            with trio.fail_after(ANSWER_WITHIN):
                return await self._host.new_stream(relay, [HOP])
        except Exception as error:
            raise NetworkError("The node {relay} is not a relay.", relay=relay) from error

    async def _exchange(self, stream: INetStream, request: HopMessage) -> HopMessage:
        """Sends a request to a relay. Returns the relay's answer. Raises NetworkError if the answer
        is not OK.
        """
        try:
            with trio.fail_after(ANSWER_WITHIN):
                await send_message(stream, request)
                answer = await receive_message(stream, HopMessage)
        except Exception as error:
            raise NetworkError("The relay does not answer.") from error
        if answer.status != Status.OK:
            raise NetworkError("The relay refuses: {status}.", status=_status_name(answer.status))
        return answer

    async def _answer_stop(self, stream: INetStream) -> None:
        """Answers a relay that brings a circuit from a peer. Refuses the circuit if this node has
        no reservation at that relay.
        """
        relay = stream.muxed_conn.peer_id
        request = await read_first_message(stream, StopMessage)
        if request is None:
            return
        is_reserved = self._reserved_until.get(relay, 0.0) > trio.current_time()
        is_welcome = is_reserved and self._inbound_count < MAX_INBOUND_CIRCUITS
        if request.type != StopMessage.CONNECT or not is_welcome:
            await _send_stop_status(stream, Status.PERMISSION_DENIED)
            await stream.close()
            return
        await _send_stop_status(stream, Status.OK)
        await self._run_inbound_circuit(stream, relay, ID(request.peer.id))

    async def _run_inbound_circuit(self, stream: INetStream, relay: ID, peer: ID) -> None:
        address = f"/p2p/{relay}/p2p-circuit/p2p/{peer}"
        raw_connection = _raw_connection(stream, address, is_initiator=False)
        self._inbound_count += 1
        try:
            muxed = await self._host.upgrade_inbound_connection(
                raw_connection, raw_connection.get_transport_addresses()[0]
            )
            for connection in self._swarm.get_connections(muxed.peer_id):
                if connection.muxed_conn is muxed:
                    _mark_relayed(connection, raw_connection)
            await muxed.event_closed.wait()  # type: ignore[attr-defined] # Yamux is the only muxer
        finally:
            self._inbound_count -= 1


def is_relayed(connection: INetConn) -> bool:
    """Returns whether a connection goes through a relay."""
    addresses = connection.get_transport_addresses()
    return any("/p2p-circuit" in str(address) for address in addresses)


def _raw_connection(stream: INetStream, address: str, *, is_initiator: bool) -> RawConnection:
    return RawConnection(
        CircuitStream(stream), is_initiator, ConnectionType.RELAYED, [Multiaddr(address)]
    )


def _mark_relayed(connection: INetConn, raw_connection: RawConnection) -> None:
    # libp2p does not notice by itself that a connection runs over a circuit.
    connection.set_transport_info(  # type: ignore[attr-defined] # every one is a SwarmConn
        raw_connection.get_transport_addresses(), ConnectionType.RELAYED
    )


async def _send_stop_status(stream: INetStream, status: Status.ValueType) -> None:
    await send_message(stream, StopMessage(type=StopMessage.STATUS, status=status))


def _status_name(status: int) -> str:
    try:
        return Status.Name(status).lower().replace("_", " ")  # type: ignore[arg-type]
    except ValueError:
        return f"status {status}"
