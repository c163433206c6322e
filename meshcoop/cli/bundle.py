"""Commands for a stick between homes that no network joins: bundle write, read, have."""

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop.cli.context import Context, Given
from meshcoop.errors import Mistake
from meshcoop.export import bundle
from meshcoop.export.bundle import Reader
from meshcoop.store.store import Store
from protocol.wire import frames
from protocol.wire import have_map as heads
from protocol.wire.bundle import BUNDLE, HAVE, MAX_REFUSED, PIECE

_USAGE = 2
_COUNTS = ("new", "known", "refused", "waiting")


def _write(
    file: Path,
    /,
    *,
    since: Annotated[
        str | None, Parameter(help="only what was written on this day (UTC) or later: 2026-11-02")
    ] = None,
    for_: Annotated[
        Path | None,
        Parameter(name="--for", help="only what a home lacks: its file of `bundle have`"),
    ] = None,
    context: Given,
) -> None:
    """Writes the records that this home holds to a file, for a home that no network reaches."""
    place = context.neighbourhood()
    start = 0 if since is None else _midnight(since)
    theirs = [] if for_ is None else _have_map(for_, place)
    with closing(Store(context.home.store)) as store:
        lists = frames.batches(bundle.records(store, theirs, start), PIECE)
        count = bundle.write(file, BUNDLE, place, lists)
    late = "" if since is None else " A home that lacks what came before keeps them waiting."
    result = {"file": str(file.absolute()), "records": count}
    context.answer(result, lambda: f"{count} records are in {file}.{late}")


def _have(file: Path, /, *, context: Given) -> None:
    """Writes what this home holds, in short, so that another can write what it lacks."""
    place = context.neighbourhood()
    with closing(Store(context.home.store)) as store:
        held = store.heads()
    bundle.write(file, HAVE, place, heads.have_map(held))
    result = {"file": str(file.absolute()), "logs": len(held)}
    context.answer(
        result,
        lambda: (
            f"{file} says what this home holds; at the other home, "
            f"`meshcoop bundle write FILE --for {file.name}` writes what it lacks."
        ),
    )


def _read(file: Path, /, *, context: Given) -> None:
    """Takes the records of a bundle, checked like any neighbour's; nothing is taken twice."""
    place = context.neighbourhood()
    told = dict.fromkeys(_COUNTS, 0)
    with bundle.opened(file) as data:
        reader = Reader(data, BUNDLE, place)
        fault = _take_all(reader, told, context) or reader.fault
    if fault is not None:
        kept = f"; what came before is kept: {_counted(told)}" if any(told.values()) else ""
        raise Mistake(f"Reading {file}: {fault}{kept}.")
    context.answer(told, lambda: _told(told))


def _take_all(reader: Reader, told: dict[str, int], context: Context) -> str | None:
    """Hands the records to the node, some at a time; why the rest is not read, if so (R-09.8)."""
    wires = (wire for some in reader.lists() for wire in some)
    with context.node() as node:
        for batch in frames.batches(wires):
            taken: dict[str, Any] = node.call("take", wires=batch)
            for name in ("new", "known", "refused"):
                told[name] += taken[name]
            told["waiting"] = taken["waiting"]
            if told["refused"] >= MAX_REFUSED:
                return f"{told['refused']} records are refused, so the rest is not read (R-09.8)"
    return None


def _have_map(file: Path, place: bytes) -> list[list[Any]]:
    with bundle.opened(file) as data:
        reader = Reader(data, HAVE, place)
        found = list(reader.lists())
    if reader.fault is not None:
        raise Mistake(f"Reading {file}: {reader.fault}.")
    return found


def _midnight(day: str) -> int:
    try:
        found = date.fromisoformat(day)
    except ValueError:
        found = None
    if found is None or found.isoformat() != day:
        raise Mistake(f"A day is written like 2026-11-02, not {day!r}.", _USAGE)
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1000)


def _counted(told: dict[str, int]) -> str:
    return ", ".join(f"{told[name]} {name}" for name in _COUNTS)


def _told(told: dict[str, int]) -> str:
    said = f"Of the bundle's records {told['new']} are new here, {told['known']} were known"
    said += f" and {told['refused']} are refused."
    if told["waiting"]:
        said += (
            f" {told['waiting']} wait for records that this home lacks, and only while its node is "
            "up: read a bundle with the earlier ones, and then this one again."
        )
    return said


app = App(
    name="bundle",
    help="Records on a stick, between homes that no network joins.",
    version_flags=(),
)
app.command(_write, name="write")
app.command(_read, name="read")
app.command(_have, name="have")
