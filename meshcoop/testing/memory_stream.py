"""Streams of the network in memory: in order, late, bounded, and sometimes broken."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

import trio

from meshcoop.network.interface import NetworkError

READ_BYTES = 64 * 1024
BUFFER_BYTES = 256 * 1024  # bytes on their way, as in libp2p's window, before a writer waits
_CHUNK = 16 * 1024


class Weather(Protocol):
    """What a stream asks of `meshcoop.testing.memory_network.MemoryNetwork`."""

    random: Random
    breaks: float

    def draw_delay(self) -> float:
        """Draws how long data is on its way, in seconds."""

    def is_drawn(self, probability: float) -> bool:
        """Draws whether something of this probability happens now."""


class Connection(Protocol):
    """The connection that a stream runs over."""

    is_cut: bool

    def sever(self) -> None:
        """Breaks the connection and every stream over it."""


class StreamEnd:
    """One end of a stream; implements `meshcoop.network.interface.Stream`."""

    other: "StreamEnd"

    def __init__(
        self,
        weather: Weather,
        connection: Connection,
        peer: str,
        schedule: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self.peer = peer
        self.is_over = False  # closed here, or cut off
        self._weather = weather
        self._connection = connection
        self._schedule = schedule
        self._arrivals: deque[tuple[float, bytes]] = deque()  # arrival, data; b"" is the end
        self._arriving_bytes = 0
        self._last_arrival = 0.0
        self._changed = trio.Event()
        self._write_lock = trio.Lock()

    async def read(self) -> bytes:
        """Reads at most 64 KiB, in other pieces than were written; b"" once the peer has closed."""
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
        """Sends all of `data` in order; waits while the peer does not read."""
        async with self._write_lock:
            while data:
                self._check_open()
                if self.other.is_over:
                    raise NetworkError(f"The peer {self.peer} has closed the stream.")
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
        """Closes the stream; the peer reads what is on its way, and then the end."""
        if not self.is_over:
            self.is_over = True
            self.other._deliver(b"")  # noqa: SLF001
            self.wake()

    def reset(self) -> None:
        """Breaks the stream at both ends."""
        self.cut_off()
        self.other.cut_off()

    def cut_off(self) -> None:
        """Breaks this end; data on its way to it is lost."""
        self.is_over = True
        self._arrivals.clear()
        self._arriving_bytes = 0
        self.wake()

    def wake(self) -> None:
        """Wakes waiting readers and writers."""
        self._changed.set()
        self._changed = trio.Event()

    def _check_open(self) -> None:
        if self.is_over:
            raise NetworkError(f"The stream to {self.peer} was cut.")

    def _deliver(self, data: bytes) -> float:
        """Puts data on its way to this end; returns when it arrives."""
        self._last_arrival = max(
            self._last_arrival, trio.current_time() + self._weather.draw_delay()
        )
        if not self.is_over:
            self._arrivals.append((self._last_arrival, data))
            self._arriving_bytes += len(data)
            self.wake()
        return self._last_arrival

    def _take_arrived(self) -> bytes | None:
        """Takes the data that has arrived, b"" at the end, or None if nothing has."""
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
