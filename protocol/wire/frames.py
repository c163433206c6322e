"""Frames of the peer protocols: a 4-byte big-endian length, then canonical msgpack (R-05.1)."""

from collections.abc import Iterable, Iterator
from typing import Any

from protocol.errors import Refused
from protocol.record import codec

MAX_FRAME = 64 * 1024  # bytes of a frame after its length
MAX_FRAME_ITEMS = 4096  # the most items in one list or map
MAX_BATCH = MAX_FRAME - 8 * 1024  # bytes of records in a frame; the framing takes the rest

_MAX_BATCH_RECORDS = 1024
_RECORD_FRAMING = 8  # bytes; msgpack needs fewer to write a record's length
_PREFIX = 4  # bytes of the length


def encode(frame: list[Any]) -> bytes:
    """Returns the bytes of a frame: first the length of its body, then the body.

    Raises ValueError if the frame is too large. Only a bug can cause this, because our own frames
    are never too large.
    """
    body = codec.pack(frame)
    if len(body) > MAX_FRAME:
        raise ValueError(f"a frame of {len(body)} bytes")
    return len(body).to_bytes(_PREFIX, "big") + body


def batch_records(wires: Iterable[bytes], max_bytes: int = MAX_BATCH) -> Iterator[list[bytes]]:
    """Puts records into lists that fit one frame each. Yields the lists, and keeps the order.

    A record has at most 16 KiB. A list of several records has at most `max_bytes` bytes. A list of
    one record may be longer.
    """
    batch: list[bytes] = []
    size = 0
    for wire in wires:
        is_full = size + len(wire) + _RECORD_FRAMING * len(batch) > max_bytes
        if batch and (is_full or len(batch) >= _MAX_BATCH_RECORDS):
            yield batch
            batch = []
            size = 0
        batch.append(wire)
        size += len(wire)
    if batch:
        yield batch


class Decoder:
    """Reads the frames in a stream of bytes. The bytes may come in pieces of any size.

    Raises Refused (R-05.1, R-02).
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[list[Any]]:
        """Takes the next bytes, and returns the frames that these bytes complete.

        A frame is a list. Its first value is an integer, the type of the frame.
        """
        self._buffer += data
        frames = []
        while (body := self._next_body()) is not None:
            frame = codec.unpack_framed(body, max_bytes=MAX_FRAME, max_items=MAX_FRAME_ITEMS)
            if type(frame) is not list or not frame or type(frame[0]) is not int:
                raise Refused("R-05.1", "a frame is a list that begins with its type")
            frames.append(frame)
        return frames

    @property
    def is_partial(self) -> bool:
        """True if the decoder holds the beginning of a frame, but not its end."""
        return bool(self._buffer)

    def _next_body(self) -> bytes | None:
        """Takes the body of the next frame out of the buffer and returns it.

        Returns None if the body is not complete yet. Raises Refused (R-05.1) if its length is too
        large.
        """
        if len(self._buffer) < _PREFIX:
            return None
        length = int.from_bytes(self._buffer[:_PREFIX], "big")
        # Refuses a length that is too large before the body of the frame fills the memory.
        if length > MAX_FRAME:
            raise Refused(
                "R-05.1",
                "a frame of {length} bytes; {max_frame} are allowed",
                length=length,
                max_frame=MAX_FRAME,
            )
        end = _PREFIX + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_PREFIX:end])
        del self._buffer[:end]
        return body
