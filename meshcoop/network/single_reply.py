"""Reads the reply from a stream that carries one request and one reply."""

from typing import Any

from meshcoop.network.interface import NetworkError, Stream
from protocol.wire import frames


async def read_reply(stream: Stream) -> list[Any]:
    """Reads and returns the reply. If the peer closes the stream before it replies, raises
    NetworkError.
    """
    decoder = frames.Decoder()
    while data := await stream.read():
        for frame in decoder.feed(data):
            return frame
    raise NetworkError("the other side hung up")
