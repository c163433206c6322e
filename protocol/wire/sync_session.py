"""Pull sync, sans I/O (specs/05-sync.md): one long-lived session between two homes.

The driver feeds bytes to `receive` and gets events; it answers them with the methods below, which
return the bytes to send. A round: both sides send a digest of what they hold; if the digests
differ, both send their have-map, then what the other lacks, then an end. There is no asking for
records: a have-map is the request, and can claim nothing that costs its receiver memory.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from protocol.errors import Refused
from protocol.record.sealing import KEY
from protocol.wire import frames
from protocol.wire.have_map import HaveMap, Heads, digest, have_map
from protocol.wire.sync_events import (
    Announced,
    Compare,
    Contents,
    Event,
    Goodbye,
    Hello,
    Keys,
    Lacks,
    Peers,
    Received,
    Settled,
    Wanted,
)

PROTOCOL = "/meshcoop/sync/1"
VERSION = 1
OLDEST = max(1, VERSION - 1)  # every version speaks the one before it
WINDOW = 512 * 1024  # bytes of records on their way before the receiver has taken them
MAX_CHAIN = 128
MAX_CHAIN_BYTES = 60 * 1024
MAX_ASKED = 32
MAX_PEERS = 32
MAX_ADDRESS = 200
MAX_KEYS = 64

HELLO, DIGEST, HAVE, RECORDS, END, CREDIT, HEAD, WANT, CONTENT, BYE, PEERS, KEYS = range(12)


_HELLO_ITEMS = 6


class Session:
    """One side of a session. Raises Refused on whatever the peer may not send."""

    def __init__(self) -> None:
        self._decoder = frames.Decoder()
        self._met = False
        self._sent: bytes | None = None  # the digest of the round under way
        self._theirs: bytes | None = None
        self._have: HaveMap | None = None  # the peer's, from when ours is sent until it is complete
        self._heard = False  # the peer's have-map of this round is complete
        self._ended = [False, False]  # we, they
        self.window = WINDOW  # what the peer still lets us send
        self._open_window = WINDOW  # what we still let the peer send

    # -- what the driver says ---------------------------------------------------------------------

    def hello(
        self, neighbourhood: bytes, device: bytes, signature: bytes, chain: list[bytes]
    ) -> bytes:
        """The first frame of each side."""
        return frames.encode([HELLO, VERSION, neighbourhood, device, signature, chain])

    def admit(self) -> None:
        """The driver has found the peer's hello to be a member's."""
        self._met = True

    @property
    def busy(self) -> bool:
        """Whether a round is under way."""
        return self._sent is not None

    def begin(self, heads: Heads) -> bytes:
        """Starts a round, unless one is under way: then nothing."""
        if self.busy:
            return b""
        self._sent = digest(heads)
        return frames.encode([DIGEST, self._sent])

    def compare(self, heads: Heads) -> tuple[bytes, list[Event]]:
        """Answers a digest: with ours if it was not yet sent, then with the have-map if they
        differ. If they do not, the round is over.
        """
        out = self.begin(heads)
        if self._sent == self._theirs:
            self._reset()
            return out, [Settled(equal=True)]
        self._have = HaveMap(heads)  # those of now: the driver may have waited for its turn
        return out + _have_frames(heads), []

    def records(self, wires: Iterable[bytes]) -> bytes:
        """Frames of records, in log order. The driver first sees to it that `window` is open."""
        out = []
        for batch in frames.batches(wires):
            self.window -= sum(map(len, batch))
            out.append(frames.encode([RECORDS, batch]))
        return b"".join(out)

    def end(self) -> tuple[bytes, list[Event]]:
        """Everything that the peer lacked in this round has been sent."""
        self._ended[0] = True
        return frames.encode([END]), self._over()

    def taken(self, size: int) -> bytes:
        """Opens the peer's window again by `size` bytes that have been taken."""
        self._open_window += size
        return frames.encode([CREDIT, size])

    def announce(self, heads: Iterable[tuple[bytes, int]]) -> bytes:
        """Says which logs have grown, and how far."""
        return b"".join(frames.encode([HEAD, device, seq]) for device, seq in heads)

    def want(self, ids: Iterable[bytes]) -> bytes:
        """Asks for the content of records held without it."""
        asked = list(ids)[:MAX_ASKED]
        return frames.encode([WANT, asked]) if asked else b""

    def contents(self, items: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Answers what was wanted, a frame an item."""
        return b"".join(frames.encode([CONTENT, one, content]) for one, content in items)

    def peers(self, addresses: Iterable[str]) -> bytes:
        """Tells where members' homes can be dialled; told to members only."""
        return frames.encode([PEERS, list(addresses)[:MAX_PEERS]])

    def keys(self, keys: Iterable[bytes]) -> bytes:
        """R-08.4: hands gossip keys to a relay, the one to write with first."""
        return frames.encode([KEYS, list(keys)[:MAX_KEYS]])

    def bye(self, refusal: Refused) -> bytes:
        """Says why the session ends."""
        return frames.encode([BYE, refusal.rule, refusal.reason[:500]])

    # -- what the peer says -----------------------------------------------------------------------

    def receive(self, data: bytes) -> Iterator[Event]:
        """The events that `data` completes. Act on each before asking for the next: what a frame
        may be depends on the answer to the one before.
        """
        for frame in self._decoder.feed(data):
            yield from self._frame(frame)

    def _frame(self, frame: list[Any]) -> list[Event]:
        kind = frame[0]
        if kind == BYE:
            _shape(frame, str, str)
            return [Goodbye(frame[1][:16], frame[2][:500])]
        if not self._met and kind != HELLO:
            raise Refused("R-05.2", "a session begins with a hello")
        if kind == HELLO:
            return [self._on_hello(frame)]
        handlers = {
            DIGEST: self._on_digest,
            HAVE: self._on_have,
            RECORDS: self._on_records,
            END: self._on_end,
            CREDIT: self._on_credit,
            HEAD: _on_head,
            WANT: _on_want,
            CONTENT: _on_content,
            PEERS: _on_peers,
            KEYS: _on_keys,
        }
        handler = handlers.get(kind)
        # What a later version adds is passed over, not a fault.
        return handler(frame) if handler else []

    def _on_hello(self, frame: list[Any]) -> Hello:
        if self._met:
            raise Refused("R-05.2", "one hello a session")
        version = frame[1] if len(frame) > 1 else None
        if type(version) is not int or version < OLDEST:
            raise Refused("R-05.10", f"this node speaks version {OLDEST} of sync and later ones")
        frame = frame[:_HELLO_ITEMS]  # a later version may say more in its hello
        _shape(frame, int, bytes, bytes, bytes, list)
        _, _, neighbourhood, device, signature, chain = frame
        if len(chain) > MAX_CHAIN or not all(type(wire) is bytes for wire in chain):
            raise Refused("R-05.3", f"a hello carries at most {MAX_CHAIN} records")
        return Hello(neighbourhood, device, signature, chain)

    def _on_digest(self, frame: list[Any]) -> list[Event]:
        _shape(frame, bytes)
        if self._theirs is not None:
            raise Refused("R-05.4", "one digest a round")
        self._theirs = frame[1]
        return [Compare()]

    def _on_have(self, frame: list[Any]) -> list[Event]:
        _shape(frame, list, bool)
        if self._have is None:
            raise Refused("R-05.5", "one have-map follows digests that differ")
        self._have.read(frame[1])
        if frame[2]:
            return []
        have, self._have, self._heard = self._have, None, True
        return [Lacks(*have.lacks())]

    def _on_records(self, frame: list[Any]) -> list[Event]:
        _shape(frame, list)
        if not all(type(wire) is bytes for wire in frame[1]):
            raise Refused("R-05.6", "records come as bytes")
        size = sum(map(len, frame[1]))
        self._open_window -= size
        if self._open_window < -frames.BATCH:
            raise Refused("R-05.7", "more was sent than the window allows")
        return [Received(frame[1], size)]

    def _on_end(self, frame: list[Any]) -> list[Event]:
        _shape(frame)
        if not self._heard or self._ended[1]:
            raise Refused("R-05.6", "an end comes once, after the have-map")
        self._ended[1] = True
        return self._over()

    def _on_credit(self, frame: list[Any]) -> list[Event]:
        _shape(frame, int)
        if not 0 <= frame[1] <= WINDOW or self.window + frame[1] > WINDOW:
            raise Refused("R-05.7", "credit for more than was sent")
        self.window += frame[1]
        return []

    def _over(self) -> list[Event]:
        if not all(self._ended):
            return []
        self._reset()
        return [Settled(equal=False)]

    def _reset(self) -> None:
        self._sent = self._theirs = self._have = None
        self._ended, self._heard = [False, False], False


def _have_frames(heads: Heads) -> bytes:
    maps = list(have_map(heads))
    last = len(maps) - 1
    return b"".join(frames.encode([HAVE, one, at < last]) for at, one in enumerate(maps))


def _on_head(frame: list[Any]) -> list[Event]:
    _shape(frame, bytes, int)
    return [Announced(frame[1], frame[2])]


def _on_want(frame: list[Any]) -> list[Event]:
    _shape(frame, list)
    if len(frame[1]) > MAX_ASKED or not all(type(one) is bytes for one in frame[1]):
        raise Refused("R-05.8", f"at most {MAX_ASKED} contents are asked for at once")
    return [Wanted(frame[1])]


def _on_content(frame: list[Any]) -> list[Event]:
    _shape(frame, bytes, bytes)
    return [Contents([(frame[1], frame[2])])]


def _on_peers(frame: list[Any]) -> list[Event]:
    _shape(frame, list)
    plain = all(type(one) is str and len(one) <= MAX_ADDRESS for one in frame[1])
    if len(frame[1]) > MAX_PEERS or not plain:
        raise Refused("R-05.9", f"at most {MAX_PEERS} addresses at once")
    return [Peers(frame[1])]


def _on_keys(frame: list[Any]) -> list[Event]:
    _shape(frame, list)
    plain = all(type(one) is bytes and len(one) == KEY for one in frame[1])
    if len(frame[1]) > MAX_KEYS or not plain:
        raise Refused("R-08.4", f"at most {MAX_KEYS} gossip keys at once, of {KEY} bytes each")
    return [Keys(frame[1])]


def _shape(frame: list[Any], *types: type) -> None:
    if [type(item) for item in frame[1:]] != list(types):
        raise Refused("R-05.1", f"a frame of type {frame[0]} does not look like this")
