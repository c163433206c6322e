"""The server of the local API. Screens and commands call the API's methods over a Unix socket.

`ApiServer.serve_client` exchanges frames over any Trio stream. `serve_api` opens the Unix socket
and calls `serve_client` for each client.
"""

import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import trio

from meshcoop.api.event_hub import EventHub, Subscription
from meshcoop.api.params import USAGE_ERROR
from meshcoop.client import program_version
from meshcoop.errors import USAGE_RULES, Mistake
from meshcoop.network.interface import TaskStatus
from meshcoop.store.disk_errors import disk_error_of
from protocol.errors import AlreadySo, Refused
from protocol.wire import calls
from protocol.wire.local_rpc import (
    MAX_MESSAGE,
    REFUSED,
    RESYNC,
    SUBSCRIBE,
    TOO_MUCH_RULES,
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
MAX_REQUESTS = 16  # the most unanswered requests of one client; a further request waits
HELLO_SECONDS = 10
CALL = "call "  # the name of a task that answers one call begins with this

Method = Callable[[dict[str, Any]], Awaitable[Any]]

_FAREWELL_SECONDS = 1
_PROBE_SECONDS = 1
_BACKLOG = 64  # clients that wait to be accepted
_CHUNK = 64 * 1024  # bytes read at once

_log = logging.getLogger(__name__)
_NO_ARGUMENTS: Mapping[str, object] = MappingProxyType({})


class ApiServer:
    """Offers the methods of one node to clients. Serves at most MAX_CLIENTS clients at a time."""

    def __init__(self, methods: Mapping[str, Method], hub: EventHub) -> None:
        self._methods = methods
        self._hub = hub
        self._clients = 0
        # The version of the program that this node runs, even if a newer one is installed later.
        self._program = program_version()

    async def serve_client(self, stream: trio.abc.Stream) -> None:
        """Serves one client until the client leaves or sends something invalid. Never raises.

        Afterwards, closes the stream, and cancels the client's requests that have no answer yet.
        """
        self._clients += 1
        client = _Client(stream, self._methods, self._hub, self._program)
        try:
            async with stream:
                if self._clients > MAX_CLIENTS:
                    await client.send_farewell(
                        "The node serves as many programs as it can; close one."
                    )
                else:
                    await client.serve()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            _log.debug("A client left in the middle of an answer")
        except* Exception:  # noqa: BLE001  # it is logged, and the node goes on
            _log.exception("A client of the local API is lost to a fault of ours")
        finally:
            self._clients -= 1


class _Client:
    """One connection to a client. It reads requests, works on several requests at the same time,
    and sends events to the client.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        methods: Mapping[str, Method],
        hub: EventHub,
        program: str,
    ) -> None:
        self._stream = stream
        self._program = program
        self._methods = methods
        self._hub = hub
        self._decoder = Decoder()
        self._sending = trio.Lock()  # frames of several answers must not mix
        self._free_requests = trio.Semaphore(MAX_REQUESTS)
        self._subscribed = ExitStack()  # holds the present subscription

    async def serve(self) -> None:
        """Answers requests until the client leaves. Then cancels the requests that have no answer
        yet.
        """
        if not await self._shake_hands():
            return
        with self._subscribed:
            async with trio.open_nursery() as nursery:
                while (request := await self._receive()) is not None:
                    await self._free_requests.acquire()
                    name = f"{CALL}{request.method} {request.params.get('what', '')}".rstrip()
                    nursery.start_soon(self._answer, request, nursery, name=name)
                nursery.cancel_scope.cancel()

    async def send_farewell(self, reason: str) -> None:
        """Tells the client why the connection will end."""
        with trio.move_on_after(_FAREWELL_SECONDS):
            await self._send(encode(Event(REFUSED, {"message": reason})))

    async def _shake_hands(self) -> bool:
        """Waits for the client's first request, the hello, and answers it.

        Returns False if no hello comes in time, or if the client's version is wrong.
        """
        request = None
        with trio.move_on_after(HELLO_SECONDS):
            request = await self._receive()
        if request is None:
            return False
        try:
            check_hello(request)
        except Refused as refusal:
            await self._send(_encode_failure(request, "refused", refusal.reason))
            return False
        # Clients that come with this program see whether the node is still the same one (R-06.6e).
        greeting = {"version": VERSION, "program": self._program}
        await self._send(encode(Response(request.id, result=greeting)))
        return True

    async def _receive(self) -> Request | None:
        """Returns the next request. Returns None if the client has left, or if it has sent
        something else than a request.
        """
        try:
            while (frame := next(iter(self._decoder), None)) is None:
                data = await self._stream.receive_some(_CHUNK)
                if not data:
                    return None
                self._decoder.feed(data)
            return _as_request(frame)
        except Refused as refusal:
            await self.send_farewell(refusal.reason)
            return None

    async def _answer(self, request: Request, nursery: trio.Nursery) -> None:
        try:
            if request.method == SUBSCRIBE:
                await self._subscribe(request, nursery)
            else:
                await self._send(await self._call_method(request))
        finally:
            self._free_requests.release()

    async def _call_method(self, request: Request) -> bytes:
        """Calls a method and returns the encoded response. If the call fails, the response says
        why.
        """
        method = self._methods.get(request.method)
        if method is None:
            return _encode_failure(
                request,
                "unknown",
                "The node knows no `{method}`; it may be older than this program: restart it.",
                {"method": request.method},
            )
        try:
            return _encode_result(request, await _obtain_result(method, request.params))
        except Refused as refusal:
            return _encode_refusal(request, refusal)
        except Mistake as mistake:
            code = _error_code(mistake.code == USAGE_ERROR)
            return _encode_failure(request, code, mistake.text, mistake.arguments)
        except Exception as error:  # noqa: BLE001  # it is logged, and the node goes on
            disk_trouble = disk_error_of(error)
            if disk_trouble is not None:
                return _encode_failure(
                    request, "refused", disk_trouble.text, disk_trouble.arguments
                )
            _log.exception("The method %s failed", request.method)
            return _encode_failure(
                request,
                "internal",
                "The node made a mistake ({error}); `meshcoop log` says where to look.",
                {"error": type(error).__name__},
            )

    async def _subscribe(self, request: Request, nursery: trio.Nursery) -> None:
        """Subscribes the client to events. A new subscription replaces the earlier one."""
        try:
            topics = calls.Subscribe.read(request.params).topics
        except Refused as refusal:
            await self._send(_encode_refusal(request, refusal))
            return
        self._subscribed.close()
        subscription = self._subscribed.enter_context(self._hub.subscribe(topics))
        await self._send(encode(Response(request.id, result={})))
        nursery.start_soon(self._forward, subscription)

    async def _forward(self, subscription: Subscription) -> None:
        """Sends the events of a subscription until the subscription ends. If the subscription was
        cut, the last event is "resync". This event tells the client to read all data again.
        """
        async for data in subscription.events:
            await self._send(data)
        if subscription.is_cut:
            await self._send(encode(Event(RESYNC, {})))

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            await self._stream.send_all(data)


async def serve_api(
    path: Path,
    methods: Mapping[str, Method],
    hub: EventHub,
    *,
    task_status: TaskStatus = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves the local API on a Unix socket at `path` (mode 0600) until this task is cancelled.

    Reports `started` to the nursery when clients can connect. If a killed node has left a socket at
    `path`, replaces this socket. Raises Mistake if another file is at `path`, or if a running node
    uses this path. The caller must hold the home's lock, and must have made the folder with mode
    0700.
    """
    api = ApiServer(methods, hub)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(_listen(path)))
    try:
        task_status.started()
        await trio.serve_listeners(api.serve_client, [listener])
    finally:
        _remove(path)


