"""Pull sync, sans I/O (specs/05-sync.md): one long session between two homes.

The driver feeds bytes to `receive` and gets events. It answers them with the other methods, most of
which return the bytes to send. In a round both sides send a digest of what they hold. If the
digests differ, both send their have-map, then the records that the other lacks, then an end. Nobody
asks for records one by one: the have-map is the request. A have-map can claim nothing that costs
its receiver memory.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from protocol.errors import Refused
from protocol.record.sealing import KEY_SIZE
from protocol.wire import frames
from protocol.wire.have_map import HaveMap, Heads, digest_heads, have_map_lists
from protocol.wire.sync_events import (
    AddressesReceived,
    ContentReceived,
    ContentWanted,
    DigestReceived,
    GoodbyeReceived,
    GossipKeysReceived,
    HeadAnnounced,
    HelloReceived,
    PeerLacks,
    RecordsReceived,
    RoundSettled,
    SyncEvent,
)

PROTOCOL = "/meshcoop/sync/1"
VERSION = 1
OLDEST_VERSION = max(1, VERSION - 1)  # every version speaks the one before it
WINDOW = 512 * 1024  # bytes of records that may be sent before the receiver has taken them
MAX_CHAIN = 128  # records of a hello
MAX_CHAIN_BYTES = 60 * 1024
MAX_ASKED = 32  # contents asked for in a frame
MAX_PEERS = 32  # addresses in a frame
MAX_ADDRESS = 200  # characters
MAX_KEYS = 64  # gossip keys in a frame

# Types of frames.
HELLO = 0  # version, neighbourhood, device, signature, chain
DIGEST = 1  # 16 bytes
HAVE = 2  # a list of the have-map, whether more lists follow
RECORDS = 3  # wires
END = 4
CREDIT = 5  # bytes of records that have been taken
HEAD = 6  # device, number
WANT = 7  # ids
CONTENT = 8  # id, content
BYE = 9  # rule, reason
PEERS = 10  # addresses
KEYS = 11  # gossip keys

_HELLO_PARTS = 6  # the type included
_MAX_RULE = 16  # characters
_MAX_REASON = 500  # characters


class SyncSession:
    """One side of a session.

    Its methods raise Refused if the peer sends a frame that it may not send.
    """

    def __init__(self) -> None:
        self._decoder = frames.Decoder()
        self._is_admitted = False

        # The round under way.
        self._our_digest: bytes | None = None
        self._their_digest: bytes | None = None
        self._their_map: HaveMap | None = None  # while their map comes in
        self._has_their_map = False
        self._have_we_ended = False
        self._have_they_ended = False

        # Bytes of records that may still be sent: by us, and by the peer.
        self.send_window = WINDOW
        self._their_window = WINDOW

    @property
    def is_round_open(self) -> bool:
        """True while a round is under way."""
        return self._our_digest is not None

    def send_hello(
        self, neighbourhood: bytes, device: bytes, signature: bytes, chain: list[bytes]
    ) -> bytes:
        """Makes the hello, the first frame of each side."""
        return frames.encode([HELLO, VERSION, neighbourhood, device, signature, chain])

    def admit(self) -> None:
        """Lets the peer go on. The driver calls it when the hello shows a member or a relay."""
        self._is_admitted = True

    def begin_round(self, heads: Heads) -> bytes:
        """Begins a round. If one is under way, it returns no bytes."""
        if self.is_round_open:
            return b""
        self._our_digest = digest_heads(heads)
        return frames.encode([DIGEST, self._our_digest])

    def answer_digest(self, heads: Heads) -> tuple[bytes, list[SyncEvent]]:
        """Answers the peer's digest.

        It sends our digest, if that was not sent yet. If the digests differ, it sends the have-map
        too. If they are equal, the round is over.
        """
        out = self.begin_round(heads)
        if self._our_digest == self._their_digest:
            self._end_round()
            return out, [RoundSettled(were_equal=True)]
        # These heads may be newer than those of the digest, because the driver may have waited.
        self._their_map = HaveMap(heads)
        return out + _have_frames(heads), []

    def send_records(self, wires: Iterable[bytes]) -> bytes:
        """Sends records, in log order. The driver first waits until `send_window` is open."""
        out = []
        for batch in frames.batch_records(wires):
            self.send_window -= sum(map(len, batch))
            out.append(frames.encode([RECORDS, batch]))
        return b"".join(out)

    def send_end(self) -> tuple[bytes, list[SyncEvent]]:
        """Says that all records that the peer lacked in this round have been sent."""
        self._have_we_ended = True
        return frames.encode([END]), self._settled_if_over()

    def credit_taken(self, size: int) -> bytes:
        """Lets the peer send `size` more bytes of records, because as many have been taken."""
        self._their_window += size
        return frames.encode([CREDIT, size])

    def announce_heads(self, heads: Iterable[tuple[bytes, int]]) -> bytes:
        """Says which logs have grown, as (device, number of the head)."""
        return b"".join(frames.encode([HEAD, device, seq]) for device, seq in heads)

    def ask_for_content(self, ids: Iterable[bytes]) -> bytes:
        """Asks for the content of records that are held without it.

        It asks for MAX_ASKED at most.
        """
        asked = list(ids)[:MAX_ASKED]
        return frames.encode([WANT, asked]) if asked else b""

    def send_content(self, items: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Sends content that the peer asked for: one frame for each (id, content)."""
        return b"".join(
            frames.encode([CONTENT, record_id, content]) for record_id, content in items
        )

    def send_addresses(self, addresses: Iterable[str]) -> bytes:
        """Says at which addresses members' homes can be dialled.

        The driver calls it for members only.
        """
        return frames.encode([PEERS, list(addresses)[:MAX_PEERS]])

    def send_gossip_keys(self, keys: Iterable[bytes]) -> bytes:
        """Hands gossip keys to a relay. The first one is the key to write with (R-08.4)."""
        return frames.encode([KEYS, list(keys)[:MAX_KEYS]])

    def send_goodbye(self, refusal: Refused) -> bytes:
        """Ends the session and says why."""
        return frames.encode([BYE, refusal.rule, refusal.reason[:_MAX_REASON]])

    def receive(self, data: bytes) -> Iterator[SyncEvent]:
        """Yields the events that `data` completes.

        Act on each event before you ask for the next. Your answer to one frame decides what the
        next frame may be.
        """
        for frame in self._decoder.feed(data):
            yield from self._read_frame(frame)

    def _read_frame(self, frame: list[Any]) -> list[SyncEvent]:
        kind = frame[0]
        if kind == BYE:
            _check_shape(frame, str, str)
            return [GoodbyeReceived(frame[1][:_MAX_RULE], frame[2][:_MAX_REASON])]
        if not self._is_admitted and kind != HELLO:
            raise Refused("R-05.2", "a session begins with a hello")
        readers: dict[int, Callable[[list[Any]], list[SyncEvent]]] = {
            HELLO: self._read_hello,
            DIGEST: self._read_digest,
            HAVE: self._read_have,
            RECORDS: self._read_records,
            END: self._read_end,
            CREDIT: self._read_credit,
            HEAD: _read_head,
            WANT: _read_want,
            CONTENT: _read_content,
            PEERS: _read_peers,
            KEYS: _read_keys,
        }
        read = readers.get(kind)
        # Frames that a later version adds are passed over. They are no fault.
        return read(frame) if read else []

    def _read_hello(self, frame: list[Any]) -> list[SyncEvent]:
        if self._is_admitted:
            raise Refused("R-05.2", "one hello a session")
        version = frame[1] if len(frame) > 1 else None
        if type(version) is not int or version < OLDEST_VERSION:
            raise Refused(
                "R-05.10", f"this node speaks version {OLDEST_VERSION} of sync and later ones"
            )
        # A later version may say more in its hello.
        frame = frame[:_HELLO_PARTS]
        _check_shape(frame, int, bytes, bytes, bytes, list)
        _, _, neighbourhood, device, signature, chain = frame
        if len(chain) > MAX_CHAIN or not all(type(wire) is bytes for wire in chain):
            raise Refused("R-05.3", f"a hello carries at most {MAX_CHAIN} records")
        return [HelloReceived(neighbourhood, device, signature, chain)]

    def _read_digest(self, frame: list[Any]) -> list[SyncEvent]:
        _check_shape(frame, bytes)
        if self._their_digest is not None:
            raise Refused("R-05.4", "one digest a round")
        self._their_digest = frame[1]
        return [DigestReceived()]

    def _read_have(self, frame: list[Any]) -> list[SyncEvent]:
        _check_shape(frame, list, bool)
        their_map = self._their_map
        if their_map is None:
            raise Refused("R-05.5", "one have-map follows digests that differ")
        their_map.read(frame[1])
        has_more = frame[2]
        if has_more:
            return []
        self._their_map = None
        self._has_their_map = True
        return [PeerLacks(*their_map.find_missing())]

    def _read_records(self, frame: list[Any]) -> list[SyncEvent]:
        _check_shape(frame, list)
        wires = frame[1]
        if not all(type(wire) is bytes for wire in wires):
            raise Refused("R-05.6", "records come as bytes")
        size = sum(map(len, wires))
        self._their_window -= size
        # A frame that begins in the window may exceed it, by one batch at most.
        if self._their_window < -frames.MAX_BATCH:
            raise Refused("R-05.7", "more was sent than the window allows")
        return [RecordsReceived(wires, size)]

    def _read_end(self, frame: list[Any]) -> list[SyncEvent]:
        _check_shape(frame)
        if not self._has_their_map or self._have_they_ended:
            raise Refused("R-05.6", "an end comes once, after the have-map")
        self._have_they_ended = True
        return self._settled_if_over()

    def _read_credit(self, frame: list[Any]) -> list[SyncEvent]:
        _check_shape(frame, int)
        size = frame[1]
        if not 0 <= size <= WINDOW or self.send_window + size > WINDOW:
            raise Refused("R-05.7", "credit for more than was sent")
        self.send_window += size
        return []

    def _settled_if_over(self) -> list[SyncEvent]:
        if not (self._have_we_ended and self._have_they_ended):
            return []
        self._end_round()
        return [RoundSettled(were_equal=False)]

    def _end_round(self) -> None:
        self._our_digest = None
        self._their_digest = None
        self._their_map = None
        self._has_their_map = False
        self._have_we_ended = False
        self._have_they_ended = False


