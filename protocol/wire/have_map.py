"""Heads and have-maps, with which two homes compare their logs (specs/05, R-05.4, R-05.5).

A head is the last record that a store holds of a log. A have-map lists the heads of all logs that a
home holds. It names devices and heads by their first 8 bytes. So a have-map of 100 logs has about 2
kB.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.wire import frames

PREFIX_SIZE = 8  # bytes that name a device, a head or the kept records of a fork
MAX_DEVICES = 65_536  # the most logs in a have-map

_ROW = 4  # a have-map has four values for each log: device, number, head, fork mark
_NOTHING = (0, b"", b"")  # number, head and fork mark of a log that a peer does not hold


class LogHead(NamedTuple):
    """The head of a log in a store. It is the last record before any fork, given by its number and
    id.

    `fork` has the ids of the records that the store keeps from the fork on. If the log is not
    forked, `fork` is empty.
    """

    seq: int
    id: bytes
    fork: tuple[bytes, ...] = ()


Heads = Mapping[bytes, LogHead]  # device key → the head of its log


def digest_heads(heads: Heads) -> bytes:
    """Returns the digest of all heads: 16 bytes of a hash over them (R-05.4).

    The heads are hashed in the order of their devices. Two homes with the same heads have the same
    digest.
    """
    hasher = hashlib.sha256(b"meshcoop digest 1\0")
    for device in sorted(heads):
        head = heads[device]
        hasher.update(device + head.seq.to_bytes(8, "big") + head.id + fork_mark(head))
    return hasher.digest()[:16]


def fork_mark(head: LogHead) -> bytes:
    """Returns 8 bytes of a hash of the ids that the store keeps from a log's fork on.

    If the log is not forked, it returns no bytes.
    """
    if not head.fork:
        return b""
    return hashlib.sha256(b"".join(sorted(head.fork))).digest()[:PREFIX_SIZE]


def have_map_lists(heads: Heads) -> Iterator[list[Any]]:
    """Yields the have-map as flat lists, in the order of devices. Each list fits in one frame.

    If there are no logs, it yields one empty list.
    """
    rows = [
        [device[:PREFIX_SIZE], head.seq, head.id[:PREFIX_SIZE], fork_mark(head)]
        for device, head in sorted(heads.items())
    ]
    rows_in_frame = frames.MAX_FRAME_ITEMS // _ROW
    for start in range(0, max(1, len(rows)), rows_in_frame):
        yield [value for row in rows[start : start + rows_in_frame] for value in row]


class HaveMap:
    """The have-map of a peer. `read` adds its lists as they come in.

    The have-map keeps only the entries for logs that this home holds too. So a hostile peer cannot
    fill the memory, even if the peer never sends the last list.
    """

    def __init__(self, heads: Heads) -> None:
        self._heads = sorted(heads.items())
        # The first bytes of each device in our heads → the peer's number, head and fork mark.
        self._theirs = {device[:PREFIX_SIZE]: _NOTHING for device in heads}
        self._rows_read = 0

    def read(self, flat: list[Any]) -> None:
        """Reads one list of the peer's have-map. Raises Refused (R-05.5) if the list has the wrong
        form or names too many logs.

        For each log the list has four values: the device, the number and the id of the head, and
        the result of `fork_mark`.
        """
        self._rows_read += len(flat) // _ROW
        if len(flat) % _ROW or self._rows_read > MAX_DEVICES:
            raise Refused("R-05.5", "a have-map is four items a log, of at most 65,536 logs")
        for start in range(0, len(flat), _ROW):
            row = flat[start : start + _ROW]
            device, seq, head, mark = row
            types = [type(value) for value in row]
            if types != [bytes, int, bytes, bytes] or seq < 0 or len(device) != PREFIX_SIZE:
                raise Refused("R-05.5", "a have-map names device, number, head and fork")
            if len(head) > PREFIX_SIZE or len(mark) > PREFIX_SIZE:
                raise Refused(
                    "R-05.5",
                    "a head and a fork are told by {prefix_size} bytes",
                    prefix_size=PREFIX_SIZE,
                )
            if device in self._theirs:
                self._theirs[device] = (seq, head, mark)

    def find_missing(self) -> tuple[list[tuple[bytes, int, bytes]], list[bytes]]:
        """Returns the logs in which the peer lacks records, and the forks at which this home and
        the peer differ.

        Each log is a triple: the device, the number of the peer's head, and the first bytes of that
        head's id. If the peer holds nothing of the log, the number is 0 and the bytes are empty. A
        fork is given by its device.
        """
        logs: list[tuple[bytes, int, bytes]] = []
        forks: list[bytes] = []
        for device, ours in self._heads:
            seq, head, mark = self._theirs[device[:PREFIX_SIZE]]
            # If two heads have one number but differ, the log forked at this number or below,
            # and one side does not know of the fork yet.
            differs = seq == ours.seq and head != ours.id[:PREFIX_SIZE]
            if seq < ours.seq or differs:
                logs.append((device, seq, head))
            if ours.fork and mark != fork_mark(ours):
                forks.append(device)
        return logs, forks
