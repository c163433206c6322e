"""The sync protocol as pure code (specs/05-sync.md): one long session between two homes.

The driver, the code that owns the connection, passes bytes to `receive` and gets events. It answers
the events with the other methods. Most of these methods return bytes, which the driver sends.

In a round, both sides send a digest of their heads. If the digests differ, both sides send their
have-map. Then each side sends the records that the other side lacks, and an end frame. Nobody asks
for single records: the have-map is the request. A peer that sends a false have-map cannot make the
other side use more memory.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from protocol.errors import Refused
from protocol.record.key_bundle import MAX_BUNDLE, MAX_KEYS_GIVEN
from protocol.record.sealing import KEY_ID_SIZE, KEY_SIZE
from protocol.wire import frames
from protocol.wire.have_map import HaveMap, Heads, digest_heads, have_map_lists
from protocol.wire.node_addresses import NodeAddresses, read_addresses
from protocol.wire.sync_events import (
    AddressesReceived,
    ClockReceived,
    ContentReceived,
    ContentWanted,
    DigestReceived,
    GoodbyeReceived,
    GossipKeysReceived,
    HeadAnnounced,
    HelloReceived,
    KeysGiven,
    KeysWanted,
    PeerLacks,
    RecordsReceived,
    RoundSettled,
    SyncEvent,
)

PROTOCOL = "/meshcoop/sync/2"
VERSION = 2
# Every version also speaks the version before, but version 1 was never in use (R-05.10a,
# R-05.12c).
OLDEST_VERSION = max(2, VERSION - 1)
WINDOW = 512 * 1024  # bytes of records that may be sent before the receiver has handled them
MAX_CHAIN = 128  # the most records in a hello
MAX_CHAIN_BYTES = 60 * 1024  # the most bytes of these records
MAX_PAGES = 4096  # the most records in the pages before a hello
MAX_PAGES_BYTES = 2 * 1024 * 1024  # the most bytes of these records
MAX_ASKED = 32  # the most contents that one frame asks for
MAX_PEERS = 32  # the most nodes whose addresses are in a frame
MAX_KEYS = 64  # the most gossip keys in a frame

# Types of frames.
HELLO = 0  # with version, device, signature, chain
DIGEST = 1  # with the digest, 16 bytes
HAVE = 2  # with a list of the have-map, then True if more lists follow
RECORDS = 3  # with a list of records as bytes
END = 4
CREDIT = 5  # with the number of bytes of records that have been handled
HEAD = 6  # with device, number
WANT = 7  # with ids
CONTENT = 8  # with id, content
BYE = 9  # with rule, reason
PEERS = 10  # with statements of nodes about their addresses
KEYS = 11  # with gossip keys
KEYS_WANTED = 12  # with the joined ids of group keys
KEYS_GIVEN = 13  # with group keys, sealed to the peer's device
CLOCK = 14  # with the time by the sender's clock, in milliseconds

_HELLO_PARTS = 5  # including the type
_MAX_RULE = 16  # characters
_MAX_REASON = 500  # characters


def fit_chain(wires: Iterable[bytes]) -> list[bytes]:
    """Returns the first of these records, as many as fit into a hello (R-05.3a)."""
    fitting = list(islice(wires, MAX_CHAIN))
    while sum(map(len, fitting)) > MAX_CHAIN_BYTES:
        fitting.pop()
    return fitting


class SyncSession:
    """One side of a session.

    If the peer sends a frame that is not allowed at this point of the session, the methods raise
    Refused.
    """

    def __init__(self) -> None:
        self._decoder = frames.Decoder()
        self._is_admitted = False
        self._takes_pages = False
        self._pages: list[bytes] = []  # records that came before the hello
        self._pages_size = 0

        # The current round.
        self._our_digest: bytes | None = None
        self._their_digest: bytes | None = None
        self._their_map: HaveMap | None = None  # until its last list has come
        self._has_their_map = False
        self._have_we_ended = False
        self._have_they_ended = False

        # How many bytes of records this side may still send, and how many the peer may still send.
        self.send_window = WINDOW
        self._their_window = WINDOW

    @property
    def is_round_open(self) -> bool:
        """True from the beginning of a round to its end."""
        return self._our_digest is not None

    def send_hello(self, device: bytes, signature: bytes, chain: list[bytes]) -> bytes:
        """Returns the bytes of the hello, the first frame that each side sends.

        The side that answers sends its hello after it has admitted the other side (R-05.2c).
        """
        return frames.encode([HELLO, VERSION, device, signature, chain])

    def send_pages(self, wires: Iterable[bytes]) -> bytes:
        """Returns the pages: frames with the records that do not fit into the hello.

        The driver sends the pages before the hello (R-05.3k).
        """
        pages = frames.batch_records(wires)
        return b"".join(frames.encode([RECORDS, page]) for page in pages)

    def take_pages(self) -> None:
        """Lets the peer send pages of its chain before its hello.

        Only the side that opened the session takes them (R-05.3l).
        """
        self._takes_pages = True

    def tell_clock(self, time: int) -> bytes:
        """Returns a frame that tells the peer the time by this node's clock, in milliseconds
        (R-05.2e).
        """
        return frames.encode([CLOCK, time])

    def admit(self) -> None:
        """Lets the peer send all kinds of frames, not only a hello.

        The driver calls this method if the peer's hello shows that the peer is a member's home or a
        relay.
        """
        self._is_admitted = True

    def begin_round(self, heads: Heads) -> bytes:
        """Begins a round: returns the frame with our digest.

        If a round is open already, it returns no bytes.
        """
        if self.is_round_open:
            return b""
        self._our_digest = digest_heads(heads)
        return frames.encode([DIGEST, self._our_digest])

    def answer_digest(self, heads: Heads) -> tuple[bytes, list[SyncEvent]]:
        """Returns the answer to the peer's digest, and the events that follow.

        The answer has our digest, if we have not sent it yet. If the digests differ, the answer has
        the have-map too. If the digests are equal, the round is over.
        """
        out = self.begin_round(heads)
        if self._our_digest == self._their_digest:
            self._end_round()
            return out, [RoundSettled(were_equal=True)]
        # If the driver has waited, these heads may be newer than the heads of the digest.
        self._their_map = HaveMap(heads)
        return out + _have_frames(heads), []

    def send_records(self, wires: Iterable[bytes]) -> bytes:
        """Returns frames with these records, in the order given.

        Before each call, the driver waits until the peer allows more bytes: until `send_window` is
        above 0.
        """
        out = []
        for batch in frames.batch_records(wires):
            self.send_window -= sum(map(len, batch))
            out.append(frames.encode([RECORDS, batch]))
        return b"".join(out)

    def send_end(self) -> tuple[bytes, list[SyncEvent]]:
        """Returns the end frame. It says that we have sent all records that the peer lacked."""
        self._have_we_ended = True
        return frames.encode([END]), self._settled_if_over()

    def credit_taken(self, size: int) -> bytes:
        """Returns a frame that allows the peer to send `size` more bytes of records.

        The driver calls this method as soon as it has handled records of this size.
        """
        self._their_window += size
        return frames.encode([CREDIT, size])

    def announce_heads(self, heads: Iterable[tuple[bytes, int]]) -> bytes:
        """Returns frames that tell the peer which logs have grown.

        `heads` has pairs of a device and the number of its log's head.
        """
        return b"".join(frames.encode([HEAD, device, seq]) for device, seq in heads)

    def ask_for_content(self, ids: Iterable[bytes]) -> bytes:
        """Returns a frame that asks for the content of records. This home holds these records
        without content.

        The frame asks for MAX_ASKED contents at most.
        """
        asked = list(ids)[:MAX_ASKED]
        return frames.encode([WANT, asked]) if asked else b""

    def send_content(self, items: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Returns content that the peer asked for: one frame for each pair of id and content."""
        return b"".join(
            frames.encode([CONTENT, record_id, content]) for record_id, content in items
        )

    def send_addresses(self, statements: Iterable[NodeAddresses]) -> bytes:
        """Returns a frame with the statements of nodes about their addresses.

        The driver calls it only if the peer is a member's home.
        """
        return frames.encode([PEERS, list(map(list, statements))[:MAX_PEERS]])

    def send_gossip_keys(self, keys: Iterable[bytes]) -> bytes:
        """Returns a frame with gossip keys for a relay.

        The relay makes new MACs with the first key (R-08.4).
        """
        return frames.encode([KEYS, list(keys)[:MAX_KEYS]])

    def ask_for_keys(self, ids: Iterable[bytes]) -> bytes:
        """Returns a frame that asks for group keys by their ids. The frame asks for MAX_KEYS_GIVEN
        keys at most.
        """
        asked = list(ids)[:MAX_KEYS_GIVEN]
        return frames.encode([KEYS_WANTED, b"".join(asked)]) if asked else b""

    def give_keys(self, sealed: bytes) -> bytes:
        """Returns a frame with group keys that the peer asked for. The keys are sealed to the
        peer's device.
        """
        return frames.encode([KEYS_GIVEN, sealed])

    def send_goodbye(self, refusal: Refused) -> bytes:
        """Returns the frame that ends the session and tells the reason."""
        return frames.encode([BYE, refusal.rule, refusal.reason[:_MAX_REASON]])

    def receive(self, data: bytes) -> Iterator[SyncEvent]:
        """Takes the next bytes from the peer, and yields the events that these bytes complete.

        Act on each event before you ask for the next, because your action decides which frames the
        peer may send next.
        """
        for frame in self._decoder.feed(data):
            yield from self._read_frame(frame)

    def _read_frame(self, frame: list[Any]) -> list[SyncEvent]:
        kind = frame[0]
        if kind == BYE:
            _check_shape(frame, str, str)
            return [GoodbyeReceived(frame[1][:_MAX_RULE], frame[2][:_MAX_REASON])]
        if not self._is_admitted and kind == RECORDS and self._takes_pages:
            return self._read_page(frame)
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
            KEYS_WANTED: _read_keys_wanted,
            KEYS_GIVEN: _read_keys_given,
            CLOCK: _read_clock,
        }
        read = readers.get(kind)
        # Frames of an unknown type are ignored: a later version may have added them.
        return read(frame) if read else []

    def _read_hello(self, frame: list[Any]) -> list[SyncEvent]:
        if self._is_admitted:
            raise Refused("R-05.2", "one hello a session")
        version = frame[1] if len(frame) > 1 else None
        if type(version) is not int or version < OLDEST_VERSION:
            raise Refused(
                "R-05.10",
                "this node speaks version {oldest_version} of sync and later ones",
                oldest_version=OLDEST_VERSION,
            )
        # The hello of a later version may have more parts.
        frame = frame[:_HELLO_PARTS]
        _check_shape(frame, int, bytes, bytes, list)
        _, _, device, signature, chain = frame
        if len(chain) > MAX_CHAIN or not all(type(wire) is bytes for wire in chain):
            raise Refused(
                "R-05.3", "a hello carries at most {max_chain} records", max_chain=MAX_CHAIN
            )
        return [HelloReceived(device, signature, [*chain, *self._pages])]

    def _read_page(self, frame: list[Any]) -> list[SyncEvent]:
        _check_shape(frame, list)
        wires = frame[1]
        if not all(type(wire) is bytes for wire in wires):
            raise Refused("R-05.6", "records come as bytes")
        self._pages += wires
        self._pages_size += sum(map(len, wires))
        if len(self._pages) > MAX_PAGES or self._pages_size > MAX_PAGES_BYTES:
            raise Refused("R-05.3l", "the pages before a hello are too long")
        return []

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
        # If a frame begins within the window, it may exceed the window by one batch.
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
        raise Refused(
            "R-05.8", "at most {max_asked} contents are asked for at once", max_asked=MAX_ASKED
        )
    return [ContentWanted(ids)]


