"""Bundles on disk: a home's records in a file, and the records of a file (specs/09-bundles.md).

The command's own process does this, beside the node: no node waits for a stick.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from meshcoop.errors import Mistake
from meshcoop.home.private_files import replacing
from meshcoop.store.store import Store
from meshcoop.sync import missing_records as lacking
from protocol.errors import Refused
from protocol.wire import bundle
from protocol.wire.bundle import Sort
from protocol.wire.have_map import HaveMap

_PIECE = 64 * 1024  # bytes read at once


def records(store: Store, theirs: Iterable[list[Any]], since: int) -> Iterator[bytes]:
    """What a home with the have-map `theirs` lacks (R-09.7; without lists: all), in the order of
    R-09.6, as far as it is of the time `since` or later (milliseconds). Raises Refused (R-05.5).
    """
    have = HaveMap(store.heads())
    for some in theirs:
        have.read(some)
    for page in lacking.pages(store, *have.lacks()):
        yield from (one.wire for one in page if one.fields.time >= since)


def write(path: Path, sort: Sort, neighbourhood: bytes, lists: Iterable[list[Any]]) -> int:
    """Writes a file for its owner alone (0600), whole or not at all (R-09.10); how many items its
    lists hold. Raises Mistake, Refused (R-09.4).
    """
    count = 0

    def counted() -> Iterator[list[Any]]:
        nonlocal count
        for one in lists:
            count += len(one)
            yield one

    _check_free(path, sort, neighbourhood)
    try:
        with replacing(path) as file:
            for piece in bundle.encode(sort, neighbourhood, counted()):
                file.write(piece)
    except OSError as error:
        raise Mistake(
            f"{path} cannot be written: {error.strerror}; make room, or name another file."
        ) from None
    return count


class Reader:
    """The lists of an open file. `fault`: what ended them before the file's end, once they have
    ended: so that whoever reads takes what came before.
    """

    def __init__(self, file: BinaryIO, sort: Sort, neighbourhood: bytes) -> None:
        self.fault: str | None = None
        self._file = file
        self._decoder = bundle.Decoder(sort, neighbourhood)

    def lists(self) -> Iterator[list[Any]]:
        """The lists, one after the other. Never raises for what the file is."""
        try:
            while data := self._file.read(_PIECE):
                yield from self._decoder.feed(data)
            self._decoder.close()
        except Refused as refusal:
            self.fault = str(refusal)
        except OSError as error:  # such as a stick that was pulled out
            self.fault = f"it cannot be read on: {error.strerror}"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read: a regular one, for a device or a pipe never ends, and no link (R-09.10).
    Raises Mistake.
    """
    handle = _handle(path)
    with open(handle, "rb") as file:  # noqa: PTH123  # a handle, not a path
        yield file


def _handle(path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        link = path.is_symlink()
        reason = "it is a link; name the file itself" if link else f"{error.strerror}; name a file"
        raise Mistake(f"{path} cannot be read: {reason}.") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Mistake(f"{path} is no file; name one.")
    return handle


def _check_free(path: Path, sort: Sort, neighbourhood: bytes) -> None:
    """Raises Mistake unless nothing is there, or an older file of this sort and neighbourhood."""
    if not os.path.lexists(path):
        return
    first = bundle.opening(sort, neighbourhood)
    try:
        with opened(path) as file:
            ours = file.read(len(first)) == first
    except (Mistake, OSError):
        ours = False
    if not ours:
        raise Mistake(
            f"{path} is there already, and is no {sort.name} of this neighbourhood; name another "
            "file, or move that one away."
        )