def _have_frames(heads: Heads) -> bytes:
    lists = list(have_map_lists(heads))
    last = len(lists) - 1
    return b"".join(frames.encode([HAVE, flat, at < last]) for at, flat in enumerate(lists))


def _read_head(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, bytes, int)
    return [HeadAnnounced(frame[1], frame[2])]


def _read_want(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, list)
    ids = frame[1]
    if len(ids) > MAX_ASKED or not all(type(record_id) is bytes for record_id in ids):
        raise Refused("R-05.8", f"at most {MAX_ASKED} contents are asked for at once")
    return [ContentWanted(ids)]


def _read_content(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, bytes, bytes)
    return [ContentReceived([(frame[1], frame[2])])]


def _read_peers(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, list)
    addresses = frame[1]
    fit = all(type(address) is str and len(address) <= MAX_ADDRESS for address in addresses)
    if len(addresses) > MAX_PEERS or not fit:
        raise Refused("R-05.9", f"at most {MAX_PEERS} addresses at once")
    return [AddressesReceived(addresses)]


def _read_keys(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, list)
    keys = frame[1]
    fit = all(type(key) is bytes and len(key) == KEY_SIZE for key in keys)
    if len(keys) > MAX_KEYS or not fit:
        raise Refused("R-08.4", f"at most {MAX_KEYS} gossip keys at once, of {KEY_SIZE} bytes each")
    return [GossipKeysReceived(keys)]


def _check_shape(frame: list[Any], *types: type) -> None:
    """Raises Refused (R-05.1) unless the values after the frame's type have these types."""
    if [type(value) for value in frame[1:]] != list(types):
        raise Refused("R-05.1", f"a frame of type {frame[0]} does not look like this")
