"""A client of a node's local API (specs/06), for asyncio. It sends calls and collects events."""

import asyncio
import itertools
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from protocol.errors import Refused, fill_in
from protocol.wire.calls import Call, Subscribe
from protocol.wire.local_rpc import (
    REFUSED,
    Decoder,
    Error,
    Event,
    Frame,
    Request,
    Response,
    encode,
    hello_request,
)
from tui.i18n import _

HELLO_SECONDS = 10

_READ_BYTES = 64 * 1024


class Declined(Exception):
    """The node refused a call. `sentence` tells the reader why, and what helps."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NodeGone(Declined):
    """The node does not answer, or it stopped during a call. If it stopped, nobody knows whether
    the call took effect.
    """


class Client:
    """A connection to a node. Every method may raise Declined, or NodeGone, which is a subclass of
    Declined.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._end: NodeGone | None = None
        self._task = asyncio.create_task(self._read_frames(), name="local API")

    @classmethod
    async def connect(cls, path: Path) -> Self:
        """Connects to the node at `path`, and exchanges hellos with it. If this takes longer than
        HELLO_SECONDS, raises NodeGone.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(os.fspath(path))
        except OSError:
            raise NodeGone(_("This home is not running.")) from None
        client = cls(reader, writer)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                await client._send_request(hello_request(next(client._ids)))
        except TimeoutError:
            await client.close()
            raise NodeGone(_("This home does not answer.")) from None
        except BaseException:
            await client.close()
            raise
        return client

    async def call(self, call: Call) -> Any:
        """Calls a method of the local API and returns its result. Several calls may wait for
        results at the same time.
        """
        return await self._send_request(Request(next(self._ids), call.METHOD, call.params))

    async def subscribe(self) -> None:
        """Asks the node to send events. When an event with the topic "resync" comes, the client has
        to subscribe again.
        """
        await self.call(Subscribe())

    async def next_event(self, seconds: float) -> Event | None:
        """Returns the next event. If none comes within `seconds`, returns None. If the connection
        has ended, raises NodeGone.
        """
        try:
            async with asyncio.timeout(seconds):
                event = await self._events.get()
        except TimeoutError:
            return None
        if event is None:
            raise self._end or NodeGone(_("This home has closed the connection."))
        return event

    def take_waiting_events(self) -> list[Event]:
        """Returns the events that have arrived already, without waiting for more."""
        events: list[Event] = []
        while not self._events.empty():
            event = self._events.get_nowait()
            if event is None:
                # The end of the connection stays in the queue, so that `next_event` reports it.
                self._events.put_nowait(None)
                break
            events.append(event)
        return events

    async def close(self) -> None:
        """Closes the connection; the node keeps running. A second call does nothing."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _send_request(self, request: Request) -> Any:
        if self._end is not None:
            raise self._end
        try:
            data = encode(request)
        except Refused as refusal:
            raise Declined(_("This cannot be sent: {why}.").format(why=refusal.reason)) from None
        future = asyncio.get_running_loop().create_future()
        self._pending[request.id] = future
        try:
            self._writer.write(data)
            # `_read_frames` still reads what the node sent before it closed the connection.
            with suppress(OSError):
                await self._writer.drain()
            return await future
        finally:
            self._pending.pop(request.id, None)

    async def _read_frames(self) -> None:
        decoder = Decoder()
        end = NodeGone(_("This home has stopped."))
        try:
            while data := await self._reader.read(_READ_BYTES):
                decoder.feed(data)
                for frame in decoder:
                    self._handle_frame(frame)
        except Refused as refusal:
            words = _("This home answers in a way that this screen cannot read: {why}.")
            end = NodeGone(words.format(why=refusal.reason))
        except NodeGone as gone:
            end = gone
        except OSError:
            pass
        finally:
            self._end_calls(end)

    def _handle_frame(self, frame: Frame) -> None:
        if isinstance(frame, Response):
            future = self._pending.get(frame.id)
            if future is None or future.done():
                return
            if frame.error is None:
                future.set_result(frame.result)
            else:
                future.set_exception(Declined(_sentence_of(frame.error)))
        elif isinstance(frame, Event):
            if frame.topic == REFUSED:
                payload = frame.payload if isinstance(frame.payload, dict) else {}
                sentence = payload.get("message") or _("This home has closed the connection.")
                raise NodeGone(str(sentence))
            self._events.put_nowait(frame)

    def _end_calls(self, end: NodeGone) -> None:
        self._end = end
        for future in self._pending.values():
            if not future.done():
                future.set_exception(end)
        self._events.put_nowait(None)


def _sentence_of(error: Error) -> str:
    """Writes an error as a sentence. If the error names a rule that was broken, the sentence ends
    with the number of this rule.
    """
    sentence = fill_in(_(error.message), error.arguments)
    return sentence if error.rule is None else f"{sentence} ({error.rule})."
