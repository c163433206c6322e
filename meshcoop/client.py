"""A blocking client of the local API, for the command line. This module imports nothing that is
slow to load.
"""

import hashlib
import itertools
import os
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self

from meshcoop.errors import BrokenRule, Mistake
from protocol.errors import Refused
from protocol.wire.calls import Balance, Call, Listing, Show, Subscribe
from protocol.wire.local_rpc import (
    REFUSED,
    Decoder,
    Error,
    ErrorCode,
    Event,
    Frame,
    Request,
    Response,
    encode,
    hello_request,
)

HELLO_SECONDS = 10

_EXIT_CODES: dict[ErrorCode, int] = {"refused": 1, "usage": 2, "internal": 1, "unknown": 1}
_READ_BYTES = 64 * 1024
_ALL = 2**31  # rows; no list is longer
_PACKAGES = ("meshcoop", "protocol")  # what a node and a command are made of


class NodeGone(Mistake):
    """Raised if no node answers, or if the node stops during a call.

    After such a stop, the caller cannot know whether the node has carried out the call.
    """


class OtherProgram(Mistake):
    """Raised if the node runs another version of the program than this process."""

    def __init__(self) -> None:
        super().__init__(
            "The node runs another version of the program than this command; `meshcoop down` and"
            " `meshcoop up` renew it."
        )


class Page(NamedTuple):
    """A part of a list (R-06.16).

    `total` is the number of rows of the whole list. If more rows follow, `next` is the cursor: the
    caller sends it to get the next page.
    """

    rows: list[Any]
    total: int
    next: str | None
    newer: Sequence[Any] = ()  # which records the program of the node does not know (R-10.8c)

    @classmethod
    def read(cls, answer: Any) -> Self:
        """Reads a page from the node's answer."""
        return cls(answer["rows"], answer["total"], answer["next"], answer.get("newer", ()))


