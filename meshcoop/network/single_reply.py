"""What is read from a stream on which one question gets one answer."""

from typing import Any

from meshcoop.network.interface import NetworkError, Stream
from protocol.wire import frames


async def first_frame(stream: Stream) -> list[Any]:
    """The answer. Raises NetworkError where the other side hangs up instead."""
    decoder = frames.Decoder()
    while data := await stream.read():
        for frame in decoder.feed(data):
            return frame
    raise NetworkError("the other side hung up")
