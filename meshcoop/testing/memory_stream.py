"""Streams of the network in memory. Data stays in order, comes late, and waits in a bounded buffer.
Sometimes a stream breaks.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

import trio

from meshcoop.network.interface import NetworkError

READ_BYTES = 64 * 1024
BUFFER_BYTES = 256 * 1024  # a writer waits while this many bytes are on their way (libp2p's window)
_CHUNK = 16 * 1024


class Weather(Protocol):
    """The methods of `meshcoop.testing.memory_network.MemoryNetwork` that a stream uses."""

    random: Random
    breaks: float

    def draw_delay(self) -> float:
        """Draws at random how many seconds data takes to arrive."""

    def is_drawn(self, probability: float) -> bool:
        """Draws at random, with this probability, whether an event happens now."""


class Connection(Protocol):
    """The connection that a stream runs over."""

    is_cut: bool

    def sever(self) -> None:
        """Breaks the connection and every stream over it."""


class StreamEnd:
    """One end of a stream. This class implements `meshcoop.network.interface.Stream`."""

    other: "StreamEnd"

    def __init__(
        self,
        weather: Weather,
        connection: Connection,
        peer: str,
        schedule: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self.peer = peer
        self.is_over = False  # True once this end is closed or cut off
        self._weather = weather
        self._connection = connection
        self._schedule = schedule
        self._arrivals: deque[tuple[float, bytes]] = deque()  # (arrival, data); b"" is the end
        self._arriving_bytes = 0
        self._last_arrival = 0.0
        self._changed = trio.Event()
        self._write_lock = trio.Lock()

    async def read(self) -> bytes:
        """Returns at most 64 KiB. Returns b"" when the peer has closed the stream.

        One read may return parts of several writes. Raises NetworkError if the stream was cut.
        """
        await trio.lowlevel.checkpoint()
        while True:
            self._check_open()
            data = self._take_arrived()
            if data is not None:
                return data
            nothing_comes = self._connection.is_cut or not self._arrivals
            with trio.move_on_at(float("inf") if nothing_comes else self._arrivals[0][0]):
                await self._changed.wait()

    async def write(self, data: bytes) -> None:
        """Sends all of `data` in order. Waits while the buffer of the peer is full.

        Raises NetworkError if the stream was cut or the peer has closed it.
        """
        async with self._write_lock:
            while data:
                self._check_open()
                if self.other.is_over:
                    raise NetworkError("The peer {peer} has closed the stream.", peer=self.peer)
                if self.other._arriving_bytes >= BUFFER_BYTES:  # noqa: SLF001 -- the same class
                    await self._changed.wait()
                    continue
                size = _CHUNK
                if self._weather.is_drawn(0.25):  # a reader must not count on whole writes
                    size = self._weather.random.randint(1, _CHUNK)
                arrival = self.other._deliver(data[:size])  # noqa: SLF001
                if self._weather.is_drawn(self._weather.breaks):
                    breaks_all = self._weather.is_drawn(0.25)
                    act = self._connection.sever if breaks_all else self.reset
                    self._schedule(arrival - trio.current_time(), act)
                data = data[size:]

    async def close(self) -> None:
        """Closes the stream. The peer first reads the data that is on its way, and then the end."""
        if not self.is_over:
            self.is_over = True
            self.other._deliver(b"")  # noqa: SLF001
            self.wake()

    def reset(self) -> None:
        """Breaks the stream at both ends."""
        self.cut_off()
        self.other.cut_off()

    def cut_off(self) -> None:
        """Breaks this end of the stream. Data on its way to this end is lost."""
        self.is_over = True
        self._arrivals.clear()
        self._arriving_bytes = 0
        self.wake()

    def wake(self) -> None:
        """Wakes all tasks that wait to read or to write."""
        self._changed.set()
        self._changed = trio.Event()

    def _check_open(self) -> None:
        if self.is_over:
            raise NetworkError("The stream to {peer} was cut.", peer=self.peer)

    def _deliver(self, data: bytes) -> float:
        """Sends data towards this end of the stream. Returns the time, by Trio's clock, at which
        the data arrives.
        """
        self._last_arrival = max(
            self._last_arrival, trio.current_time() + self._weather.draw_delay()
        )
        if not self.is_over:
            self._arrivals.append((self._last_arrival, data))
            self._arriving_bytes += len(data)
            self.wake()
        return self._last_arrival

    def _take_arrived(self) -> bytes | None:
        """Returns the data that has arrived, and removes it from the buffer.

        Returns None if no data has arrived, and b"" when the stream has ended.
        """
        if self._connection.is_cut or not self._has_arrival():
            return None
        taken = b""
        while self._has_arrival():
            data = self._arrivals[0][1]
            if not data:
                return taken  # the end stays for further reads
            if len(taken) + len(data) > READ_BYTES:
                break
            taken += data
            self._arrivals.popleft()
        self._arriving_bytes -= len(taken)
        self.other.wake()
        return taken

    def _has_arrival(self) -> bool:
        return bool(self._arrivals) and self._arrivals[0][0] <= trio.current_time()