class Client:
    """One connection to the node of a home. Every method may raise Mistake or NodeGone.

    If the node runs another version of the program, entering the connection raises OtherProgram,
    because the two versions may not understand each other's params and results. With `any_program`,
    entering never raises OtherProgram. A caller that sets `any_program` may use only what every
    version has: the method `stop`, and the values `ready` and `pid` of the status.

    If a call takes more than `patience` seconds, the call raises NodeGone. If `patience` is None, a
    call waits as long as the node runs.
    """

    def __init__(
        self, socket_path: Path, patience: float | None = None, *, any_program: bool = False
    ) -> None:
        self._path = socket_path
        self._any_program = any_program
        self._patience = patience
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._decoder = Decoder()
        self._events: deque[Event] = deque()  # events that came while a call waited
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        """Connects to the node and exchanges greetings within 10 s.

        Raises NodeGone if no node answers. Raises OtherProgram if the node runs another version of
        the program.
        """
        try:
            self._connect()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()

    def call(self, call: Call) -> Any:
        """Calls a method of the API and returns its result. If the node refuses the call, raises
        Mistake.
        """
        deadline = None if self._patience is None else time.monotonic() + self._patience
        return self._send_request(Request(next(self._ids), call.METHOD, call.params), deadline)

    def list_rows(self, call: Listing) -> Page:
        """Calls a method that lists rows, and returns one page with at most `limit` rows. If
        `limit` is None, the node chooses the number of rows. If the page is long, the node sends it
        in parts.
        """
        page = Page.read(self.call(call))
        rows = page.rows
        while call.limit is not None and page.next is not None and len(rows) < call.limit:
            following = replace(call, limit=call.limit - len(rows), after=page.next)
            page = Page.read(self.call(following))
            rows += page.rows
        return page._replace(rows=rows)

    def list_all(self, call: Listing) -> list[Any]:
        """Calls a method that lists rows, and returns all rows."""
        return self.list_rows(replace(call, limit=_ALL)).rows

    def show_whole(self, call: Show | Balance) -> Any:
        """Calls a method that shows a history in parts. Returns the answer with the
        whole history.
        """
        answer = self.call(call)
        while answer.get("earlier") is not None:
            part = self.call(replace(call, before=answer["earlier"]))
            answer |= {"history": part["history"] + answer["history"], "earlier": part["earlier"]}
        of_part = {"history_total", "earlier"}  # these say nothing about a whole history
        return {name: value for name, value in answer.items() if name not in of_part}

    def subscribe(self, *topics: str) -> None:
        """Subscribes to the events of `topics`. Without topics, subscribes to all events.

        After that, call `events` to get the events.
        """
        self.call(Subscribe(topics=list(topics) or None))

    def events(self, seconds: float) -> Iterator[Event]:
        """Yields events as they arrive, until `seconds` have passed.

        An event with the topic "resync" means that some events were lost. The caller must then read
        its data again and subscribe again.
        """
        deadline = time.monotonic() + seconds
        while True:
            while self._events:
                yield self._events.popleft()
            frame = self._next_frame(deadline)
            if frame is None:
                return
            if isinstance(frame, Event):
                yield frame

    def _connect(self) -> None:
        seconds = min(HELLO_SECONDS, self._patience or HELLO_SECONDS)
        deadline = time.monotonic() + seconds
        self._socket.settimeout(seconds)
        try:
            self._socket.connect(os.fspath(self._path))
        except OSError:
            raise NodeGone("No node runs in this home; start it with `meshcoop up`.") from None
        greeting = self._send_request(hello_request(next(self._ids)), deadline)
        is_ours = isinstance(greeting, dict) and greeting.get("program") == program_version()
        if not is_ours and not self._any_program:
            raise OtherProgram

    def _send_request(self, request: Request, deadline: float | None) -> Any:
        try:
            data = encode(request)
        except Refused as refusal:
            raise Mistake(
                "This cannot be sent to the node: {reason}.", 2, reason=refusal.reason
            ) from None
        try:
            self._socket.sendall(data)
        except OSError:
            # The node may have sent a reason before it closed. The loop below reads the reason.
            deadline = time.monotonic() + HELLO_SECONDS
        while True:
            frame = self._next_frame(deadline)
            if frame is None:
                raise NodeGone("The node does not answer; see its log, or restart it.")
            if isinstance(frame, Event):
                self._events.append(frame)
            elif isinstance(frame, Response) and frame.id == request.id:
                if frame.error is None:
                    return frame.result
                raise _mistake_of(frame.error)

    def _next_frame(self, deadline: float | None) -> Frame | None:
        """Returns the next frame from the node, or None if the deadline passes first. The deadline
        is a time of `time.monotonic`.
        """
        try:
            while (frame := next(iter(self._decoder), None)) is None:
                data = self._receive(deadline)
                if data is None:
                    return None
                self._decoder.feed(data)
        except Refused as refusal:
            raise Mistake(
                "The node answers in a way that this program cannot read: {reason}; restart it.",
                reason=refusal.reason,
            ) from None
        if isinstance(frame, Event) and frame.topic == REFUSED:
            _raise_refusal(frame)
        return frame

    def _receive(self, deadline: float | None) -> bytes | None:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._socket.settimeout(left)
        else:
            self._socket.settimeout(None)
        try:
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return None
        except OSError:
            data = b""
        if not data:
            raise NodeGone(
                "The node has stopped before it answered; start it with `meshcoop up` and check "
                "whether it was done."
            )
        return data


def _mistake_of(error: Error) -> Mistake:
    """Turns an error of the node into a Mistake. If a rule was broken, the sentence ends with the
    number of the rule.
    """
    code = _EXIT_CODES[error.code]
    if error.rule is None:
        return Mistake(error.message, code, **error.arguments)
    arguments = {name: value for name, value in error.arguments.items() if name != "field"}
    return BrokenRule(Refused(error.rule, error.message, error.field, **arguments), code)


def _raise_refusal(event: Event) -> NoReturn:
    """Raises a Mistake that says why the node has closed the connection."""
    payload = event.payload
    message = payload.get("message") if isinstance(payload, dict) else None
    if isinstance(message, str):
        raise Mistake(message)
    raise Mistake("The node has closed the connection.")


@cache
def program_version() -> str:
    """Returns the version of the program on the disk.

    The version is derived from the name, the size and the time of change of each source file. An
    upgrade changes these files. A node that was started before the upgrade still runs the old
    program, so its version differs.
    """
    hasher = hashlib.sha256(b"meshcoop program 1\0")
    root = Path(__file__).parent.parent
    for package in _PACKAGES:
        for line in sorted(_describe_sources(root / package, package)):
            hasher.update(line.encode())
    return hasher.hexdigest()[:16]


def _describe_sources(folder: Path, name: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _describe_sources(Path(entry.path), f"{name}/{entry.name}")
            elif entry.name.endswith(".py"):
                status = entry.stat()
                yield f"{name}/{entry.name}\0{status.st_size}\0{status.st_mtime_ns}\n"
