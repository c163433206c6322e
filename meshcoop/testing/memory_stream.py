"""Streams of the network in memory: ordered, late, bounded, and broken when the weather says so."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol

import trio

from meshcoop.network.interface import NetworkError

READ_BYTES = 64 * 1024
BUFFER = 256 * 1024  # bytes on their way, as in libp2p's window, before a writer waits
_CHUNK = 16 * 1024


class Weather(Protocol):
    """What a stream asks of `meshcoop.testing.MemoryNetwork`."""

    random: Random
    breaks: float

    def lag(self) -> float:
        """How long something is on its way."""

    def happens(self, probability: float) -> bool:
        """Whether it happens this time."""


class Connection(Protocol):
    """What a stream runs over."""

    cut: bool

    def sever(self) -> None:
        """Breaks it, and every stream over it."""


class End:
    """One end of a stream; implements meshcoop.network.Stream."""

    other: "End"

    def __init__(
        self,
        weather: Weather,
        connection: Connection,
        peer: str,
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self.peer = peer
        self.over = False  # closed here, or cut off
        self._weather, self._connection, self._later = weather, connection, later
        self._coming: deque[tuple[float, bytes]] = deque()  # arrival, data; b"" is the end
        self._size = 0
        self._latest = 0.0
        self._changed = trio.Event()
        self._writing = trio.Lock()

    async def read(self) -> bytes:
        """At most 64 KiB, in other pieces than were written; b"" once the peer has closed."""
        await trio.lowlevel.checkpoint()
        while True:
            self._check()
            data = self._arrived()
            if data is not None:
                return data
            late = self._connection.cut or not self._coming
            with trio.move_on_at(float("inf") if late else self._coming[0][0]):
                await self._changed.wait()

    async def write(self, data: bytes) -> None:
        """Sends all of `data`, in order; waits while the peer does not read."""
        async with self._writing:
            while data:
                self._check()
                if self.other.over:
                    raise NetworkError(f"The peer {self.peer} has closed the stream.")
                if self.other._size >= BUFFER:  # noqa: SLF001 -- the same class
                    await self._changed.wait()
                    continue
                size = _CHUNK
                if self._weather.happens(0.25):  # a reader must not count on whole writes
                    size = self._weather.random.randint(1, _CHUNK)
                arrival = self.other._send(data[:size])  # noqa: SLF001
                if self._weather.happens(self._weather.breaks):
                    whole = self._weather.happens(0.25)
                    act = self._connection.sever if whole else self.reset
                    self._later(arrival - trio.current_time(), act)
                data = data[size:]

    async def close(self) -> None:
        """The peer reads what is on its way, and then the end."""
        if not self.over:
            self.over = True
            self.other._send(b"")  # noqa: SLF001
            self.wake()

    def reset(self) -> None:
        """Breaks the stream at both ends."""
        self.cut_off()
        self.other.cut_off()

    def cut_off(self) -> None:
        """Breaks this end: what was on its way is lost."""
        self.over = True
        self._coming.clear()
        self._size = 0
        self.wake()

    def wake(self) -> None:
        """Makes whoever waits look again."""
        self._changed.set()
        self._changed = trio.Event()

    def _check(self) -> None:
        if self.over:
            raise NetworkError(f"The stream to {self.peer} was cut.")

    def _send(self, data: bytes) -> float:
        """Puts data on its way to this end; returns when it arrives."""
        self._latest = max(self._latest, trio.current_time() + self._weather.lag())
        if not self.over:
            self._coming.append((self._latest, data))
            self._size += len(data)
            self.wake()
        return self._latest

    def _arrived(self) -> bytes | None:
        if self._connection.cut or not self._coming or self._coming[0][0] > trio.current_time():
            return None
        found = b""
        while self._coming and self._coming[0][0] <= trio.current_time():
            data = self._coming[0][1]
            if not data:
                return found  # the end stays for further reads
            if len(found) + len(data) > READ_BYTES:
                break
            found += data
            self._coming.popleft()
        self._size -= len(found)
        self.other.wake()
        return found