def _listen(path: Path) -> socket.socket:
    """Opens a listening socket at `path`. Only this user can use the socket. Raises Mistake if this
    fails.
    """
    _remove_stale(path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(os.fspath(path))
        path.chmod(0o600)  # before `listen`, because nobody can connect yet
        server.listen(_BACKLOG)
    except OSError as error:
        server.close()
        raise Mistake(
            "{path} cannot be a socket: {error}; check the folder.",
            path=path,
            error=error.strerror or error,
        ) from None
    return server


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    """Removes a socket that a killed node has left behind.

    Raises Mistake if the file is not a socket, or if a running node still uses it.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Mistake("{path} is in the way of the node's socket; move it.", path=path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:
            _log.debug("The socket at %s is taken but slow", path)
    raise Mistake("Another node answers at {path}; stop it with `meshcoop down`.", path=path)


async def _obtain_result(method: Method, params: dict[str, Any]) -> Any:
    """Calls a method. If the method refuses to sign because an earlier record says the same and
    still holds, returns that earlier record.

    Then everything is as the caller wants it, so this is no failure (R-06.14).
    """
    try:
        return await method(params)
    except AlreadySo as already:
        record = None if already.record is None else already.record.hex()
        return {"id": record, "already": True}


def _as_request(frame: Frame) -> Request:
    if not isinstance(frame, Request):
        raise Refused("R-06.7", "a client sends requests only")
    return frame


def _error_code(is_usage: bool) -> ErrorCode:
    return "usage" if is_usage else "refused"


def _encode_result(request: Request, result: Any) -> bytes:
    """Encodes the response to a request, with the result of the call.

    Raises Mistake if the response is too large. Raises TypeError if a value of the result cannot be
    encoded.
    """
    try:
        return encode(Response(request.id, result=result))
    except Refused as refusal:
        if refusal.rule in TOO_MUCH_RULES:
            raise Mistake("The answer is too large for one frame; ask for it in pages.") from None
        raise TypeError(f"a result that no frame carries: {refusal}") from refusal


def _encode_refusal(request: Request, refusal: Refused) -> bytes:
    code = _error_code(refusal.rule in USAGE_RULES)
    return _encode_failure(
        request, code, refusal.text, refusal.arguments, refusal.rule, refusal.field
    )


def _encode_failure(
    request: Request,
    code: ErrorCode,
    text: str,
    arguments: Mapping[str, object] = _NO_ARGUMENTS,
    rule: str | None = None,
    field: str | None = None,
) -> bytes:
    shown = {name: _argument(value) for name, value in arguments.items()}
    return encode(Response(request.id, Error(code, _carried(text), rule, field, shown)))


def _argument(value: object) -> float | str:
    """Returns an argument of an error in a form that a frame can carry."""
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, int | float) else _carried(str(value))


def _carried(text: str) -> str:
    # A path in a text may have lone surrogates. No frame can carry them.
    return text.encode(errors="replace").decode()[:MAX_MESSAGE]
