"""Circuits: connections to a peer through a relay (libp2p's circuit relay v2, the home's side).

The messages are libp2p's; what speaks them is ours (specs/decisions/0034): its client reserves
again before every dial, and its relay ends one circuit of a peer when another one closes.
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
from meshcoop.network.libp2p.protobuf_stream import ANSWER_WITHIN, heard, receive, send
from meshcoop.network.libp2p.stream import PeerStream
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

HOP = TProtocol("/libp2p/circuit/relay/0.2.0/hop")
STOP = TProtocol("/libp2p/circuit/relay/0.2.0/stop")

INBOUND = 32  # circuits that others may have to this node


class CircuitEnd(ReadWriteCloser):
    """A stream through a relay, as what a connection is made of."""

    def __init__(self, stream: INetStream) -> None:
        self._stream, self._patient = stream, PeerStream(stream)

    async def read(self, n: int | None = None) -> bytes:
        """At most `n` bytes; b"" at the end, as a socket has it. Raises IOException."""
        try:
            return await self._stream.read(n)
        except StreamEOF:
            return b""
        except Exception as error:
            raise IOException("the circuit was cut") from error

    async def write(self, data: bytes) -> None:
        """Sends all of `data`. Raises IOException."""
        try:
            await self._patient.write(data)
        except NetworkError as error:
            raise IOException("the circuit was cut") from error

    async def close(self) -> None:
        """Ends the circuit. Never raises."""
        with suppress(Exception):
            await self._stream.close()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Nobody's: what is behind a relay has no address here."""
        return None


class Circuits:
    """A node's circuits: those it opens, and those that relays bring to it."""

    def __init__(self, host: IHost, swarm: NodeSwarm) -> None:
        self._host, self._swarm = host, swarm
        self._reserved: dict[ID, float] = {}  # relay → until when (Trio's clock)
        self._inbound = 0
        host.set_stream_handler(STOP, self._answer)

    async def reserve(self, relay: ID) -> float:
        """Asks a connected relay to pass others' connections on to this node; for how many seconds
        it does. Raises NetworkError.
        """
        answer = await self._ask(relay, HopMessage(type=HopMessage.RESERVE), close=True)
        seconds = max(0.0, answer.reservation.expire - time.time())
        self._reserved[relay] = trio.current_time() + seconds
        return seconds

    async def dial(self, relay: ID, whence: str, peer: ID) -> None:
        """Connects to `peer` through a connected relay, which is at `whence`. Raises NetworkError."""
        wish = HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=peer.to_bytes()))
        stream = await self._open(relay)
        try:
            await self._exchange(stream, wish)
        except BaseException:
            with trio.CancelScope(shield=True):
                await stream.reset()
            raise
        raw = self._raw(stream, f"{whence}/p2p-circuit/p2p/{peer}", initiator=True)
        try:
            connection = await self._host.upgrade_outbound_connection(raw, peer)
        except Exception as error:
            raise NetworkError(f"Nobody who is {peer} answers behind the relay.") from error
        _tag(connection, raw)

    async def _ask(self, relay: ID, wish: HopMessage, *, close: bool) -> HopMessage:
        stream = await self._open(relay)
        try:
            return await self._exchange(stream, wish)
        finally:
            with trio.CancelScope(shield=True):
                await (stream.close() if close else stream.reset())

    async def _open(self, relay: ID) -> INetStream:
        try:
            with trio.fail_after(ANSWER_WITHIN):
                return await self._host.new_stream(relay, [HOP])
        except Exception as error:
            raise NetworkError(f"The node {relay} is no relay.") from error

    async def _exchange(self, stream: INetStream, wish: HopMessage) -> HopMessage:
        try:
            with trio.fail_after(ANSWER_WITHIN):
                await send(stream, wish)
                answer = await receive(stream, HopMessage)
        except Exception as error:
            raise NetworkError("The relay does not answer.") from error
        if answer.status != Status.OK:
            raise NetworkError(f"The relay refuses: {_named(answer.status)}.")
        return answer

    async def _answer(self, stream: INetStream) -> None:
        """A relay brings somebody. Only one where this node has a reservation may."""
        relay = stream.muxed_conn.peer_id
        said = await heard(stream, StopMessage)
        if said is None:
            return
        welcome = self._reserved.get(relay, 0.0) > trio.current_time() and self._inbound < INBOUND
        if said.type != StopMessage.CONNECT or not welcome:
            await send(
                stream, StopMessage(type=StopMessage.STATUS, status=Status.PERMISSION_DENIED)
            )
            await stream.close()
            return
        await send(stream, StopMessage(type=StopMessage.STATUS, status=Status.OK))
        await self._take_in(stream, relay, ID(said.peer.id))

    async def _take_in(self, stream: INetStream, relay: ID, peer: ID) -> None:
        raw = self._raw(stream, f"/p2p/{relay}/p2p-circuit/p2p/{peer}", initiator=False)
        self._inbound += 1
        try:
            address = raw.get_transport_addresses()[0]
            muxed = await self._host.upgrade_inbound_connection(raw, address)
            for connection in self._swarm.get_connections(muxed.peer_id):
                if connection.muxed_conn is muxed:
                    _tag(connection, raw)
            await muxed.event_closed.wait()  # type: ignore[attr-defined] # Yamux is the only muxer
        finally:
            self._inbound -= 1

    def _raw(self, stream: INetStream, address: str, *, initiator: bool) -> RawConnection:
        return RawConnection(
            CircuitEnd(stream), initiator, ConnectionType.RELAYED, [Multiaddr(address)]
        )


def relayed(connection: INetConn) -> bool:
    """Whether a connection goes through a relay."""
    return any("/p2p-circuit" in str(one) for one in connection.get_transport_addresses())


def _tag(connection: INetConn, raw: RawConnection) -> None:
    # libp2p cannot tell by itself what a connection runs over.
    connection.set_transport_info(  # type: ignore[attr-defined] # every one is a SwarmConn
        raw.get_transport_addresses(), ConnectionType.RELAYED
    )


def _named(status: int) -> str:
    try:
        return Status.Name(status).lower().replace("_", " ")  # type: ignore[arg-type]
    except ValueError:
        return f"status {status}"
