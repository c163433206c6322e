"""The local API of a node: what screens and commands ask over its Unix socket.

`Api.attend` is the seam: it speaks frames over any Trio stream. `serve` brings the Unix socket.
"""

import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import trio

from meshcoop.errors import USAGE, Mistake
from meshcoop.network.interface import Starting
from meshcoop.store.disk_errors import trouble
from protocol.errors import Refused
from protocol.wire.local_rpc import (
    MAX_MESSAGE,
    REFUSED,
    RESYNC,
    SUBSCRIBE,
    TOO_MUCH,
    VERSION,
    Decoder,
    Error,
    ErrorCode,
    Event,
    Frame,
    Request,
    Response,
    check_hello,
    encode,
)

MAX_CLIENTS = 32
MAX_REQUESTS = 16  # of one client at a time; the next is read when one is answered
MAX_EVENTS = 256  # waiting for one client; one more and the subscription is cut
MAX_EVENT = 16 * 1024  # bytes; an event is a hint, the client reads the rest
HELLO_SECONDS = 10
_FAREWELL_SECONDS = 1
_USAGE = 2  # the exit code of a Mistake in how something was asked
_BACKLOG = 64
_PIECE = 64 * 1024

Method = Callable[[dict[str, Any]], Awaitable[Any]]


_log = logging.getLogger(__name__)


class Subscription:
    """Encoded events on their way to one client. `cut` once some were lost; then no more come."""

    def __init__(self, topics: Collection[str] | None) -> None:
        self._topics = topics
        self._sender, self.events = trio.open_memory_channel[bytes](MAX_EVENTS)
        self.cut = False

    def concerns(self, topic: str) -> bool:
        return self._topics is None or topic in self._topics

    def offer(self, data: bytes | None) -> None:
        """Queues one event, or cuts: for None, an event that cannot be told, or a full queue."""
        self.cut = data is None
        if data is not None:
            try:
                self._sender.send_nowait(data)
            except trio.WouldBlock:
                self.cut = True
        if self.cut:
            self.close()

    def close(self) -> None:
        """No more events; those that wait can still be read. Closing twice is fine."""
        self._sender.close()


