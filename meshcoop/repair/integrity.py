"""Checks whether a store is undamaged. SQLite checks the file, and every record is hashed again.

SQLite's own check is not enough. It misses nearly every flipped bit in stored values. If a
write-ahead log is damaged, SQLite silently drops the rest of that log.
"""

import os
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from meshcoop.store.read_only import UNREADABLE, ReadOnlyStore, RecordParts
from protocol.errors import Refused
from protocol.record import envelope

# The layout of a write-ahead log in SQLite: a header, then frames. Each frame has one page.
_WAL_HEADER = 32  # bytes
_FRAME_HEADER = 24
_LITTLE_ENDIAN = 0x377F0682  # the file's first four bytes; they say how the checksums read words
_BIG_ENDIAN = 0x377F0683
_PAGE_SIZES = range(512, 65536 + 1)

_MOST_TOLD = 3  # the most faults of SQLite in one report
_NO_BEGINNING = "the write-ahead log has lost its beginning"

_Checksum = tuple[int, int]


def problems(path: Path) -> list[str]:
    """Returns the faults of the store at `path`, each as a short phrase. Changes nothing.

    If there are no faults or no store, returns an empty list. The caller must hold the home's lock,
    or the home's node must be stopped.
    """
    if not path.exists():
        return []
    if not path.is_file():
        return [f"{path.name} is no file"]
    try:
        with closing(ReadOnlyStore(path)) as store:
            phrases = [f"SQLite finds: {fault}" for fault in store.problems(_MOST_TOLD)]
            bad = sum(1 for parts in store.records() if not verifies(parts))
    except (*UNREADABLE, OSError) as error:
        return [f"it cannot be read ({error})"]
    if bad:
        phrases.append(f"{bad} records are not what was signed")
    return phrases


def verifies(parts: RecordParts) -> bool:
    """Returns whether the stored parts of a record match the record's id and content hash."""
    if not (isinstance(parts.header, bytes) and isinstance(parts.signature, bytes)):
        return False
    if envelope.record_id(parts.header, parts.signature) != parts.id:
        return False
    try:
        fields = envelope.read_header(parts.header)
        if parts.content is not None:
            if not isinstance(parts.content, bytes):
                return False
            envelope.check_content(fields, parts.content)
    except Refused:
        return False
    return True


def wal_problem(path: Path) -> str | None:
    """Returns the fault of the write-ahead log of the store at `path`, or None if the log has no
    fault.

    SQLite will drop everything in a log after a damaged place. Other nodes must then send these
    records again. If only the last frame is incomplete, that is no fault: a killed process leaves
    such a frame.
    """
    try:
        with Path(f"{path}-wal").open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return None
            header = _read_wal_header(file.read(_WAL_HEADER))
            if header is None:
                return _NO_BEGINNING
            return _find_broken_frame(file.read, header)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"the write-ahead log cannot be read ({error.strerror})"


class _WalHeader(NamedTuple):
    """The header of a write-ahead log.

    `page_size` is in bytes. Frames that were written since the log was last restarted carry the
    same `salts` as the header. The checksum of the first frame continues from `checksum`.
    """

    is_little_endian: bool
    page_size: int
    salts: bytes
    checksum: _Checksum


def _read_wal_header(data: bytes) -> _WalHeader | None:
    """Reads the header of a write-ahead log. Returns None if the header is damaged."""
    if len(data) < _WAL_HEADER:
        return None
    magic = int.from_bytes(data[:4], "big")
    if magic not in {_LITTLE_ENDIAN, _BIG_ENDIAN}:
        return None
    is_little_endian = magic == _LITTLE_ENDIAN
    checksum = _sum(data[:24], (0, 0), little=is_little_endian)
    page_size = int.from_bytes(data[8:12], "big")
    if checksum != _words(data[24:32]) or page_size not in _PAGE_SIZES:
        return None
    return _WalHeader(is_little_endian, page_size, data[16:24], checksum)


def _find_broken_frame(read: Callable[[int], bytes], header: _WalHeader) -> str | None:
    """Reads all frames of a write-ahead log. If a good frame follows a broken frame, returns this
    fault.

    Otherwise returns None. Broken frames at the end of the file are no fault, because they may be
    left from an earlier use of the file.
    """
    size = _FRAME_HEADER + header.page_size
    checksum = header.checksum
    is_broken = False
    while len(frame := read(size)) == size:
        if frame[8:16] != header.salts:
            is_broken = True  # a frame of an earlier round of the log, or a damaged one
            continue
        if is_broken:
            return "the write-ahead log is damaged in the middle"
        summed = frame[:8] + frame[_FRAME_HEADER:]
        checksum = _sum(summed, checksum, little=header.is_little_endian)
        is_broken = checksum != _words(frame[16:24])
    return None


def _words(data: bytes) -> _Checksum:
    return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")


def _sum(data: bytes, start: _Checksum, *, little: bool) -> _Checksum:
    """Returns the checksum that SQLite uses in a write-ahead log. It is computed over pairs of
    32-bit words.
    """
    first_sum, second_sum = start
    words = struct.unpack(f"{'<' if little else '>'}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        first_sum = (first_sum + first + second_sum) & 0xFFFFFFFF
        second_sum = (second_sum + second + first_sum) & 0xFFFFFFFF
    return first_sum, second_sum
