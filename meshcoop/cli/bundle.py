"""The commands `bundle write`, `bundle read` and `bundle have`. With them, a memory stick carries
records between homes.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop.cli.context import ContextArgument, require_neighbourhood
from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.home_store import open_home_store
from meshcoop.client import Client
from meshcoop.errors import NO_NEIGHBOURHOOD, Mistake
from meshcoop.export import bundle
from meshcoop.export.bundle import BundleReader
from protocol.wire import calls, frames, have_map
from protocol.wire.bundle_file import BUNDLE, HAVE_FILE, LIST_BYTES, MAX_REFUSED

_MOST_TAKEN = 50  # records in one call
_USAGE = 2
_FIRST_ZONE = timezone(timedelta(hours=14))
_COUNTS = ("new", "known", "refused", "waiting")


def write_bundle(
    file: Path,
    /,
    *,
    since: Annotated[
        str | None, Parameter(help="only what was written on this day or later: 2026-11-02")
    ] = None,
    for_: Annotated[
        Path | None,
        Parameter(name="--for", help="only what a home lacks: its file of `bundle have`"),
    ] = None,
    context: ContextArgument,
) -> None:
    """Writes the records of this home to a file. A memory stick can take this file to a home that
    no network reaches.
    """
    context.require_person()
    keys = context.unlock_keys().keys
    neighbourhood = require_neighbourhood(keys)
    start = 0 if since is None else _parse_day(since)
    held_there = [] if for_ is None else _read_have_map(for_, neighbourhood)
    with closing(open_home_store(context.home, keys)) as store:
        batches = frames.batch_records(bundle.missing_wires(store, held_there, start), LIST_BYTES)
        count = bundle.write_file(file, BUNDLE, neighbourhood, batches)
    advice = "" if since is None else " A home that lacks earlier records keeps these waiting."
    result = {"file": str(file.absolute()), "records": count}
    context.answer(
        result, lambda: f"{file} holds {format_count(count, 'record')}.{advice}", is_done=True
    )


def write_have_map(file: Path, /, *, context: ContextArgument) -> None:
    """Writes a short list of the records at this home. With this list, another home can bundle the
    records that are missing here.
    """
    context.require_person()
    keys = context.unlock_keys().keys
    neighbourhood = require_neighbourhood(keys)
    with closing(open_home_store(context.home, keys)) as store:
        heads = store.heads()
    bundle.write_file(file, HAVE_FILE, neighbourhood, have_map.have_map_lists(heads))
    result = {"file": str(file.absolute()), "logs": len(heads)}
    context.answer(
        result,
        lambda: (
            f"{file} says what this home holds. At the other home, "
            f"`meshcoop bundle write FILE --for {file.name}` writes what this one lacks."
        ),
        is_done=True,
    )


def read_bundle(file: Path, /, *, context: ContextArgument) -> None:
    """Adds the records of a bundle to this home. Checks each record as if a neighbour had sent it.
    Reading a bundle twice does no harm.
    """
    context.require_person()
    counts = dict.fromkeys(_COUNTS, 0)
    with bundle.open_file(file) as data, context.connect_node() as node:
        neighbourhood = node.call(calls.Status())["neighbourhood"]
        if neighbourhood is None:
            raise Mistake(NO_NEIGHBOURHOOD)
        reader = BundleReader(data, BUNDLE, bytes.fromhex(neighbourhood["id"]))
        fault = _ingest_records(reader, counts, node) or reader.fault
    if fault is not None:
        kept = f"; what came before is kept: {_list_counts(counts)}" if any(counts.values()) else ""
        raise Mistake("Reading {file}: {fault}{kept}.", file=file, fault=fault, kept=kept)
    context.answer(counts, lambda: _describe_counts(counts), is_done=True)


def _ingest_records(reader: BundleReader, counts: dict[str, int], node: Client) -> str | None:
    """Hands the records of a bundle to the node in batches. Adds the results to the numbers in
    `counts`.

    If the node refuses too many records, stops early and returns the reason (R-09.8). Otherwise
    returns None.
    """
    wires = (wire for batch in reader.read_lists() for wire in batch)
    for batch in _batch_records(wires):
        result: dict[str, Any] = node.call(calls.Take(wires=batch))
        for name in ("new", "known", "refused"):
            counts[name] += result[name]
        # The node's number counts all records that wait, not only those of this batch.
        counts["waiting"] = result["waiting"]
        if counts["refused"] >= MAX_REFUSED:
            refused = format_count(counts["refused"], "record")
            return f"{refused} are refused, so the rest is not read (R-09.8)"
    return None


def _batch_records(wires: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Divides records into lists for one call each. A call must not keep the node busy for long."""
    for batch in frames.batch_records(wires):
        for start in range(0, len(batch), _MOST_TAKEN):
            yield batch[start : start + _MOST_TAKEN]


def _read_have_map(file: Path, neighbourhood: bytes) -> list[list[Any]]:
    with bundle.open_file(file) as data:
        reader = BundleReader(data, HAVE_FILE, neighbourhood)
        lists = list(reader.read_lists())
    if reader.fault is not None:
        raise Mistake("Reading {file}: {fault}.", file=file, fault=reader.fault)
    return lists


def _parse_day(text: str) -> int:
    """Returns the time at which a day begins, in milliseconds since 1970. Raises Mistake if the
    text names no day.

    The command does not know the neighbourhood's time zone, because only the node can read it. To
    leave out no record of the day, returns the time at which the day begins in the first time zone
    on Earth.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python also reads other forms, such as 20261102 and weeks. They are refused here.
    if day is None or day.isoformat() != text:
        raise Mistake("A day is written like 2026-11-02, not {text!r}.", _USAGE, text=text)
    return int(datetime(day.year, day.month, day.day, tzinfo=_FIRST_ZONE).timestamp() * 1000)


def _list_counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in _COUNTS)


def _describe_counts(counts: dict[str, int]) -> str:
    text = f"Of the bundle's records {counts['new']} are new here, {counts['known']} were known"
    text += f" and {counts['refused']} are refused."
    if counts["waiting"]:
        text += (
            f" {counts['waiting']} wait for records that this home lacks, but only while its node"
            " is up: read a bundle with the earlier ones, and then this one again."
        )
    return text


bundle_app = App(
    name="bundle",
    help="Carries records on a stick between homes that no network joins.",
    version_flags=(),
)
bundle_app.command(write_bundle, name="write")
bundle_app.command(read_bundle, name="read")
bundle_app.command(write_have_map, name="have")
