"""Whether a store is whole: what SQLite says of its file, and every record hashed again.

SQLite's own check misses nearly every flipped bit in what it stores, and of a write-ahead log that
is damaged it drops the rest in silence.
"""

import os
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from meshcoop.store.read_only import UNREADABLE, ReadOnlyStore, RecordParts
from protocol.errors import Refused
from protocol.record import envelope as record

_WAL_HEADER, _FRAME_HEADER = 32, 24
_MAGIC = (0x377F0682, 0x377F0683)  # checksums in little-endian and in big-endian words
_MOST_TOLD = 3


def problems(path: Path) -> list[str]:
    """What is wrong with the store at `path`, in a phrase each; nothing where all is well, or where
    no store is yet. Changes nothing. The home's lock is held, or its node stopped.
    """
    if not path.exists():
        return []
    if not path.is_file():
        return [f"{path.name} is no file"]
    try:
        with closing(ReadOnlyStore(path)) as store:
            found = [f"SQLite finds: {problem}" for problem in store.problems(_MOST_TOLD)]
            bad = sum(1 for parts in store.records() if not verifies(parts))
    except (*UNREADABLE, OSError) as error:
        return [f"it cannot be read ({error})"]
    return [*found, *([f"{bad} records are not what was signed"] if bad else [])]


def verifies(parts: RecordParts) -> bool:
    """Whether the stored parts of a record are those that were hashed."""
    _, record_id, header, signature, content = parts
    if not (isinstance(header, bytes) and isinstance(signature, bytes)):
        return False
    if record.record_id(header, signature) != record_id:
        return False
    try:
        fields = record.read_header(header)
        if content is not None:
            if not isinstance(content, bytes):
                return False
            record.check_content(fields, content)
    except Refused:
        return False
    return True


def wal_problem(path: Path) -> str | None:
    """What is wrong with the write-ahead log of the store at `path`: SQLite will drop it from there
    on, and what it held has to come back from others. A last frame that a killed process left
    half-written is nothing wrong.
    """
    try:
        with Path(f"{path}-wal").open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(_WAL_HEADER)
            if size == 0:
                return None
            if len(head) < _WAL_HEADER or int.from_bytes(head[:4], "big") not in _MAGIC:
                return "the write-ahead log has lost its beginning"
            little = int.from_bytes(head[:4], "big") == _MAGIC[0]
            sums = _sum(head[:24], (0, 0), little=little)
            if sums != _words(head[24:32]):
                return "the write-ahead log has lost its beginning"
            return _frames(file.read, head, sums, little=little)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"the write-ahead log cannot be read ({error.strerror})"


def _frames(
    read: Callable[[int], bytes], head: bytes, sums: tuple[int, int], *, little: bool
) -> str | None:
    page, salts = int.from_bytes(head[8:12], "big"), head[16:24]
    if not 512 <= page <= 65536:  # noqa: PLR2004 -- what SQLite allows
        return "the write-ahead log has lost its beginning"
    broken = False
    while len(frame := read(_FRAME_HEADER + page)) == _FRAME_HEADER + page:
        if frame[8:16] != salts:
            broken = True  # what an earlier round of the log left behind, or a damaged frame
            continue
        if broken:
            return "the write-ahead log is damaged in the middle"
        sums = _sum(frame[:8] + frame[_FRAME_HEADER:], sums, little=little)
        broken = sums != _words(frame[16:24])
    return None


def _words(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")


def _sum(data: bytes, start: tuple[int, int], *, little: bool) -> tuple[int, int]:
    """SQLite's checksum of a write-ahead log, over pairs of 32-bit words."""
    one, two = start
    words = struct.unpack(f"{'<' if little else '>'}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
