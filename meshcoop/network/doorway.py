"""Opens doors and answers at them. A door is the beginning of a stream, where both ends prove that
they know the same secret (`protocol.wire.door`, R-05.11).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple, TypeVar

import trio

from meshcoop.network.interface import NetworkError, Stream
from protocol.wire import door
from protocol.wire.door import Ends

DOOR_SECONDS = 10  # R-05.11g

_Guarded = TypeVar("_Guarded")


class DoorStaysShut(NetworkError):
    """Raised if the other end of a stream does not prove that it knows the secret."""


class OpenDoor(NamedTuple):
    """A stream whose two ends have proved that they know the same secret. From now on, callers read
    from `stream`.
    """

    stream: Stream
    ends: Ends


async def open_door(
    stream: Stream, own_peer: str, secret: bytes, random: Callable[[int], bytes]
) -> OpenDoor:
    """Opens the door at the other end of a stream. This node has opened the stream.

    Raises DoorStaysShut if the other end shows no proof. Raises NetworkError if the stream is cut,
    or if the other end does not answer in time.
    """
    ends = Ends(opener=own_peer, answerer=stream.peer)
    key = door.door_key(secret)
    reader = PrereadStream(stream)
    with _time_limit():
        challenge = await reader.read_exactly(door.NONCE_SIZE)
        if len(challenge) < door.NONCE_SIZE:
            raise NetworkError("The other side hung up.")
        proof = door.prove_opener(key, ends, challenge, random(door.NONCE_SIZE))
        await stream.write(proof)
        mac = await reader.read_exactly(door.MAC_SIZE)
    if not door.is_answerer(key, ends, challenge, proof, mac):
        raise DoorStaysShut("The other side does not know the secret.")
    return OpenDoor(reader, ends)


async def answer_door(
    stream: Stream,
    own_peer: str,
    guarded: Mapping[bytes, _Guarded],
    random: Callable[[int], bytes],
) -> tuple[OpenDoor, _Guarded]:
    """Answers at the door of a stream that a peer has opened. Returns the stream, and the thing
    whose secret the peer knows.

    `guarded` maps each key of the door (`protocol.wire.door.door_key`) to the thing behind the
    door, such as an invitation. If the peer knows none of the keys, sends no proof and raises
    DoorStaysShut. Raises NetworkError if the stream is cut, or if the peer does not answer in time.
    """
    ends = Ends(opener=stream.peer, answerer=own_peer)
    reader = PrereadStream(stream)
    challenge = random(door.NONCE_SIZE)  # R-05.11b
    with _time_limit():
        await stream.write(challenge)
        proof = await reader.read_exactly(door.PROOF_SIZE)
        key = door.find_key(islice(guarded, door.MAX_SECRETS), ends, challenge, proof)
        if key is None:
            raise DoorStaysShut("The peer does not know the secret.")
        await stream.write(door.prove_answerer(key, ends, challenge, proof))
    return OpenDoor(reader, ends), guarded[key]


class PrereadStream:
    """A stream of which some data has already been read. `read` returns these data first. The class
    implements Stream.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._data = b""

    @property
    def peer(self) -> str:
        """The peer's id."""
        return self._stream.peer

    async def read(self) -> bytes:
        """Returns first the data that has already been read. Later calls read on from the
        stream.
        """
        data = self._data
        self._data = b""
        return data or await self._stream.read()

    async def read_exactly(self, size: int) -> bytes:
        """Returns the next `size` bytes. Returns fewer bytes if the peer closes the stream
        earlier.
        """
        data = b""
        while len(data) < size and (piece := await self.read()):
            data += piece
        self._data = data[size:]
        return data[:size]

    async def write(self, data: bytes) -> None:
        """Sends all of `data`."""
        await self._stream.write(data)

    async def close(self) -> None:
        """Ends the stream."""
        await self._stream.close()


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raises NetworkError if the block of a `with` statement takes too long."""
    try:
        with trio.fail_after(DOOR_SECONDS):
            yield
    except trio.TooSlowError:
        raise NetworkError("Nobody answers at the door.") from None
