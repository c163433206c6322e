"""Circuits: connections to a peer through a relay. This module is the relay's side of libp2p's
circuit relay v2.

libp2p's own relay is not used (specs/decisions/0034). It keeps only one pair of streams for each
peer. So when one circuit of a peer ends, libp2p's relay closes another circuit of this peer.
libp2p's relay has only 4 places for reservations and 8 for circuits, and gives anybody a
reservation. If one end does not read for 15 s, libp2p's relay ends the circuit.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import trio
from libp2p.abc import IHost, INetStream
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import (
    HopMessage,
    Limit,
    PeerId,
    Reservation,
    Status,
    StopMessage,
)

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.circuit_client import STOP, is_relayed
from meshcoop.network.libp2p.protobuf_stream import (
    ANSWER_WITHIN,
    read_first_message,
    receive_message,
    send_message,
)
from meshcoop.network.libp2p.stream import PeerStream
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

RESERVED_SECONDS = 3600
MAX_RESERVATIONS = 512
MAX_CIRCUITS = 512  # at once
MAX_CIRCUITS_PER_PEER = 32  # circuits that begin or end at the peer
# Strangers are peers that `is_allowed` refuses. Some of them are newcomers with an invitation, and
# need one circuit to their inviter.
MAX_STRANGER_CIRCUITS = 16
MAX_CIRCUITS_PER_STRANGER = 2


@dataclass(frozen=True)
class CircuitLimits:
    """The limits of one circuit. `max_bytes` counts the bytes of both directions together.
    `seconds` is the longest time that the circuit may last.
    """

    max_bytes: int
    seconds: float


MEMBER_LIMITS = CircuitLimits(4 * 1024**3, 86_400)
STRANGER_LIMITS = CircuitLimits(8 * 1024**2, 180)


class CircuitRelay:
    """Relays circuits to peers that have reserved a place at this relay. A peer may reserve a place
    only if `is_allowed` accepts the peer.
    """

    def __init__(self, host: IHost, swarm: NodeSwarm, is_allowed: Callable[[str], bool]) -> None:
        self._host = host
        self._swarm = swarm
        self._is_allowed = is_allowed
        self._reserved: dict[ID, float] = {}  # peer → the end of the reservation, in Trio's time
        self._circuits: Counter[ID] = Counter()  # peer → circuits that begin or end there
        self._stranger_circuits: Counter[ID] = Counter()  # stranger → circuits that it began
        self.bytes_relayed = 0  # all bytes since the start

    @property
    def reservation_count(self) -> int:
        """The number of peers that have a reservation here."""
        self._drop_expired()
        return len(self._reserved)

    @property
    def circuit_count(self) -> int:
        """The number of open circuits."""
        return self._circuits.total() // 2

    async def answer_hop(self, stream: INetStream) -> None:
        """Answers the request of a peer. The peer asks for a reservation, or for a connection to
        another peer.
        """
        peer = stream.muxed_conn.peer_id
        request = await read_first_message(stream, HopMessage)
        if request is None:
            return
        if request.type == HopMessage.RESERVE:
            await self._answer_reserve(stream, peer)
        elif request.type == HopMessage.CONNECT:
            await self._answer_connect(stream, peer, ID(request.peer.id))
        else:
            await _send_refusal(stream, Status.MALFORMED_MESSAGE)

    def _drop_expired(self) -> None:
        """Forgets reservations that have expired, and reservations of peers that are not
        connected.
        """
        now = trio.current_time()
        self._reserved = {
            peer: until
            for peer, until in self._reserved.items()
            if until > now and peer in self._swarm.connections
        }

    async def _answer_reserve(self, stream: INetStream, peer: ID) -> None:
        self._drop_expired()
        is_full = len(self._reserved) >= MAX_RESERVATIONS and peer not in self._reserved
        # If the peer itself is reached through a relay, its circuits would go through two relays.
        is_behind_relay = any(
            is_relayed(connection) for connection in self._swarm.get_connections(peer)
        )
        if is_behind_relay or not self._is_allowed(peer.to_base58()):
            await _send_refusal(stream, Status.PERMISSION_DENIED)
        elif is_full:
            await _send_refusal(stream, Status.RESERVATION_REFUSED)
        else:
            self._reserved[peer] = trio.current_time() + RESERVED_SECONDS
            await _send_reservation(stream)

    async def _answer_connect(self, stream: INetStream, source: ID, target: ID) -> None:
        self._drop_expired()
        if target not in self._reserved:
            await _send_refusal(stream, Status.NO_RESERVATION)
            return
        is_stranger = not self._is_allowed(source.to_base58())
        if not self._has_room(source, target, is_stranger=is_stranger):
            await _send_refusal(stream, Status.RESOURCE_LIMIT_EXCEEDED)
            return
        limits = STRANGER_LIMITS if is_stranger else MEMBER_LIMITS
        self._circuits.update((source, target))
        self._stranger_circuits[source] += is_stranger
        try:
            await self._run_circuit(stream, source, target, limits)
        finally:
            self._circuits.subtract((source, target))
            self._stranger_circuits[source] -= is_stranger
            # Adding an empty Counter removes the peers that have no circuit left.
            self._circuits += Counter()
            self._stranger_circuits += Counter()

    def _has_room(self, source: ID, target: ID, *, is_stranger: bool) -> bool:
        if self.circuit_count >= MAX_CIRCUITS:
            return False
        if max(self._circuits[source], self._circuits[target]) >= MAX_CIRCUITS_PER_PEER:
            return False
        if not is_stranger:
            return True
        if self._stranger_circuits.total() >= MAX_STRANGER_CIRCUITS:
            return False
        return self._stranger_circuits[source] < MAX_CIRCUITS_PER_STRANGER

    async def _run_circuit(
        self, stream: INetStream, source: ID, target: ID, limits: CircuitLimits
    ) -> None:
        """Opens a stream to the target. Then relays bytes between the two peers until the circuit
        ends.
        """
        limit = Limit(duration=int(limits.seconds), data=limits.max_bytes)
        onward: INetStream | None = None
        try:
            with trio.fail_after(ANSWER_WITHIN):
                onward = await self._host.new_stream(target, [STOP])
                await _request_stop(onward, source, limit)
        except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
            log.info("no circuit to %s: %r", target, error)
            if onward is not None:
                await onward.reset()
            await _send_refusal(stream, Status.CONNECTION_FAILED)
            return
        await send_message(
            stream, HopMessage(type=HopMessage.STATUS, status=Status.OK, limit=limit)
        )
        await self._relay_bytes(stream, onward, limits)

    async def _relay_bytes(
        self, source: INetStream, target: INetStream, limits: CircuitLimits
    ) -> None:
        """Relays bytes in both directions. Ends when both streams have ended, when one stream is
        cut, or when a limit is reached.
        """
        # PeerStreams wait. libp2p itself gives up a stream if its reader is busy for 5 s.
        source_end = PeerStream(source)
        target_end = PeerStream(target)
        bytes_left = limits.max_bytes

        async def relay_one_way(sender: PeerStream, receiver: PeerStream) -> None:
            nonlocal bytes_left
            while data := await sender.read():
                bytes_left -= len(data)
                self.bytes_relayed += len(data)
                if bytes_left < 0:
                    raise NetworkError("the circuit has reached its limit of bytes")
                await receiver.write(data)
            await receiver.close()

        try:
            with trio.fail_after(limits.seconds):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(relay_one_way, source_end, target_end)
                    nursery.start_soon(relay_one_way, target_end, source_end)
        except* (NetworkError, trio.TooSlowError):
            for stream in (source, target):
                with suppress(Exception):
                    await stream.reset()


async def _send_refusal(stream: INetStream, status: Status.ValueType) -> None:
    await send_message(stream, HopMessage(type=HopMessage.STATUS, status=status))
    await stream.close()


async def _send_reservation(stream: INetStream) -> None:
    answer = HopMessage(
        type=HopMessage.STATUS,
        status=Status.OK,
        reservation=Reservation(expire=int(time.time()) + RESERVED_SECONDS),
        limit=Limit(duration=int(MEMBER_LIMITS.seconds), data=MEMBER_LIMITS.max_bytes),
    )
    await send_message(stream, answer)
    await stream.close()


async def _request_stop(stream: INetStream, source: ID, limit: Limit) -> None:
    """Asks the target to accept a circuit from `source`. Raises NetworkError if the target
    refuses.
    """
    peer = PeerId(id=source.to_bytes())
    await send_message(stream, StopMessage(type=StopMessage.CONNECT, peer=peer, limit=limit))
    answer = await receive_message(stream, StopMessage)
    if answer.status != Status.OK:
        raise NetworkError("the peer refuses")
