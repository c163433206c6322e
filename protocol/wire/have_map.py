"""Heads: what a store holds of each log, and how two homes compare it (specs/05, R-05.4, R-05.5).

Devices and heads are named by their first 8 bytes: a have-map of 100 logs is some 2 kB.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.wire import frames

SHORT = 8
MAX_DEVICES = 65_536

_ITEMS = 4  # of a have-map, for each log


class Held(NamedTuple):
    """What a store holds of one log: the number and id of its head, before any fork; and where it
    forks, the ids kept from there on (else an empty tuple).
    """

    seq: int
    id: bytes
    fork: tuple[bytes, ...] = ()


Heads = Mapping[bytes, Held]  # device key → what is held of its log


def digest(heads: Heads) -> bytes:
    """R-05.4: 16 bytes over all heads in order of device."""
    hasher = hashlib.sha256(b"meshcoop digest 1\0")
    for device in sorted(heads):
        held = heads[device]
        hasher.update(device + held.seq.to_bytes(8, "big") + held.id + fork_mark(held))
    return hasher.digest()[:16]


def fork_mark(held: Held) -> bytes:
    """8 bytes that tell what is kept of a fork; none where there is none."""
    if not held.fork:
        return b""
    return hashlib.sha256(b"".join(sorted(held.fork))).digest()[:SHORT]


def have_map(heads: Heads) -> Iterator[list[Any]]:
    """The have-map in lists that fit a frame; at least one."""
    rows = [
        [device[:SHORT], held.seq, held.id[:SHORT], fork_mark(held)]
        for device, held in sorted(heads.items())
    ]
    size = frames.MAX_FRAME_ITEMS // _ITEMS
    for at in range(0, max(1, len(rows)), size):
        yield [item for row in rows[at : at + size] for item in row]


class HaveMap:
    """A peer's have-map, as its frames come in. Only what it says of our own logs is kept, so that
    a claim costs no memory, whether or not its last frame ever comes.
    """

    def __init__(self, heads: Heads) -> None:
        self._heads = sorted(heads.items())
        self._have: dict[bytes, tuple[int, bytes, bytes] | None]
        self._have = {device[:SHORT]: None for device in heads}
        self._named = 0

    def read(self, flat: list[Any]) -> None:
        """R-05.5: four items a log: the device's and the head's first 8 bytes around its number,
        and a mark of what is kept of a fork, empty where there is none.
        """
        self._named += len(flat) // _ITEMS
        if len(flat) % _ITEMS or self._named > MAX_DEVICES:
            raise Refused("R-05.5", "a have-map is four items a log, of at most 65,536 logs")
        for at in range(0, len(flat), _ITEMS):
            device, seq, head, mark = flat[at : at + _ITEMS]
            types = [type(item) for item in flat[at : at + _ITEMS]]
            if types != [bytes, int, bytes, bytes] or seq < 0 or len(device) != SHORT:
                raise Refused("R-05.5", "a have-map names device, number, head and fork")
            if len(head) > SHORT or len(mark) > SHORT:
                raise Refused("R-05.5", f"a head and a fork are told by {SHORT} bytes")
            if device in self._have:
                self._have[device] = (seq, head, mark)

    def lacks(self) -> tuple[list[tuple[bytes, int, bytes]], list[bytes]]:
        """What the peer lacks: logs as (device, its number, its head), and the devices whose forks
        it does not know as we do.
        """
        logs: list[tuple[bytes, int, bytes]] = []
        forks: list[bytes] = []
        for device, held in self._heads:
            seq, head, mark = self._have[device[:SHORT]] or (0, b"", b"")
            differs = seq == held.seq and head != held.id[:SHORT]
            if seq < held.seq or differs:  # a head before a fork differs where a lower fork hides
                logs.append((device, seq, head))
            if held.fork and mark != fork_mark(held):
                forks.append(device)
        return logs, forks
