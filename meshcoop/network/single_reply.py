"""Reads the reply from a stream that carries one request and one reply."""

from typing import Any

from meshcoop.network.interface import NetworkError, Stream
from protocol.wire import frames
from protocol.wire.paged_chain import PageReader


async def read_reply(stream: Stream, pages: PageReader | None = None) -> list[Any]:
    """Reads and returns the reply. `pages` takes the pages that come before the reply.

    Raises NetworkError if the peer closes the stream before it replies. Raises Refused if the pages
    break a rule (R-05.3g).
    """
    decoder = frames.Decoder()
    while data := await stream.read():
        for frame in decoder.feed(data):
            if pages is None or not pages.take(frame):
                return frame
    raise NetworkError("the other side hung up")
