"""Writes bundle files and reads them (specs/09-bundles.md). A bundle file has records or a
have-map. A have-map says which records a home has.

The process of a command reads and writes these files. So the node never waits for a slow USB stick.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from meshcoop.errors import Mistake
from meshcoop.home.private_files import open_replacement
from meshcoop.store.store import Store
from meshcoop.sync import missing_records
from protocol.errors import Refused
from protocol.wire import bundle_file
from protocol.wire.bundle_file import FileFormat
from protocol.wire.have_map import HaveMap

_READ_BYTES = 64 * 1024  # bytes read at once
_OPENING_BYTES = 128  # more than the mark and the head of a file have


def missing_wires(store: Store, theirs: Iterable[list[Any]], since: int) -> Iterator[bytes]:
    """Yields the encoded records that another home lacks (R-09.7), in the order of R-09.6. `theirs`
    is the have-map of that home. If `theirs` is empty, yields all records.

    Leaves out records that are dated before `since` (ms). Raises Refused (R-05.5) if the have-map
    is malformed.
    """
    have = HaveMap(store.heads())
    for entries in theirs:
        have.read(entries)
    for page in missing_records.missing_pages(store, *have.find_missing()):
        yield from (record.wire for record in page if record.header.time >= since)


def write_file(
    path: Path, file_format: FileFormat, neighbourhood: bytes, lists: Iterable[list[Any]]
) -> int:
    """Writes a bundle or a have-map to a file (R-09.10). Writes either the whole file or nothing.
    Only the file's owner can read it (mode 0600).

    Returns the number of entries in all lists. Raises Mistake if the file cannot be written. Raises
    Refused (R-09.4) if the file would be too large.
    """
    count = 0

    def count_entries() -> Iterator[list[Any]]:
        nonlocal count
        for entries in lists:
            count += len(entries)
            yield entries

    _check_writable(path, file_format, neighbourhood)
    try:
        with open_replacement(path) as file:
            for piece in bundle_file.encode_file(
                file_format, neighbourhood, os.urandom(bundle_file.SALT_SIZE), count_entries()
            ):
                file.write(piece)
    except OSError as error:
        raise Mistake(
            "{path} cannot be written: {strerror}; make room, or name another file.",
            path=path,
            strerror=error.strerror,
        ) from None
    return count


class BundleReader:
    """Reads the lists of an open bundle file.

    If the file is damaged, the lists end before the damage, and `fault` gives the reason. Otherwise
    `fault` is None. Damage raises no exception, so that the caller keeps the lists before the
    damage.
    """

    def __init__(self, file: BinaryIO, file_format: FileFormat, neighbourhood: bytes) -> None:
        self.fault: str | None = None
        self._file = file
        self._decoder = bundle_file.Decoder(file_format, neighbourhood)

    def read_lists(self) -> Iterator[list[Any]]:
        """Yields the lists in order. Damage in the file never raises an error."""
        try:
            while data := self._file.read(_READ_BYTES):
                yield from self._decoder.feed(data)
            self._decoder.close()
        except Refused as refusal:
            self.fault = str(refusal)
        except OSError as error:  # such as a stick that was pulled out
            self.fault = f"it cannot be read on: {error.strerror}"


def open_file(path: Path) -> BinaryIO:
    """Opens a regular file for reading (R-09.10). Raises Mistake if the path is a link, a device or
    a pipe. Reading from a device or a pipe might never end.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise Mistake("{path} is a link; name the file itself.", path=path) from None
        raise Mistake(
            "{path} cannot be read: {error}; name a file.", path=path, error=error.strerror
        ) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Mistake("{path} is no file; name one.", path=path)
    return open(handle, "rb")  # noqa: PTH123  # a handle, not a path


def _check_writable(path: Path, file_format: FileFormat, neighbourhood: bytes) -> None:
    """Raises Mistake if writing to the path would destroy another file. The path must be free, or
    must hold a file that has this format and belongs to this neighbourhood.
    """
    if not os.path.lexists(path):
        return
    try:
        with open_file(path) as file:
            beginning = file.read(_OPENING_BYTES)
            is_ours = bundle_file.is_opening(file_format, neighbourhood, beginning)
    except (Mistake, OSError):
        is_ours = False
    if not is_ours:
        raise Mistake(
            (
                "{path} is there already, and is no {name} of this neighbourhood; name another "
                "file, or move that one away."
            ),
            path=path,
            name=file_format.name,
        )
