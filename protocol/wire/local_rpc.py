"""Frames of the local API between a node and its screens (specs/06). Bytes in, frames out.

A frame is a 4-byte big-endian length, then that many bytes of msgpack. The msgpack holds a request
`[0, id, method, params]`, a response `[1, id, error, result]` or an event `[2, topic, payload]`.
Every refusal in this module ends the connection. If some bytes cannot be read, nobody knows where
the next frame begins.
"""

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, get_args

import msgpack

from protocol.errors import Refused

VERSION = 1
HELLO = "hello"  # the method of a client's first request
SUBSCRIBE = "subscribe"  # the method that asks for events
RESYNC = "resync"  # a topic; it means: events were lost, read all and subscribe again
REFUSED = "refused"  # a topic; its event tells why the node closes the connection

MAX_FRAME = 1024 * 1024  # bytes of a frame after its length
MAX_DEPTH = 16  # the most lists and maps inside each other, including the frame's own list
MAX_ITEMS = 16_384  # the most items in one list or map
MAX_CONTAINERS = 65_536  # the most lists and maps in one frame
MAX_MESSAGE = 2000  # characters of an error's message

TOO_MUCH_RULES = frozenset({"R-06.1", "R-06.3"})  # if one is broken, ask for less at a time

ErrorCode = Literal["refused", "usage", "internal", "unknown"]

# The first value of a frame's array.
_REQUEST = 0
_RESPONSE = 1
_EVENT = 2

_HEADER = 4  # bytes of the length
_MAX_ID = 2**63 - 1
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_CONTAINERS = frozenset({list, tuple, dict})
_EXACT = frozenset({type(None), bool, int, str, bytes})  # msgpack carries these as they are


@dataclass(frozen=True)
class Request:
    """A client's request. The client chooses `id`, from 0 to 2^63 - 1. Raises Refused (R-06.4)."""

    id: int
    method: str
    params: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_id(self.id)
        _require_name(self.method)
        _require(type(self.params) is dict, "R-06.4", "a request's params are a map")


@dataclass(frozen=True)
class Error:
    """An error: it says why a request has no result.

    `message` is a sentence. If the sentence has a name in braces, the name stands for a value in
    `arguments`. `rule` is the rule of the specs that was broken. `field` is the field that is
    wrong. Raises Refused (R-06.5).
    """

    code: ErrorCode
    message: str
    rule: str | None = None
    field: str | None = None
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        is_code = isinstance(self.code, str) and self.code in get_args(ErrorCode)
        _require(is_code, "R-06.5", "an error's code is refused, usage, internal or unknown")
        fits = type(self.message) is str and len(self.message) <= MAX_MESSAGE
        _require(
            fits,
            "R-06.5",
            "an error's message is a text of up to {most} characters",
            most=MAX_MESSAGE,
        )
        are_texts = all(value is None or type(value) is str for value in (self.rule, self.field))
        _require(are_texts, "R-06.5", "an error's rule and field are texts")
        are_named = isinstance(self.arguments, Mapping) and all(
            type(name) is str for name in self.arguments
        )
        _require(are_named, "R-06.5", "an error's arguments are a map")


@dataclass(frozen=True)
class Response:
    """The node's answer to the request with this `id`: either an error or a result.

    Raises Refused (R-06.4, R-06.5).
    """

    id: int
    error: Error | None = None
    result: Any = None

    def __post_init__(self) -> None:
        _require_id(self.id)
        is_either = self.error is None or self.result is None
        _require(is_either, "R-06.5", "a response has an error or a result, never both")


@dataclass(frozen=True)
class Event:
    """A message that the node sends when something has happened. Raises Refused (R-06.4) if the
    topic is no valid name.
    """

    topic: str
    payload: Any = None

    def __post_init__(self) -> None:
        _require_name(self.topic)


Frame = Request | Response | Event


