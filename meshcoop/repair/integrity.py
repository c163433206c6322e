"""Checks whether a store is undamaged. SQLite checks the file, and each record is hashed again.

SQLite's own check is not enough. The check misses nearly every flipped bit in stored values. If a
write-ahead log is damaged, SQLite silently drops the rest of that log.
"""

import os
import stat
import struct
from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from meshcoop.errors import Remark
from meshcoop.store.disk_errors import Obstacle
from meshcoop.store.read_only import (
    DAMAGED,
    ReadOnlyStore,
    RecordParts,
    raise_obstacle,
)
from protocol.errors import Refused
from protocol.record import envelope

# The layout of a write-ahead log in SQLite: a header, then frames. Each frame has one page.
_WAL_HEADER = 32  # bytes
_FRAME_HEADER = 24
_NO_COMMIT = bytes(4)  # in place of the store's size, in a frame that ends no transaction
_LITTLE_ENDIAN = 0x377F0682  # the file's first four bytes; they say how the checksums read words
_BIG_ENDIAN = 0x377F0683
_PAGE_SIZES = range(512, 65536 + 1)

_MOST_TOLD = 3  # the most faults of SQLite in one report
_REPORT_EVERY = 1000  # records

_Checksum = tuple[int, int]

Report = Callable[[int, int], None]  # called with the number done, and the number of all


class Fault(StrEnum):
    """The codes of what can be wrong with a store or with its write-ahead log."""

    SQLITE = "sqlite_finds"
    UNREADABLE = "store_is_unreadable"
    NOT_AS_SIGNED = "records_not_as_signed"
    LOG_HAS_NO_BEGINNING = "log_has_no_beginning"
    LOG_IS_DAMAGED = "log_is_damaged"


def find_faults(path: Path, key: bytes, report: Report | None = None) -> list[Remark]:
    """Returns the faults of the store at `path`. `key` opens the store. Changes nothing.

    If there are no faults or no store, returns an empty list. `report` is called with two numbers:
    how many records are checked so far, and how many records the store has. While this function
    works, no node may run: the caller must hold the home's lock, or the home's node must be
    stopped. Raises Obstacle if the store cannot be read now (R-01.27d).
    """
    check_is_file(path)
    if not path.exists():
        return []
    try:
        with closing(ReadOnlyStore(path, key)) as store:
            faults = [
                Remark(Fault.SQLITE, {"fault": fault}) for fault in store.problems(_MOST_TOLD)
            ]
            bad = 0 if store.is_unfinished else _count_bad(store, report)
    except DAMAGED as error:
        raise_obstacle(error)
        return [Remark(Fault.UNREADABLE, {"error": str(error)})]
    if bad:
        faults.append(Remark(Fault.NOT_AS_SIGNED, {"count": bad}))
    return faults


def is_lost(path: Path, key: bytes) -> bool:
    """Returns whether there is no store at `path`, or only a store in which nothing was ever
    stored.

    Raises Obstacle if the store cannot be read now.
    """
    check_is_file(path)
    if not path.exists():
        return True
    try:
        with closing(ReadOnlyStore(path, key)) as store:
            return store.is_unfinished
    except DAMAGED as error:
        raise_obstacle(error)
        return False


def check_is_file(path: Path) -> None:
    """Raises Obstacle if the path of a store leads to something that is no file. Also raises
    Obstacle if this program is not allowed to look there.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise Obstacle(
            "{path} cannot be opened ({reason}); check who owns its folder, then try again.",
            path=path,
            reason=error.strerror,
        ) from None
    if not stat.S_ISREG(mode):
        raise Obstacle("{path} is no file; move it away, then try again.", path=path)


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


def find_wal_fault(path: Path) -> Remark | None:
    """Returns the fault of the write-ahead log of the store at `path`, or None if this log has no
    fault.

    If a place in the log is damaged, SQLite drops everything after that place. Other nodes must
    then send the dropped records again. If a process is killed before it commits, its changes are
    dropped too, but this is no fault. Raises Obstacle if the log cannot be read now.
    """
    try:
        with Path(f"{path}-wal").open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return None
            header = _read_wal_header(file.read(_WAL_HEADER))
            if header is None:
                return Remark(Fault.LOG_HAS_NO_BEGINNING, {})
            return _find_broken_frame(file.read, header)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Obstacle(
            "{path}-wal cannot be read ({reason}); check who owns it, then try again.",
            path=path,
            reason=error.strerror,
        ) from None


def _count_bad(store: ReadOnlyStore, report: Report | None) -> int:
    total = store.count()
    bad = 0
    for done, parts in enumerate(store.records()):
        if report is not None and done % _REPORT_EVERY == 0:
            report(done, total)
        bad += not verifies(parts)
    return bad


class _WalHeader(NamedTuple):
    """The header of a write-ahead log.

    `page_size` is in bytes. A frame has the same `salts` as the header if it was written since the
    log was last restarted. The checksum of the first frame continues from `checksum`.
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


def _find_broken_frame(read: Callable[[int], bytes], header: _WalHeader) -> Remark | None:
    """Reads all frames of a write-ahead log. Returns a fault if a transaction was committed after a
    broken frame. Otherwise returns None.

    Broken frames alone are no fault: a process that is killed inside a transaction leaves them.
    SQLite writes pages of a large transaction early, and writes some of them again later. SQLite
    sets the checksums of these pages only when it commits. So such frames were never committed.
    """
    size = _FRAME_HEADER + header.page_size
    checksum = header.checksum
    is_broken = False
    while len(frame := read(size)) == size:
        is_of_this_round = frame[8:16] == header.salts
        is_commit = frame[4:8] != _NO_COMMIT
        if is_broken:
            if is_of_this_round and is_commit:
                return Remark(Fault.LOG_IS_DAMAGED, {})
            continue
        # The checksum goes on from frame to frame, so nothing behind a broken one can be verified.
        summed = frame[:8] + frame[_FRAME_HEADER:]
        checksum = _sum(summed, checksum, little=header.is_little_endian)
        is_broken = not is_of_this_round or checksum != _words(frame[16:24])
    return None


def _words(data: bytes) -> _Checksum:
    return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")


def _sum(data: bytes, start: _Checksum, *, little: bool) -> _Checksum:
    """Returns the checksum that SQLite uses in a write-ahead log, computed over pairs of 32-bit
    words.
    """
    first_sum, second_sum = start
    words = struct.unpack(f"{'<' if little else '>'}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        first_sum = (first_sum + first + second_sum) & 0xFFFFFFFF
        second_sum = (second_sum + second + first_sum) & 0xFFFFFFFF
    return first_sum, second_sum
