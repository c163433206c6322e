"""Frames of the peer protocols: a 4-byte big-endian length, then canonical msgpack (R-05.1)."""

from typing import Any

from protocol import codec
from protocol.errors import Refused

MAX_FRAME = 64 * 1024
MAX_FRAME_ITEMS = 4096
_PREFIX = 4


def encode(frame: list[Any]) -> bytes:
    """One frame on the wire. A frame of ours that is too large is our own mistake."""
    body = codec.pack(frame)
    if len(body) > MAX_FRAME:
        raise ValueError(f"a frame of {len(body)} bytes")
    return len(body).to_bytes(_PREFIX, "big") + body


class Decoder:
    """Turns bytes, in whatever pieces they come, into frames. Raises Refused (R-05.1, R-02)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether a frame has begun that is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[list[Any]]:
        """The frames that `data` completes, each a list whose first item is an integer."""
        self._buffer += data
        frames = []
        while (body := self._body()) is not None:
            frame = codec.unpack_framed(body, max_bytes=MAX_FRAME, max_items=MAX_FRAME_ITEMS)
            if type(frame) is not list or not frame or type(frame[0]) is not int:
                raise Refused("R-05.1", "a frame is a list that begins with its type")
            frames.append(frame)
        return frames

    def _body(self) -> bytes | None:
        if len(self._buffer) < _PREFIX:
            return None
        length = int.from_bytes(self._buffer[:_PREFIX], "big")
        if length > MAX_FRAME:
            raise Refused("R-05.1", f"a frame of {length} bytes; {MAX_FRAME} are allowed")
        end = _PREFIX + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_PREFIX:end])
        del self._buffer[:end]
        return body