def encode(frame: Frame) -> bytes:
    """Returns the bytes of a frame: first the length of its body, then the body.

    Raises Refused (R-06.1) if the frame is above 1 MiB. Raises Refused (R-06.2) if the frame
    contains a value that frames cannot carry. Raises Refused (R-06.3) if the frame has too many
    values.
    """
    array = _array_of(frame)
    _check_values(array)
    try:
        body: bytes = msgpack.packb(array)
    except UnicodeEncodeError:
        raise Refused("R-06.2", "a text with letters that are not UTF-8") from None
    except (ValueError, OverflowError) as error:  # such as integers beyond 64 bits
        raise Refused(
            "R-06.2", "a value that frames do not carry: {error}", error=str(error)[:150]
        ) from None
    _check_length(len(body))
    return len(body).to_bytes(_HEADER, "big") + body


class Decoder:
    """Reads the frames in a stream of bytes, in order. The bytes may come in pieces of any size.

        decoder.feed(data)
        for frame in decoder: …

    Both steps raise Refused (R-06.1 to R-06.5). After the first Refused, every further step raises
    Refused too, because nobody knows where the next frame begins. Iterate after every `feed`. The
    decoder then never holds more than one frame and the last piece.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._refusal: Refused | None = None

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream.

        If a frame says that it is too long, raises Refused before the frame's body comes.
        """
        if self._refusal is None:
            self._buffer += data
        self._guarded_size()

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames that are complete now. The next `feed` may complete more frames."""
        while (size := self._guarded_size()) is not None and len(self._buffer) >= _HEADER + size:
            body = bytes(self._buffer[_HEADER : _HEADER + size])
            del self._buffer[: _HEADER + size]
            try:
                frame = _decode(body)
            except Refused as refusal:
                self._refuse(refusal)
            yield frame

    @property
    def is_partial(self) -> bool:
        """True if the decoder holds only a part of a frame.

        If the connection closes while this is True, a frame was cut off.
        """
        return bool(self._buffer)

    def _guarded_size(self) -> int | None:
        """Returns the size of the next frame's body, or None if the length has not come yet.

        Raises Refused if the size is too large, or if an earlier frame was refused.
        """
        if self._refusal is not None:
            raise self._refusal
        if len(self._buffer) < _HEADER:
            return None
        size = int.from_bytes(self._buffer[:_HEADER], "big")
        try:
            _check_length(size)
        except Refused as refusal:
            self._refuse(refusal)
        return size

    def _refuse(self, refusal: Refused) -> NoReturn:
        self._buffer.clear()
        self._refusal = refusal
        raise refusal


def hello_request(request_id: int) -> Request:
    """Makes the hello, the first request that a client sends on a connection."""
    return Request(request_id, HELLO, {"version": VERSION})


def check_hello(request: Request) -> None:
    """Raises Refused (R-06.6) if a client's first request is not a hello of this version."""
    _require(request.method == HELLO, "R-06.6", "the first request is `{hello}`", hello=HELLO)
    version = request.params.get("version")
    is_ours = type(version) is int and version == VERSION
    _require(
        is_ours,
        "R-06.6",
        "the node speaks version {version} of the local API; restart it or this program",
        version=VERSION,
    )


def _require(condition: bool, rule: str, text: str, **arguments: Any) -> None:
    if not condition:
        raise Refused(rule, text, **arguments)


def _require_id(value: object) -> None:
    fits = type(value) is int and 0 <= value <= _MAX_ID
    _require(fits, "R-06.4", "a request's id is an integer from 0 to 2^63 - 1")


def _require_name(value: object) -> None:
    fits = isinstance(value, str) and _NAME.fullmatch(value) is not None
    _require(fits, "R-06.4", "a method or topic is 1 to 64 of a-z, 0-9, _ . - and starts with a-z")


def _array_of(frame: Frame) -> list[Any]:
    if isinstance(frame, Request):
        return [_REQUEST, frame.id, frame.method, frame.params]
    if isinstance(frame, Event):
        return [_EVENT, frame.topic, frame.payload]
    return [_RESPONSE, frame.id, _map_of(frame.error), frame.result]


def _map_of(error: Error | None) -> dict[str, Any] | None:
    """Returns an error as a map, without its empty fields."""
    if error is None:
        return None
    further = {"rule": error.rule, "field": error.field, "arguments": dict(error.arguments)}
    named = {name: value for name, value in further.items() if value}
    return {"code": error.code, "message": error.message, **named}


