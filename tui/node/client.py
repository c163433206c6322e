"""An asyncio client of a node's local API (specs/06): calls, and the events between them."""

import asyncio
import itertools
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from protocol.errors import Refused
from protocol.wire.local_rpc import (
    REFUSED,
    SUBSCRIBE,
    Decoder,
    Event,
    Frame,
    Request,
    Response,
    encode,
    hello,
)
from tui.i18n import _

HELLO_SECONDS = 10

_PIECE = 64 * 1024


class Declined(Exception):
    """The node will not do what it was asked; `sentence` says why and what helps."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Gone(Declined):
    """No node answers, or it left in the middle of a call, whose outcome is then unknown."""


class Client:
    """One connection. Every method raises Declined, Gone among them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._end: Gone | None = None
        self._task = asyncio.create_task(self._read(), name="local API")

    @classmethod
    async def connect(cls, path: Path) -> Self:
        """Connects and shakes hands, within 10 s."""
        try:
            reader, writer = await asyncio.open_unix_connection(os.fspath(path))
        except OSError:
            raise Gone(_("No node runs in this home.")) from None
        client = cls(reader, writer)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                await client._ask(hello(next(client._ids)))
        except TimeoutError:
            await client.close()
            raise Gone(_("The node does not answer.")) from None
        except BaseException:
            await client.close()
            raise
        return client

    async def call(self, method: str, **params: Any) -> Any:
        """The method's result. Calls may be under way side by side."""
        return await self._ask(Request(next(self._ids), method, params))

    async def subscribe(self) -> None:
        """Asks for events; a second time after one with the topic "resync"."""
        await self.call(SUBSCRIBE)

    async def event(self, seconds: float) -> Event | None:
        """The next event, or None if there was none in time. Raises Gone once there are no more."""
        try:
            async with asyncio.timeout(seconds):
                event = await self._events.get()
        except TimeoutError:
            return None
        if event is None:
            raise self._end or Gone(_("The node has closed the connection."))
        return event

    def drain(self) -> list[Event]:
        """The events that have come already, without waiting; the end is left in its place."""
        found: list[Event] = []
        while not self._events.empty():
            event = self._events.get_nowait()
            if event is None:
                self._events.put_nowait(None)
                break
            found.append(event)
        return found

    async def close(self) -> None:
        """Leaves the node; it goes on. Closing twice is fine."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _ask(self, request: Request) -> Any:
        if self._end is not None:
            raise self._end
        try:
            data = encode(request)
        except Refused as refusal:
            raise Declined(_("This cannot be sent: {why}.").format(why=refusal.reason)) from None
        future = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            self._writer.write(data)
            with suppress(OSError):  # what the node said before it left is read below
                await self._writer.drain()
            return await future
        finally:
            self._waiting.pop(request.id, None)

    async def _read(self) -> None:
        decoder = Decoder()
        end = Gone(_("The node has stopped."))
        try:
            while data := await self._reader.read(_PIECE):
                decoder.feed(data)
                for frame in decoder:
                    self._take(frame)
        except Refused as refusal:
            words = _("The node answers in a way that this screen cannot read: {why}.")
            end = Gone(words.format(why=refusal.reason))
        except Gone as gone:
            end = gone
        except OSError:
            pass
        finally:
            self._finish(end)

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, Response):
            future = self._waiting.get(frame.id)
            if future is None or future.done():
                return
            if frame.error is None:
                future.set_result(frame.result)
            else:
                future.set_exception(Declined(frame.error.message))
        elif isinstance(frame, Event):
            if frame.topic == REFUSED:
                payload = frame.payload if isinstance(frame.payload, dict) else {}
                raise Gone(str(payload.get("message") or _("The node has closed the connection.")))
            self._events.put_nowait(frame)

    def _finish(self, end: Gone) -> None:
        self._end = end
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(end)
        self._events.put_nowait(None)
