"""The benches. Each bench except `feedback` and `loops` measures how fast this machine is, and
compares the result with a limit.

The limit is the speed at which one core verifies the same records with PyNaCl and does nothing
else. It is measured in the same run. The stores are on disk. If a bench needs several homes, each
home runs in a process of its own. These homes speak libp2p to each other.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import FrameType

import trio

from meshcoop.author.founding import open_state
from meshcoop.dev.bench import feedback, loop_alarms
from meshcoop.dev.bench.figure import Figure, SyncCount
from meshcoop.dev.bench.fixtures import STORE_KEY, Street, build_street, measure_verifying, now
from meshcoop.dev.bench.workers import measure_live, measure_sync, run_workers
from meshcoop.dev.janitor import watched_folder
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.verifier_process import open_verifier
from meshcoop.ingest.verify_pipeline import VerifyPipeline
from meshcoop.store.store import Store
from protocol.kinds.exchange.exchange import Request
from protocol.record import envelope

_BATCH = 120  # about the number of records in one frame of a sync
_TERMINATED = 128 + signal.SIGTERM
_SYNC_COUNTS: tuple[SyncCount, ...] = ("wire_bytes", "record_bytes", "equal_bytes", "round_trips")

Figures = list[Figure]


def run_bench(name: str, records: int | None, runs: int) -> Figures:
    """Runs one bench. When the bench ends, removes its files and ends its processes."""
    bench, usual_records = _BENCHES[name]
    with _ending_in_order(), watched_folder("meshcoop-bench-") as folder:
        return bench(records or usual_records, runs, folder)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Within the block, the signal SIGTERM raises SystemExit. So the bench cleans up before it
    ends.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(_TERMINATED)

    handler = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def _bench_ingest(records: int, runs: int, folder: Path) -> Figures:
    """Measures how many records per second a home stores. Measures twice: first without the epoch
    key, then with it. The epoch key opens the records.
    """
    street = build_street(records, 1, with_keys=False)
    parsed = [envelope.parse(wire) for wire in street.wires]
    founder = street.homes[0]
    modes = {"ingest opaque": {}, "ingest opened": {founder.device: founder.device_seed}}
    limits: list[float] = []
    rates: dict[str, list[float]] = {name: [] for name in modes}
    for run in range(runs):
        limits.append(measure_verifying(parsed, street.neighbourhood))
        for name, devices in modes.items():
            path = folder / f"{name} {run}.db"
            rates[name].append(_measure_ingest(street, devices, path))
    return [_summarise(name, records, rates[name], limits) for name in modes]


def _measure_ingest(street: Street, devices: dict[bytes, bytes], path: Path) -> float:
    store = Store(path, STORE_KEY)
    try:
        inbox = Inbox(open_state(store, street.neighbourhood, devices, now))
        inbox.ingest_wires(street.chain)
        before = store.records.count()
        began = time.perf_counter()
        trio.run(_ingest_wires, inbox, street.wires)
        seconds = time.perf_counter() - began
        added = store.records.count() - before
        folded = len(inbox.state.views.of_kind(Request))
        expected = (len(street.wires), len(street.wires) if devices else 0)
        assert (added, folded) == expected, f"stored and folded: {added}, {folded}, not {expected}"
        return added / seconds
    finally:
        store.close()
        path.unlink()


async def _ingest_wires(inbox: Inbox, wires: list[bytes]) -> None:
    async with open_verifier() as verify, trio.open_nursery() as nursery:
        pipeline = VerifyPipeline(inbox, verify)
        for start in range(0, len(wires), _BATCH):
            await pipeline.put(nursery, wires[start : start + _BATCH], lambda _: None)


def _bench_sync(records: int, runs: int, folder: Path) -> Figures:
    """Measures how many records per second one home sends to another home.

    First the other home lacks all records. Then it lacks 1 % of the records.
    """
    street = build_street(records, 3, with_keys=False)
    parsed = [envelope.parse(wire) for wire in street.wires]
    limit = measure_verifying(parsed, street.neighbourhood)
    with run_workers(2) as (full, new):
        cold = [
            measure_sync(street, 1.0, folder / f"cold {number}", full, new)
            for number in range(runs)
        ]
        few = [
            measure_sync(street, 0.01, folder / f"few {number}", full, new)
            for number in range(runs)
        ]
    return [
        _summarise_sync("sync cold", cold, limit),
        _summarise_sync("sync 1 % missing", few, limit),
    ]


def _summarise_sync(name: str, syncs: list[dict[str, float]], limit: float) -> Figure:
    rates = [sync["figure"] for sync in syncs]
    figure = _summarise(name, int(syncs[0]["records"]), rates, [limit] * len(syncs))
    for key in _SYNC_COUNTS:
        figure[key] = int(median(sync[key] for sync in syncs))
    return figure


def _summarise(name: str, records: int, rates: list[float], limits: list[float]) -> Figure:
    ratios = [rate / limit for rate, limit in zip(rates, limits, strict=True)]
    return {
        "name": name,
        "records": records,
        "figure": round(median(rates), 1),
        "unit": "records/s",
        "limit": round(median(limits), 1),
        "ratio": round(median(ratios), 3),
        "runs": [round(rate, 1) for rate in rates],
        "ratios": [round(ratio, 3) for ratio in ratios],
    }


def _bench_live(records: int, runs: int, folder: Path) -> Figures:
    """Measures how many milliseconds pass until a post is stored at a home two hops away. Nothing
    else happens in the network.
    """
    street = build_street(100, 3, with_keys=True)
    parsed = [envelope.parse(wire) for wire in street.wires]
    limit = measure_verifying(parsed, street.neighbourhood)
    delays_by_run = measure_live(street, records, runs, folder)
    medians = [median(delays) for delays in delays_by_run]
    least = 2 * 1000 / limit  # both hops verify the record
    return [
        {
            "name": "live two hops",
            "records": records,
            "figure": round(median(medians), 2),
            "unit": "ms",
            "limit": round(least, 3),
            "ratio": round(least / median(medians), 4),
            "runs": [round(delay, 2) for delay in medians],
            "slowest": round(max(max(delays) for delays in delays_by_run), 2),
        }
    ]


def _bench_loops(records: int, _runs: int, _folder: Path) -> Figures:
    """Simulates measures, and finds how often the rules raise an alarm. A measure is a question
    that a neighbourhood asks every week.

    `records` is the number of runs of each simulation.
    """
    return loop_alarms.measure_alarms(records)


def _bench_feedback(records: int, _runs: int, folder: Path) -> Figures:
    """Measures what one more piece of feedback costs a home whose service has much of it."""
    return feedback.measure_feedback(records, folder)


# Each bench with its usual number of records.
_BENCHES: dict[str, tuple[Callable[[int, int, Path], Figures], int]] = {
    "ingest": (_bench_ingest, 5000),
    "sync": (_bench_sync, 3000),
    "live": (_bench_live, 10),
    "feedback": (_bench_feedback, feedback.SIZES[-1]),
    "loops": (_bench_loops, loop_alarms.USUAL_RUNS),
}