def _decode(body: bytes) -> Frame:
    array = _unpack(body)
    _check_values(array)
    # In a pattern, True matches 1. So the code checks the type first.
    if type(array) is list and array and type(array[0]) is int:
        match array:
            case [0, request_id, method, params]:  # _REQUEST
                return Request(request_id, method, params)
            case [1, request_id, error, result]:  # _RESPONSE
                return Response(request_id, _read_error(error), result)
            case [2, topic, payload]:  # _EVENT
                return Event(topic, payload)
    raise Refused("R-06.4", "a frame is a request, a response or an event")


def _read_error(value: Any) -> Error | None:
    if value is None:
        return None
    names = {"code", "message", "rule", "field", "arguments"}
    fits = type(value) is dict and {"code", "message"} <= value.keys() <= names
    _require(fits, "R-06.5", "an error is a map of code and message, and of what it names")
    return Error(**value)


def _unpack(body: bytes) -> Any:
    """Returns the msgpack value that fills the whole body. Raises Refused if there is no such
    value.

    This function counts lists and maps while it makes them. Otherwise a small frame could fill the
    memory with empty lists and maps.
    """
    containers = 0

    def count() -> None:
        nonlocal containers
        containers += 1
        _require(
            containers <= MAX_CONTAINERS,
            "R-06.3",
            "more than {most} containers",
            most=MAX_CONTAINERS,
        )

    def counted_list(items: list[Any]) -> list[Any]:
        count()
        return items

    def counted_map(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        count()
        items = dict(pairs)
        _require(len(items) == len(pairs), "R-06.2", "a map names each key once")
        return items

    try:
        return msgpack.unpackb(
            body,
            strict_map_key=True,
            list_hook=counted_list,
            object_pairs_hook=counted_map,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
        )
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise Refused("R-06.2", "not one msgpack value: {error}", error=str(error)[:150]) from None


def _check_values(array: Any) -> None:
    """Raises Refused if frames cannot carry a value (R-06.2), or if there are too many values
    (R-06.3).

    It checks level by level, without recursion. So deep nesting does not use up the stack.
    """
    containers = 1
    level = [array]
    for _ in range(MAX_DEPTH):
        level = [container for value in level for container in _containers_in(value)]
        containers += len(level)
        _require(
            containers <= MAX_CONTAINERS,
            "R-06.3",
            "more than {most} containers",
            most=MAX_CONTAINERS,
        )
        if not level:
            return
    raise Refused("R-06.2", "containers nested deeper than {max_depth}", max_depth=MAX_DEPTH)


def _containers_in(container: Any) -> list[Any]:
    """Returns the lists and maps directly inside `container`. Raises Refused (R-06.2, R-06.3)."""
    values: Iterable[Any] = [container]
    if type(container) in _CONTAINERS:
        _require(
            len(container) <= MAX_ITEMS,
            "R-06.3",
            "more than {most} items in one place",
            most=MAX_ITEMS,
        )
        values = container
    if type(container) is dict:
        _require(set(map(type, container)) <= {str}, "R-06.2", "map keys are texts")
        values = container.values()
    containers = []
    # A list of 500 views has 30,000 values. Two look-ups are enough for most of these values.
    for value in values:
        value_type = type(value)
        if value_type in _CONTAINERS:
            containers.append(value)
        elif value_type not in _EXACT:
            _check_float(value)
    return containers


def _check_float(value: object) -> None:
    """Raises Refused (R-06.2) if the value is not a finite float."""
    if type(value) is not float:
        raise Refused("R-06.2", "values of type {name} are not carried", name=type(value).__name__)
    _require(math.isfinite(value), "R-06.2", "numbers are finite")


def _check_length(size: int) -> None:
    _require(
        size <= MAX_FRAME,
        "R-06.1",
        "a frame of {size} bytes; at most {most} are carried: ask for less at a time",
        size=size,
        most=MAX_FRAME,
    )
