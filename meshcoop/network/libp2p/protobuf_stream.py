"""Messages of libp2p's own protocols on a stream: protobuf with its length in front."""

import logging
from typing import TypeVar

import trio
from google.protobuf.message import Message
from libp2p.abc import INetStream
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited

log = logging.getLogger(__name__)

ANSWER_WITHIN = 10.0  # seconds
MESSAGE_BYTES = 4096

_Kind = TypeVar("_Kind", bound=Message)


async def send(stream: INetStream, message: Message) -> None:
    """Sends one message with its length in front."""
    await stream.write(encode_varint_prefixed(message.SerializeToString()))


async def receive(stream: INetStream, kind: type[_Kind]) -> _Kind:
    """The next message. Raises what the stream or the decoder raises."""
    return kind.FromString(await read_varint_prefixed_bytes_limited(stream, MESSAGE_BYTES))


async def heard(stream: INetStream, kind: type[_Kind]) -> _Kind | None:
    """The first message of a stream that a peer opened; None, and the stream reset, for another."""
    try:
        with trio.fail_after(ANSWER_WITHIN):
            return await receive(stream, kind)
    except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
        log.info("%s says nothing of sense: %r", stream.muxed_conn.peer_id, error)
        await stream.reset()
    return None
