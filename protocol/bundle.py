"""Bundles: records, or what a home holds of them, as a file on a stick (specs/09-bundles.md).

A file is a mark, the neighbourhood's id, and frames as peers send them. It is no secret and needs
none: records are sealed and signed as on the wire.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from protocol import frames
from protocol.errors import Refused
from protocol.heads import HaveMap, Heads, have_map

RECORDS_MARK = b"meshcoop bundle 1\n"
HAVE_MARK = b"meshcoop have 1\n"

RECORDS, HAVE, END = 0, 1, 2

_ID = 32
_BATCH = frames.MAX_FRAME - 8 * 1024  # bytes of records in a frame; the rest is their framing
_MOST = 1024  # records in a frame


def write(neighbourhood: bytes, wires: Iterable[bytes]) -> Iterator[bytes]:
    """R-09.1, R-09.3: the bytes of a bundle, piece by piece."""
    yield RECORDS_MARK + neighbourhood
    count, batch, size = 0, list[bytes](), 0
    for wire in wires:
        if batch and (size + len(wire) + 8 * len(batch) > _BATCH or len(batch) >= _MOST):
            yield frames.encode([RECORDS, batch])
            batch, size = [], 0
        batch.append(wire)
        size, count = size + len(wire), count + 1
    if batch:
        yield frames.encode([RECORDS, batch])
    yield frames.encode([END, count])


def write_have(neighbourhood: bytes, heads: Heads) -> Iterator[bytes]:
    """R-09.1, R-09.5: the bytes of a have-file."""
    yield HAVE_MARK + neighbourhood
    maps = list(have_map(heads))
    for one in maps:
        yield frames.encode([HAVE, one])
    yield frames.encode([END, len(maps)])


class Reader:
    """Reads a bundle of one neighbourhood, as its bytes come in, in whatever pieces."""

    def __init__(self, neighbourhood: bytes) -> None:
        self._file = _File(RECORDS_MARK, "a bundle", neighbourhood)
        self._count = 0

    @property
    def whole(self) -> bool:
        """Whether the end has come: else the file is cut."""
        return self._file.ended

    def feed(self, data: bytes) -> Iterator[list[bytes]]:
        """The lists of records that `data` completes. Raises Refused."""
        for frame in self._file.feed(data):
            if frame[0] == END:
                self._file.end(frame, self._count, "R-09.4")
            elif frame[0] == RECORDS:
                if len(frame) != 2 or type(frame[1]) is not list:  # noqa: PLR2004
                    raise Refused("R-09.3", "records come in a list")
                if not all(type(wire) is bytes for wire in frame[1]):
                    raise Refused("R-09.3", "records come as bytes")
                self._count += len(frame[1])
                yield frame[1]


class HaveReader:
    """Reads what another home holds; what it lacks of `heads` is told in the end."""

    def __init__(self, neighbourhood: bytes, heads: Heads) -> None:
        self._file = _File(HAVE_MARK, "a file of what a home holds", neighbourhood)
        self._have = HaveMap(heads)
        self._count = 0

    def feed(self, data: bytes) -> None:
        """Takes bytes. Raises Refused."""
        for frame in self._file.feed(data):
            if frame[0] == END:
                self._file.end(frame, self._count, "R-09.5")
            elif frame[0] == HAVE:
                if len(frame) != 2 or type(frame[1]) is not list:  # noqa: PLR2004
                    raise Refused("R-09.5", "what a home holds comes in a list")
                self._have.read(frame[1])
                self._count += 1

    def lacks(self) -> tuple[list[tuple[bytes, int, bytes]], list[bytes]]:
        """As HaveMap.lacks. Raises Refused for a file that is cut."""
        if not self._file.ended:
            raise Refused("R-09.5", "the file is cut short; have it written again")
        return self._have.lacks()


class _File:
    """The mark, the neighbourhood and the frames of a file."""

    def __init__(self, mark: bytes, what: str, neighbourhood: bytes) -> None:
        self._head, self._what = mark + neighbourhood, what
        self._mark = mark
        self._begun: bytearray | None = bytearray()
        self._decoder = frames.Decoder()
        self.ended = False

    def feed(self, data: bytes) -> Iterator[list[Any]]:
        if self._begun is not None:
            self._begun += data
            have = bytes(self._begun[: len(self._mark)])
            if not self._mark.startswith(have):
                raise Refused("R-09.1", f"this is not {self._what}; name another file")
            if len(self._begun) < len(self._head):
                return
            if bytes(self._begun[: len(self._head)]) != self._head:
                raise Refused("R-09.2", "it is of another neighbourhood; take it to a home there")
            data, self._begun = bytes(self._begun[len(self._head) :]), None
        if self.ended and data:
            raise Refused("R-09.4", "something follows the end")
        for frame in self._decoder.feed(data):
            if self.ended:
                raise Refused("R-09.4", "something follows the end")
            yield frame
        if self.ended and self._decoder.pending:
            raise Refused("R-09.4", "something follows the end")

    def end(self, frame: list[Any], count: int, rule: str) -> None:
        if frame != [END, count]:
            raise Refused(rule, "not as much is in it as its end says; have it written again")
        self.ended = True
