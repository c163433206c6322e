"""Yamux carries many streams over one connection. This version adds limits that libp2p's own Yamux
lacks: on time, and on memory. This version also sends each frame whole.
"""

import struct
from contextlib import suppress

import trio
from libp2p.abc import IMuxedConn, ISecureConn
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.network.connection.exceptions import RawConnError
from libp2p.peer.id import ID
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream
from libp2p.stream_muxer.yamux.yamux import FLAG_SYN, TYPE_PING, YAMUX_HEADER_FORMAT, Yamux

WRITE_WITHIN = 10.0  # seconds to send one frame of at most 64 KiB
# The most unread bytes of one connection. An honest peer stays within the window of each stream.
# The window is 256 KiB at first. If a stream is read quickly, libp2p lets it grow up to 16 MiB.
UNREAD_BYTES = 20 * 1024 * 1024
_RTT_SECONDS = 0.5  # the pause before the round trip is measured, and the time limit for it


class BoundedYamux(Yamux):
    """One connection with many streams. Each write ends within a time limit, and buffers have a
    size limit.
    """

    def __init__(self, conn: ISecureConn, peer_id: ID, *, is_initiator: bool) -> None:
        super().__init__(conn, peer_id, is_initiator=is_initiator)
        self._ping_lock = trio.Lock()

    async def answers_ping(self, within: float) -> bool:
        """Pings the peer. Returns True if the peer answers within `within` seconds."""
        async with self._ping_lock:
            self._ping_id += 1
            answered = trio.Event()
            self._ping_event = answered
            with trio.move_on_after(within), suppress(RawConnError, ConnectionClosedError):
                await self._write_frame(
                    struct.pack(YAMUX_HEADER_FORMAT, 0, TYPE_PING, FLAG_SYN, 0, self._ping_id)
                )
                self._ping_sent_time = trio.current_time()
                await answered.wait()
            return answered.is_set()

    async def _write_frame(self, data: bytes) -> None:
        # In libp2p, a cancelled writer may stop inside a frame. After that, every stream of the
        # connection carries garbage. And a peer that accepts no data blocks the writer for ever,
        # with every task that closes the connection. Here, either the whole frame is sent, or the
        # connection ends.
        async with self._write_lock:
            with trio.move_on_after(WRITE_WITHIN) as limit:
                limit.shield = True
                await self.secured_conn.write(data)
            if limit.cancelled_caught:
                await self.secured_conn.close()
                raise RawConnError(f"the peer took no data for {WRITE_WITHIN:g} seconds")
        await trio.lowlevel.checkpoint()

    async def _measure_rtt_loop(self) -> None:
        # libp2p needs the round trip time only for its windows, but measures it again and again. It
        # would then take the ping answers that the health check waits for. Once is enough.
        await trio.sleep(_RTT_SECONDS)
        await self.answers_ping(_RTT_SECONDS)

    async def _read_data_body(self, length: int) -> bytes:
        # If a peer ignores the receive window, libp2p only warns, and keeps the data.
        unread = sum(len(buffer) for buffer in self.stream_buffers.values())
        if unread + length > UNREAD_BYTES:
            # Only this exception makes libp2p's read loop close the connection at once.
            raise trio.TooSlowError
        return await super()._read_data_body(length)


class BoundedMuxers(MuxerMultistream):
    """Offers only Yamux to peers: the version of this module, in place of libp2p's own."""

    async def new_conn(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """Makes a connection with many streams out of `conn`. Raises MultiselectError if the peer
        does not offer Yamux.
        """
        await self.select_transport(conn)
        return BoundedYamux(conn, peer_id, is_initiator=conn.is_initiator)
