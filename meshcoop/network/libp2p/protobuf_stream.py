"""Sends and receives the messages of libp2p's own protocols. A message is protobuf, and its length
comes before it.
"""

import logging
from typing import TypeVar

import trio
from google.protobuf.message import Message
from libp2p.abc import INetStream
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited

log = logging.getLogger(__name__)

ANSWER_WITHIN = 10.0  # seconds
MESSAGE_BYTES = 4096

_Message = TypeVar("_Message", bound=Message)


async def send_message(stream: INetStream, message: Message) -> None:
    """Sends one message, with its length in front."""
    await stream.write(encode_varint_prefixed(message.SerializeToString()))


async def receive_message(stream: INetStream, message_type: type[_Message]) -> _Message:
    """Receives the next message. Raises the errors of the stream and of the protobuf decoder."""
    data = await read_varint_prefixed_bytes_limited(stream, MESSAGE_BYTES)
    return message_type.FromString(data)


async def read_first_message(stream: INetStream, message_type: type[_Message]) -> _Message | None:
    """Reads the first message of a stream that a peer opened.

    If the peer sends no message in time, or sends something else, resets the stream and returns
    None.
    """
    try:
        with trio.fail_after(ANSWER_WITHIN):
            return await receive_message(stream, message_type)
    except Exception as error:  # noqa: BLE001 -- the peer chooses what is raised here
        log.info("%s sends no valid message: %r", stream.muxed_conn.peer_id, error)
        await stream.reset()
    return None