class Hub:
    """Tells what happens in the node to whoever has subscribed, and waits for nobody."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def publish(self, topic: str, payload: Any = None) -> None:
        """Tells the subscribers of `topic`. Never waits and never raises: a client that cannot be
        told, because its queue is full or no frame carries the event, has to resync instead.
        """
        concerned = [each for each in self._subscriptions if each.concerns(topic)]
        if not concerned:
            return
        data = _event(topic, payload)
        for subscription in concerned:
            subscription.offer(data)
            if subscription.cut:
                self._subscriptions.discard(subscription)

    def subscribe(self, topics: Collection[str] | None = None) -> Subscription:
        """From now on the events of `topics`, or all. Hand it to `end` when done."""
        subscription = Subscription(topics)
        self._subscriptions.add(subscription)
        return subscription

    def end(self, subscription: Subscription) -> None:
        """Ends a subscription; ending one that was cut is fine."""
        self._subscriptions.discard(subscription)
        subscription.close()


class Api:
    """The methods of one node, for any number of connections up to MAX_CLIENTS."""

    def __init__(self, methods: Mapping[str, Method], hub: Hub) -> None:
        self._methods = methods
        self._hub = hub
        self._clients = 0

    async def attend(self, stream: trio.abc.Stream) -> None:
        """Serves one client until it leaves or talks garbage, and closes the stream.

        Requests that are under way when the client leaves are cancelled. Never raises.
        """
        self._clients += 1
        client = _Client(stream, self._methods, self._hub)
        try:
            async with stream:
                if self._clients > MAX_CLIENTS:
                    await client.farewell("The node serves as many programs as it can; close one.")
                else:
                    await client.serve()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            _log.debug("A client left in the middle of an answer")
        except* Exception:  # noqa: BLE001  # loud, and still not the end of the node
            _log.exception("A client of the local API is lost to a fault of ours")
        finally:
            self._clients -= 1


class _Client:
    """One connection: reads requests, answers them side by side, forwards events."""

    def __init__(self, stream: trio.abc.Stream, methods: Mapping[str, Method], hub: Hub) -> None:
        self._stream = stream
        self._methods = methods
        self._hub = hub
        self._decoder = Decoder()
        self._sending = trio.Lock()  # frames of several answers must not mix
        self._room = trio.Semaphore(MAX_REQUESTS)
        self._subscription: Subscription | None = None

    async def serve(self) -> None:
        if not await self._greeted():
            return
        try:
            async with trio.open_nursery() as nursery:
                while (request := await self._receive()) is not None:
                    await self._room.acquire()
                    nursery.start_soon(self._answer, request, nursery)
                nursery.cancel_scope.cancel()
        finally:
            self._unsubscribe()

    async def farewell(self, reason: str) -> None:
        """Says why the connection ends, to a client that still listens."""
        with trio.move_on_after(_FAREWELL_SECONDS):
            await self._send(encode(Event(REFUSED, {"message": reason})))

    async def _greeted(self) -> bool:
        request = None
        with trio.move_on_after(HELLO_SECONDS):
            request = await self._receive()
        if request is None:
            return False
        try:
            check_hello(request)
        except Refused as refusal:
            await self._send(_failure(request, "refused", refusal.reason))
            return False
        await self._send(encode(Response(request.id, result={"version": VERSION})))
        return True

    async def _receive(self) -> Request | None:
        """The next request; None when there is no more, or what came is none."""
        try:
            while (frame := next(iter(self._decoder), None)) is None:
                data = await self._stream.receive_some(_PIECE)
                if not data:
                    return None
                self._decoder.feed(data)
            return _as_request(frame)
        except Refused as refusal:
            await self.farewell(refusal.reason)
            return None

    async def _answer(self, request: Request, nursery: trio.Nursery) -> None:
        try:
            if request.method == SUBSCRIBE:
                await self._subscribe(request, nursery)
            else:
                await self._send(await self._outcome(request))
        finally:
            self._room.release()

    async def _outcome(self, request: Request) -> bytes:
        """The encoded response, whatever the method does."""
        method = self._methods.get(request.method)
        if method is None:
            reason = f"The node knows no `{request.method}`; it may be older than this program"
            return _failure(request, "unknown", f"{reason}: restart it.")
        try:
            return _result(request, await method(request.params))
        except Refused as refusal:
            how: ErrorCode = "usage" if refusal.rule in USAGE else "refused"
            return _failure(request, how, f"{refusal}.")
        except Mistake as mistake:
            code: ErrorCode = "usage" if mistake.code == _USAGE else "refused"
            return _failure(request, code, mistake.sentence)
        except Exception as error:  # noqa: BLE001  # loud, and still not the end of the node
            known = trouble(error)
            if known is not None:
                return _failure(request, "refused", known.sentence)
            _log.exception("The method %s failed", request.method)
            reason = f"The node made a mistake ({type(error).__name__}); its log says more."
            return _failure(request, "internal", reason)

    async def _subscribe(self, request: Request, nursery: trio.Nursery) -> None:
        """One subscription a client: a new one takes the place of the old."""
        topics = request.params.get("topics")
        if topics is not None and not (type(topics) is list and all(map(_is_text, topics))):
            await self._send(
                _failure(request, "usage", "`topics` is a list of texts, or left out.")
            )
            return
        self._unsubscribe()
        self._subscription = subscription = self._hub.subscribe(topics)
        await self._send(encode(Response(request.id, result={})))
        nursery.start_soon(self._forward, subscription)

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._hub.end(self._subscription)

    async def _forward(self, subscription: Subscription) -> None:
        async for data in subscription.events:
            await self._send(data)
        if subscription.cut:
            await self._send(encode(Event(RESYNC, {})))

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            await self._stream.send_all(data)


async def serve(
    path: Path,
    methods: Mapping[str, Method],
    hub: Hub,
    *,
    task_status: Starting = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves the local API on a Unix socket at `path` (0600) until cancelled.

    Started once clients can connect. A socket that nobody answers on is replaced. The caller holds
    the home's lock and has made the folder, mode 0700. Raises Mistake when the path is taken.
    """
    api = Api(methods, hub)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(_listening(path)))
    try:
        task_status.started()
        await trio.serve_listeners(api.attend, [listener])
    finally:
        _remove(path)


def _listening(path: Path) -> socket.socket:
    _remove_stale(path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(os.fspath(path))
        path.chmod(0o600)  # before listen: until then nobody can connect
        server.listen(_BACKLOG)
    except OSError as error:
        server.close()
        reason = f"{path} cannot be a socket: {error.strerror or error}"
        raise Mistake(f"{reason}; check the folder.") from None
    return server


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Mistake(f"{path} is in the way of the node's socket; move it.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:
            _log.debug("The socket at %s is taken but slow", path)
    raise Mistake(f"Another node answers at {path}; stop it with `meshcoop down`.")


def _as_request(frame: Frame) -> Request:
    if not isinstance(frame, Request):
        raise Refused("R-06.7", "a client sends requests only")
    return frame


def _event(topic: str, payload: Any) -> bytes | None:
    """The encoded event; None, and a loud word in the log, when it cannot be told."""
    try:
        data = encode(Event(topic, payload))
    except Refused:
        _log.exception("The event %r cannot be told", topic)
        return None
    if len(data) > MAX_EVENT:
        _log.error("The event %r has %d bytes; at most %d are told", topic, len(data), MAX_EVENT)
        return None
    return data


def _result(request: Request, result: Any) -> bytes:
    """Raises Mistake when the result is too large, TypeError when no frame carries it."""
    try:
        return encode(Response(request.id, result=result))
    except Refused as refusal:
        if refusal.rule in TOO_MUCH:
            raise Mistake("The answer is too large for one frame; ask for it in pages.") from None
        raise TypeError(f"a result that no frame carries: {refusal}") from refusal


def _failure(request: Request, code: ErrorCode, message: str) -> bytes:
    text = message.encode(errors="replace").decode()[:MAX_MESSAGE]  # lone surrogates of a path
    return encode(Response(request.id, Error(code, text)))


def _is_text(value: object) -> bool:
    return isinstance(value, str)
