"""Sends gossip frames and runs one sync session by specs 04 and 05, for logs that are never
forked.
"""

import hashlib
import hmac

from tests.specs.stranger.codec import Frames, frame, need
from tests.specs.stranger.records import check_signature, derive, parse, sha, signed, verify

WINDOW = 524_288
_HELLO = b"meshcoop sync 2 hello\0"
_LETTERS = {int: "i", bytes: "b", str: "s", list: "l", bool: "o"}
# What follows after a frame's type.
_SHAPES = ["ibbl", "b", "lo", "l", "", "i", "bi", "l", "bb", "ss", "l", "l", "b", "b"]


def gossip_key(epoch_key):
    return derive(epoch_key, b"gossip")


def gossip_frame(wire, key):
    name = sha(b"meshcoop gossip key 2\0", key)[:8]
    return name + hashlib.blake2b(wire, key=key, digest_size=16).digest() + wire


def accept_gossip(data, keys, place):
    need(len(data) <= 24 + 16_384, "R-04.3j")
    made = [gossip_frame(data[24:], key) for key in keys]
    need(any(hmac.compare_digest(data, one) for one in made), "R-04.3")
    one = parse(data[24:])
    need(one.content is not None, "R-04.3")
    verify(one, place)
    return one


def door_key(secret):
    return derive(secret, b"door")


def door_mac(key, said, opener, answerer, challenge, nonce):
    """Makes the MAC of one end of a door. `said` is b"opener" or b"answerer"."""
    ends = f"{opener}\0{answerer}\0".encode()
    told = b"meshcoop door 2 " + said + b"\0" + ends + challenge + nonce
    return hmac.digest(key, told, "sha256")


def hello(seed, place, device, chain, *peers):
    """Makes a hello frame. `peers` are the peer ids of the sender and the receiver."""
    return frame([0, 2, device, signed(seed, _HELLO, place, _joined(peers)), chain])


def check_hello(said, place, *peers):
    _, _, device, signature, _ = said
    check_signature("R-05.2", device, signature, _HELLO, place, _joined(peers))


def _check_addresses(one):
    """Checks the form of a node's statement of where it is. The stranger dials nobody by it."""
    need(list(map(type, one)) == [bytes, int, list, bytes], "R-05.9")
    key, _, addresses, _ = one
    need(len(key) == 32 and len(addresses) <= 8, "R-05.9")
    need(all(type(text) is str and len(text) <= 200 for text in addresses), "R-05.9")


def _joined(peers):
    return "\0".join(peers).encode()


def digest(heads):
    rows = [d + n.to_bytes(8, "big") + i + _mark(f) for d, (n, i, f) in sorted(heads.items())]
    return sha(b"meshcoop digest 1\0", *rows)[:16]


def _mark(fork):
    return sha(*sorted(fork))[:8] if fork else b""


class Session:
    """One side of a sync.

    `heads()` maps each device to a number, an id and the fork's ids. `log(device)` gives the
    records of a device. `check(hello)` judges the hello of the peer.
    """

    def __init__(self, heads, log, check=None):
        self._heads, self._log, self._check = heads, log, check
        self.hello, self.met = None, False
        self.rounds, self.received, self.keys = 0, [], []
        self._frames, self._room, self._queue = Frames(), WINDOW, []
        self._reset()

    def _reset(self):
        self._told = self._ours = self._theirs = None
        self._have, self._heard, self._ended = {}, False, set()

    def begin(self):
        self._told = self._heads()
        self._ours = digest(self._told)
        return frame([1, self._ours])

    def receive(self, data):
        """Takes bytes from the peer. Returns the bytes to send in answer."""
        return b"".join(self._answer(*one) for one in self._frames.feed(data))

    def _answer(self, kind, *items):
        need(self.met or kind in {0, 9}, "R-05.2")
        need(kind != 0 or not self.met, "R-05.2")
        need(kind != 0 or (items and type(items[0]) is int), "R-05.10")
        need(kind != 0 or items[0] >= 2, "R-05.10")
        items = items[:4] if kind == 0 else items
        shape = "".join(_LETTERS.get(type(one), "?") for one in items)
        need(kind not in range(len(_SHAPES)) or shape == _SHAPES[kind], "R-05.1")
        for of, most, rule, where in (
            (bytes, 128, "R-05.3", items[3:] if kind == 0 else ()),
            (bytes, 4096, "R-05.6", items if kind == 3 else ()),
            (bytes, 32, "R-05.8", items if kind == 7 else ()),
            (list, 32, "R-05.9", items if kind == 10 else ()),
        ):
            for parts in where:
                need(len(parts) <= most and all(type(one) is of for one in parts), rule)
        for one in items[0] if kind == 10 else ():
            _check_addresses(one)
        self.keys += items if kind == 13 else ()
        steps = (self._greet, self._compare, self._map, self._take, self._end, self._credit)
        return steps[kind](*items) if kind in range(len(steps)) else b""

    def _greet(self, *items):
        self.hello = [0, *items]
        if self._check:
            self._check(self.hello)
            self.met = True
        return b""

    def _compare(self, theirs):
        need(self._theirs is None, "R-05.4")
        out = b"" if self._ours else self.begin()
        self._theirs = theirs
        if self._ours != theirs:
            rows = [[d[:8], n, i[:8], _mark(f)] for d, (n, i, f) in sorted(self._told.items())]
            return out + frame([2, [part for row in rows for part in row], False])
        self._reset()
        self.rounds += 1
        return out

    def _map(self, flat, more):
        need(self._theirs is not None and not self._heard and len(flat) % 4 == 0, "R-05.5")
        for at in range(0, len(flat), 4):
            row = flat[at : at + 4]
            need([type(one) for one in row] == [bytes, int, bytes, bytes], "R-05.5")
            need(
                len(row[0]) == 8 and row[1] >= 0 and len(row[2]) <= 8 and len(row[3]) <= 8, "R-05.5"
            )
            self._have[row[0]] = row[1:3]
        self._heard = not more
        for device, (number, name, _) in sorted(self._told.items()) if self._heard else ():
            theirs, head = self._have.get(device[:8], (0, b""))
            if theirs < number or (theirs == number and not name.startswith(head)):
                log = self._log(device)
                known = any(one.number == theirs and one.id.startswith(head) for one in log)
                self._queue += [one.wire for one in log if not known or one.number > theirs]
        return self._flush()

    def _flush(self):
        """Makes frames of records until no record is left, or until the peer has no room for more.
        After the last record, adds the end frame.
        """
        out = b""
        while self._queue and self._room > 0:
            batch = [self._queue.pop(0)]
            while self._queue and sum(map(len, batch)) + len(self._queue[0]) < 50_000:
                batch.append(self._queue.pop(0))
            self._room -= sum(map(len, batch))
            out += frame([3, batch])
        if self._heard and not self._queue and "ours" not in self._ended:
            out += frame([4])
            self._over("ours")
        return out

    def _take(self, wires):
        self.received += [parse(one) for one in wires]
        return frame([5, sum(map(len, wires))])

    def _end(self):
        need(self._heard and "theirs" not in self._ended, "R-05.6")
        self._over("theirs")
        return b""

    def _over(self, side):
        self._ended.add(side)
        if len(self._ended) == 2:
            self._reset()
            self.rounds += 1

    @property
    def owed(self):
        """The number of bytes that were sent, but that the peer has not acknowledged yet."""
        return WINDOW - self._room

    def _credit(self, size):
        need(0 <= size <= self.owed, "R-05.7")
        self._room += size
        return self._flush()