def _read_content(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, bytes, bytes)
    return [ContentReceived([(frame[1], frame[2])])]


def _read_peers(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, list)
    if len(frame[1]) > MAX_PEERS:
        raise Refused("R-05.9", "at most {max_peers} nodes at once", max_peers=MAX_PEERS)
    return [AddressesReceived([read_addresses(parts) for parts in frame[1]])]


def _read_keys(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, list)
    keys = frame[1]
    fit = all(type(key) is bytes and len(key) == KEY_SIZE for key in keys)
    if len(keys) > MAX_KEYS or not fit:
        raise Refused(
            "R-08.4",
            "at most {max_keys} gossip keys at once, of {key_size} bytes each",
            max_keys=MAX_KEYS,
            key_size=KEY_SIZE,
        )
    return [GossipKeysReceived(keys)]


def _read_keys_wanted(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, bytes)
    joined = frame[1]
    if len(joined) > MAX_KEYS_GIVEN * KEY_ID_SIZE or len(joined) % KEY_ID_SIZE:
        raise Refused(
            "R-05.14", "at most {most} group keys are asked for at once", most=MAX_KEYS_GIVEN
        )
    ids = [joined[at : at + KEY_ID_SIZE] for at in range(0, len(joined), KEY_ID_SIZE)]
    return [KeysWanted(ids)]


def _read_keys_given(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, bytes)
    if len(frame[1]) > MAX_BUNDLE:
        raise Refused("R-05.14a", "a bundle of keys has at most {most} bytes", most=MAX_BUNDLE)
    return [KeysGiven(frame[1])]


def _read_clock(frame: list[Any]) -> list[SyncEvent]:
    _check_shape(frame, int)
    return [ClockReceived(frame[1])]


def _check_shape(frame: list[Any], *types: type) -> None:
    """Raises Refused (R-05.1) if the values after the frame's type are not of these types."""
    if [type(value) for value in frame[1:]] != list(types):
        raise Refused("R-05.1", "a frame of type {frame} does not look like this", frame=frame[0])
