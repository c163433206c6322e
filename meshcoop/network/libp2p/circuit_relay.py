"""The carrier: what a relay does for circuits (libp2p's circuit relay v2, the relay's side)."""

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
from meshcoop.network.libp2p.circuit_client import HOP, STOP, relayed
from meshcoop.network.libp2p.protobuf_stream import ANSWER_WITHIN, heard, receive, send
from meshcoop.network.libp2p.stream import PeerStream
from meshcoop.network.libp2p.swarm import NodeSwarm

log = logging.getLogger(__name__)

RESERVED_SECONDS = 3600
RESERVATIONS = 512
CIRCUITS = 512  # at once
OF_ONE = 32  # of one peer, at either end
OF_STRANGERS = 16  # begun by peers that nobody vouches for: newcomers with an invitation
OF_ONE_STRANGER = 2


@dataclass(frozen=True)
class Allowance:
    """What one circuit may carry: bytes both ways, and seconds."""

    data: int
    seconds: float


MEMBER = Allowance(4 * 1024**3, 86_400)
STRANGER = Allowance(8 * 1024**2, 180)


class Carrier:
    """Serves reservations to peers that `allowed` names, and circuits to those who reserved."""

    def __init__(self, host: IHost, swarm: NodeSwarm, allowed: Callable[[str], bool]) -> None:
        self._host, self._swarm, self._allowed = host, swarm, allowed
        self._reserved: dict[ID, float] = {}  # until when (Trio's clock)
        self._circuits: Counter[ID] = Counter()  # at either end
        self._strangers: Counter[ID] = Counter()
        self.carried = 0  # bytes, in all
        host.set_stream_handler(HOP, self._answer)

    @property
    def reservations(self) -> int:
        """How many peers can be reached through this relay."""
        self._forget()
        return len(self._reserved)

    @property
    def circuits(self) -> int:
        """How many circuits there are."""
        return self._circuits.total() // 2

    async def _answer(self, stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id
        wish = await heard(stream, HopMessage)
        if wish is None:
            return
        if wish.type == HopMessage.RESERVE:
            await self._reserve(stream, peer)
        elif wish.type == HopMessage.CONNECT:
            await self._connect(stream, peer, ID(wish.peer.id))
        else:
            await _say(stream, Status.MALFORMED_MESSAGE)

    def _forget(self) -> None:
        now = trio.current_time()
        self._reserved = {
            peer: until
            for peer, until in self._reserved.items()
            if until > now and peer in self._swarm.connections
        }

    async def _reserve(self, stream: INetStream, peer: ID) -> None:
        self._forget()
        full = len(self._reserved) >= RESERVATIONS and peer not in self._reserved
        over_a_circuit = any(relayed(one) for one in self._swarm.get_connections(peer))
        if over_a_circuit or not self._allowed(peer.to_base58()):
            await _say(stream, Status.PERMISSION_DENIED)
        elif full:
            await _say(stream, Status.RESERVATION_REFUSED)
        else:
            self._reserved[peer] = trio.current_time() + RESERVED_SECONDS
            await send(
                stream,
                HopMessage(
                    type=HopMessage.STATUS,
                    status=Status.OK,
                    reservation=Reservation(expire=int(time.time()) + RESERVED_SECONDS),
                    limit=Limit(duration=int(MEMBER.seconds), data=MEMBER.data),
                ),
            )
            await stream.close()

    async def _connect(self, stream: INetStream, source: ID, target: ID) -> None:
        self._forget()
        if target not in self._reserved:
            await _say(stream, Status.NO_RESERVATION)
            return
        known = self._allowed(source.to_base58())
        if not self._room(source, target, known=known):
            await _say(stream, Status.RESOURCE_LIMIT_EXCEEDED)
            return
        self._circuits.update((source, target))
        self._strangers[source] += not known
        try:
            await self._pass_on(stream, source, target, MEMBER if known else STRANGER)
        finally:
            self._circuits.subtract((source, target))
            self._strangers[source] -= not known
            self._circuits += Counter()  # forgets who has none
            self._strangers += Counter()

    def _room(self, source: ID, target: ID, *, known: bool) -> bool:
        if (
            self.circuits >= CIRCUITS
            or max(self._circuits[source], self._circuits[target]) >= OF_ONE
        ):
            return False
        return known or (
            self._strangers.total() < OF_STRANGERS and self._strangers[source] < OF_ONE_STRANGER
        )

    async def _pass_on(
        self, stream: INetStream, source: ID, target: ID, allowance: Allowance
    ) -> None:
        onward: INetStream | None = None
        limit = Limit(duration=int(allowance.seconds), data=allowance.data)
        try:
            with trio.fail_after(ANSWER_WITHIN):
                onward = await self._host.new_stream(target, [STOP])
                who = PeerId(id=source.to_bytes())
                await send(onward, StopMessage(type=StopMessage.CONNECT, peer=who, limit=limit))
                answer = await receive(onward, StopMessage)
            if answer.status != Status.OK:
                raise NetworkError("the peer refuses")
        except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
            log.info("no circuit to %s: %r", target, error)
            if onward is not None:
                await onward.reset()
            await _say(stream, Status.CONNECTION_FAILED)
            return
        await send(stream, HopMessage(type=HopMessage.STATUS, status=Status.OK, limit=limit))
        await self._splice(stream, onward, allowance)

    async def _splice(self, one: INetStream, other: INetStream, allowance: Allowance) -> None:
        """Passes bytes on both ways until both have ended, one is cut, or enough has been."""
        left = allowance.data
        ends = PeerStream(one), PeerStream(other)

        async def pump(source: PeerStream, target: PeerStream) -> None:
            nonlocal left
            while data := await source.read():
                left -= len(data)
                self.carried += len(data)
                if left < 0:
                    raise NetworkError("the circuit has carried what it may")
                await target.write(data)
            await target.close()

        try:
            with trio.fail_after(allowance.seconds):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(pump, *ends)
                    nursery.start_soon(pump, *reversed(ends))
        except* (NetworkError, trio.TooSlowError):
            for stream in (one, other):
                with suppress(Exception):
                    await stream.reset()


async def _say(stream: INetStream, status: Status.ValueType) -> None:
    await send(stream, HopMessage(type=HopMessage.STATUS, status=status))
    await stream.close()
