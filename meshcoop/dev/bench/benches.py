"""The benches: figures of this machine beside what it could do at most.

The limit is one core that verifies the same records with PyNaCl and does nothing else, measured
in the same run. Stores are on disk, networks are libp2p's between processes.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

import trio

from meshcoop.author.founding import open_state
from meshcoop.dev.bench import loop_alarms as bench_loops
from meshcoop.dev.bench.fixtures import Street, build, now, verifying
from meshcoop.dev.bench.workers import homes, live_runs, sync_run
from meshcoop.dev.janitor import watched_folder
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.verifier_process import verifier
from meshcoop.ingest.verify_pipeline import Intake
from meshcoop.store.store import Store
from protocol.record import envelope as record

_BATCH = 120  # records in a frame of sync, about
_TERMINATED = 128 + signal.SIGTERM

Figures = list[dict[str, Any]]


def ingest(records: int, runs: int, folder: Path) -> Figures:
    """Records a second into a store: by a home without the key, and by one that reads them."""
    street = build(records, 1, reading=False)
    parsed = [record.parse(one) for one in street.wires]
    founder = street.homes[0]
    modes = {"ingest opaque": {}, "ingest opened": {founder.device: founder.device_seed}}
    limits: list[float] = []
    figures: dict[str, list[float]] = {name: [] for name in modes}
    for run in range(runs):
        limits.append(verifying(parsed, street.neighbourhood))
        for name, devices in modes.items():
            path = folder / f"{name} {run}.db"
            figures[name].append(_ingest(street, devices, path))
    return [_told(name, records, found, limits) for name, found in figures.items()]


def sync(records: int, runs: int, folder: Path) -> Figures:
    """Records a second from one home to another that lacks all of them, and one that lacks 1 %."""
    street = build(records, 3, reading=False)
    limit = verifying([record.parse(one) for one in street.wires], street.neighbourhood)
    with homes(2) as (full, new):
        cold = [sync_run(street, 1.0, folder / f"cold {at}", full, new) for at in range(runs)]
        few = [sync_run(street, 0.01, folder / f"few {at}", full, new) for at in range(runs)]
    told = []
    for name, found in (("sync cold", cold), ("sync 1 % missing", few)):
        figures = [one["figure"] for one in found]
        counts = ("wire_bytes", "record_bytes", "equal_bytes", "round_trips")
        counted = {key: int(median(one[key] for one in found)) for key in counts}
        told.append(_told(name, int(found[0]["records"]), figures, [limit] * runs) | counted)
    return told


def live(records: int, runs: int, folder: Path) -> Figures:
    """Milliseconds from a post to its being stored two hops away, while nothing else happens."""
    street = build(100, 3, reading=True)
    limit = verifying([record.parse(one) for one in street.wires], street.neighbourhood)
    found = live_runs(street, records, runs, folder)
    figures = [median(one) for one in found]
    least = 2 * 1000 / limit  # at both hops it is verified
    return [
        {
            "name": "live two hops",
            "records": records,
            "figure": round(median(figures), 2),
            "unit": "ms",
            "limit": round(least, 3),
            "ratio": round(least / median(figures), 4),
            "runs": [round(one, 2) for one in figures],
            "slowest": round(max(max(one) for one in found), 2),
        }
    ]


def loops(records: int, runs: int, folder: Path) -> Figures:
    """Alarms of simulated measures; `records` runs of each."""
    del runs, folder
    return bench_loops.alarms(records)


BENCHES: dict[str, tuple[Callable[[int, int, Path], Figures], int]] = {
    "ingest": (ingest, 5000),  # how many records, if nobody says
    "sync": (sync, 3000),
    "live": (live, 10),
    "loops": (loops, bench_loops.USUAL_RUNS),
}


def run(name: str, records: int | None, runs: int) -> Figures:
    """Runs one bench; leaves neither files nor processes behind."""
    bench, usual = BENCHES[name]
    with _ended_in_order(), watched_folder("meshcoop-bench-") as folder:
        return bench(records or usual, runs, folder)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM unwinds what runs, as an interrupt does."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ingest(street: Street, devices: dict[bytes, bytes], path: Path) -> float:
    store = Store(path)
    try:
        inbox = Inbox(open_state(store, street.neighbourhood, devices, now))
        inbox.take_wires(street.chain)
        before = store.records.count()
        began = time.perf_counter()
        trio.run(_feed, inbox, street.wires)
        took = time.perf_counter() - began
        added = store.records.count() - before
        folded = len(inbox.state.views.of_kind("request"))
        wanted = (len(street.wires), len(street.wires) if devices else 0)
        assert (added, folded) == wanted, f"stored and folded: {added}, {folded}, not {wanted}"
        return added / took
    finally:
        store.close()
        path.unlink()


async def _feed(inbox: Inbox, wires: list[bytes]) -> None:
    async with verifier() as verify, trio.open_nursery() as nursery:
        intake = Intake(inbox, verify)
        for at in range(0, len(wires), _BATCH):
            await intake.put(nursery, wires[at : at + _BATCH], lambda _: None)


def _told(name: str, records: int, figures: list[float], limits: list[float]) -> dict[str, Any]:
    ratios = [one / limit for one, limit in zip(figures, limits, strict=True)]
    return {
        "name": name,
        "records": records,
        "figure": round(median(figures), 1),
        "unit": "records/s",
        "limit": round(median(limits), 1),
        "ratio": round(median(ratios), 3),
        "runs": [round(one, 1) for one in figures],
        "ratios": [round(one, 3) for one in ratios],
    }
