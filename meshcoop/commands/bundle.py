"""The commands about bundles: bundle write, read, have."""

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import App, Parameter

from meshcoop import bundle as bundles
from meshcoop.commands.context import Context, Given
from meshcoop.errors import Mistake
from meshcoop.store import Store
from meshcoop.whole import whole
from protocol import bundle as format_

_PIECE = 64 * 1024  # bytes
_MOST = 8 * 1024**3  # bytes of a file that is read


def _write(
    file: Path,
    /,
    *,
    since: Annotated[date | None, Parameter(help="only what was written from this day on")] = None,
    for_: Annotated[
        Path | None,
        Parameter(name="--for", help="only what that home lacks: a file of its `bundle have`"),
    ] = None,
    context: Given,
) -> None:
    """Writes the neighbourhood's records to a file, for a home that no network reaches."""
    neighbourhood = _neighbourhood(context)
    with contextlib.closing(Store(context.home.store)) as store:
        chosen: bundles.Choice = bundles.everything
        if for_ is not None:
            chosen = bundles.lacking(store, _have(for_, neighbourhood, store))
        elif since is not None:
            begin = datetime(since.year, since.month, since.day, tzinfo=UTC)
            chosen = bundles.since(int(begin.timestamp() * 1000))
        count = 0

        def counted() -> Iterator[bytes]:
            nonlocal count
            for wire in bundles.wires(store, chosen):
                count += 1
                yield wire

        size = _put(file, format_.RECORDS_MARK, format_.write(neighbourhood, counted()))
    told = {"file": str(file.absolute()), "records": count, "bytes": size}
    context.answer(
        told, lambda: f"{count} records are in {file}; `meshcoop bundle read` takes them."
    )


def _have_file(file: Path, /, *, context: Given) -> None:
    """Writes what this home holds, in short, so that another one writes just what is lacking."""
    neighbourhood = _neighbourhood(context)
    with contextlib.closing(Store(context.home.store)) as store:
        size = _put(file, format_.HAVE_MARK, format_.write_have(neighbourhood, store.heads()))
    told = {"file": str(file.absolute()), "bytes": size}
    context.answer(told, lambda: f"{file} says what is here: take it to `bundle write --for`.")


def _read(file: Path, /, *, context: Given) -> None:
    """Takes the records of a bundle, checked like any neighbour's."""
    reader = format_.Reader(_neighbourhood(context))
    told: Counter[str] = Counter(new=0, known=0, refused=0, waiting=0)
    with context.node() as node, _open(file) as opened:
        for piece in _pieces(opened):
            for wires in reader.feed(piece):
                told.update(node.call("take", wires=wires))
    context.answer({**told, "whole": reader.whole}, lambda: _told(told))
    if not reader.whole:
        raise Mistake(f"{file} is cut short: what is in it was taken; have it written again.")


def _told(told: Counter[str]) -> str:
    said = f"{told['new']} new records, {told['known']} known already."
    if told["refused"]:
        said += f" {told['refused']} were refused; the node's log says why."
    if told["waiting"]:
        said += f" {told['waiting']} wait for what comes before them: write a whole bundle."
    return said


def _neighbourhood(context: Context) -> bytes:
    context.must_exist()
    settings = context.home.read_settings()
    if settings.neighbourhood is None:
        raise Mistake("This home belongs to no neighbourhood, so bundles have nothing for it.")
    return bytes.fromhex(settings.neighbourhood)


def _put(path: Path, mark: bytes, pieces: Iterator[bytes]) -> int:
    """Writes a file, whole or not at all, in place of an older one of the same sort."""
    if os.path.lexists(path) and not _is_ours(path, mark):
        raise Mistake(f"{path} is something else already; name another file.")
    try:
        with whole(path) as file:
            return sum(file.write(piece) for piece in pieces)
    except OSError as error:
        raise Mistake(f"{path} cannot be written: {error.strerror}; name another file.") from None


def _is_ours(path: Path, mark: bytes) -> bool:
    try:
        with _open(path) as file:
            return file.read(len(mark)) == mark
    except Mistake:
        return False


def _have(path: Path, neighbourhood: bytes, store: Store) -> format_.HaveReader:
    reader = format_.HaveReader(neighbourhood, store.heads())
    with _open(path) as file:
        for piece in _pieces(file):
            reader.feed(piece)
    return reader


@contextlib.contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """A file of this machine, and no link, pipe or device. Raises Mistake."""
    try:
        # O_NONBLOCK: opening a pipe somebody has put there must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}; name another file.") from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST:
        os.close(handle)
        raise Mistake(f"{path} is no file, or too long for one of ours; name another.")
    with open(handle, "rb") as file:  # noqa: PTH123  # a handle, not a path
        yield file


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    try:
        while piece := file.read(_PIECE):
            yield piece
    except OSError as error:
        raise Mistake(f"The file cannot be read on: {error.strerror}; copy it anew.") from None


bundle = App(name="bundle", help="Records on a stick, for homes that no network joins.")
bundle.command(_write, name="write")
bundle.command(_read, name="read")
bundle.command(_have_file, name="have")
