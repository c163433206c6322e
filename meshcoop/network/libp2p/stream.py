"""A stream to one peer over libp2p. Libp2p's exceptions become NetworkError here."""

from contextlib import suppress
from typing import cast

import trio
from libp2p.abc import INetStream
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.network.stream.net_stream import NetStream
from libp2p.stream_muxer.yamux.yamux import HEADER_SIZE, MAX_MESSAGE_SIZE, YamuxStream

from meshcoop.network.interface import NetworkError

READ_BYTES = 64 * 1024
# The bytes sent in one frame. A Yamux frame has at most 64 KiB, with its header. A larger chunk
# would be cut in two. A smaller chunk is slower (4 KiB: 12 MB/s; 64 KiB: 47 MB/s).
CHUNK = MAX_MESSAGE_SIZE - HEADER_SIZE
CLOSE_WITHIN = 2.0  # seconds
WINDOW_POLL = 0.01  # seconds


class PeerStream:
    """Implements meshcoop.network.interface.Stream over libp2p."""

    def __init__(self, stream: INetStream) -> None:
        self._stream = stream
        # INetStream has no `muxed_stream`. But every stream here is a NetStream, which has one.
        muxed = cast(NetStream, stream).muxed_stream
        assert isinstance(muxed, YamuxStream), "Yamux is the only muxer a node offers"
        self._muxed = muxed
        self._write_lock = trio.Lock()

    @property
    def peer(self) -> str:
        """The peer's id in base58, as the Noise handshake proved it."""
        return self._stream.muxed_conn.peer_id.to_base58()

    async def read(self) -> bytes:
        """Reads at most 64 KiB. Returns b"" if the peer has closed the stream. Raises NetworkError
        if the stream was cut.
        """
        try:
            return await self._stream.read(READ_BYTES)
        except Exception as error:
            if isinstance(error, StreamEOF) and self._has_ended_in_order():
                return b""
            raise NetworkError(
                "The stream to {peer} was cut while reading.", peer=self.peer
            ) from error

    async def write(self, data: bytes) -> None:
        """Sends all of `data`, even if the peer reads slowly. Raises NetworkError if the stream was
        cut.
        """
        view = memoryview(data)
        async with self._write_lock:
            while view:
                size = min(CHUNK, await self._wait_for_window(), len(view))
                try:
                    await self._stream.write(bytes(view[:size]))
                except Exception as error:
                    raise NetworkError(
                        "The stream to {peer} was cut while writing.", peer=self.peer
                    ) from error
                view = view[size:]

    async def close(self) -> None:
        """Ends this node's direction of the stream at once. The peer reads to the end, then closes
        its own direction. Never raises.

        Yamux cannot end both directions in order. A reset by Yamux would overtake data that the
        peer has not read yet.
        """
        with trio.move_on_after(CLOSE_WITHIN) as limit, suppress(Exception):
            limit.shield = True
            await self._stream.close()

    def _has_ended_in_order(self) -> bool:
        # libp2p reports an end of file even if the stream was reset or the connection was lost.
        # Then data that was still on its way is missing.
        stream = self._muxed
        is_connection_lost = stream.conn.event_shutting_down.is_set()
        return stream.recv_closed and not stream.reset_received and not is_connection_lost

    async def _wait_for_window(self) -> int:
        """Waits until the peer accepts data. Returns how many bytes it accepts."""
        # If a peer accepts no data for 5 s, libp2p gives up the stream. A peer that is busy
        # verifying may take longer, so this waits instead. If the peer is dead, the health check
        # ends the connection, and that ends this wait.
        stream = self._muxed
        while (  # noqa: ASYNC110 -- libp2p has no event for a window that opens
            stream.send_window <= 0 and not stream.closed and not stream.send_closed
        ):
            await trio.sleep(WINDOW_POLL)
        # At least 1. So the caller writes even to a closed stream, and libp2p raises its error.
        return max(stream.send_window, 1)
