"""The benches. All benches except `feedback` and `loops` measure how fast this machine is, and
compare the result with a limit.

The limit is the speed at which one core verifies the same records with PyNaCl and does nothing
else. The limit is measured in the same run. The stores are on disk. If a bench needs several homes,
each home runs in a process of its own. These homes speak libp2p to each other.
"""

import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NamedTuple

import trio

from meshcoop.author.founding import open_state
from meshcoop.dev.bench import feedback, loop_alarms
from meshcoop.dev.bench.figure import Figure, SyncCount
from meshcoop.dev.bench.fixtures import (
    STORE_KEY,
    Street,
    build_street,
    measure_verifying,
    now,
    store_mode,
)
from meshcoop.dev.bench.profile import profiled
from meshcoop.dev.bench.workers import measure_live, measure_sync, run_workers
from meshcoop.dev.janitor import watched_folder
from meshcoop.errors import Mistake
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


class Plan(NamedTuple):
    """What a bench measures: how many records, and how often.

    If `is_compared` is set, the bench measures each run a second time, with stores that are not
    encrypted. If `is_profiled` is set, one more run says where the time goes.
    """

    records: int
    runs: int
    folder: Path
    is_compared: bool = False
    is_profiled: bool = False

    @property
    def modes(self) -> tuple[bool, ...]:
        """Says for each measurement of a run whether its stores are encrypted."""
        return (True, False) if self.is_compared else (True,)


def run_bench(
    name: str,
    records: int | None,
    runs: int,
    *,
    is_compared: bool = False,
    is_profiled: bool = False,
) -> Figures:
    """Runs one bench. At the end, removes its files and ends its processes. Raises Mistake if this
    bench cannot compare or profile.
    """
    bench, usual_records = _BENCHES[name]
    if (is_compared or is_profiled) and name not in _WITH_STORES:
        raise Mistake("Only ingest and sync can be compared and profiled.", 2)
    with _ending_in_order(), watched_folder("meshcoop-bench-") as folder:
        return bench(Plan(records or usual_records, runs, folder, is_compared, is_profiled))


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Makes the signal SIGTERM raise SystemExit within the block of a `with` statement. So the
    bench cleans up before it ends.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(_TERMINATED)

    handler = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def _bench_ingest(plan: Plan) -> Figures:
    """Measures how many records per second a home stores.

    Measures twice: first without the epoch key, then with this key. The epoch key opens the
    records.
    """
    street = build_street(plan.records, 1, with_keys=False)
    parsed = [envelope.parse(wire) for wire in street.wires]
    founder = street.homes[0]
    homes = {"ingest opaque": {}, "ingest opened": {founder.device: founder.device_seed}}
    limits: list[float] = []
    rates: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for _ in range(plan.runs):
        limits.append(measure_verifying(parsed, street.neighbourhood))
        for name, devices in homes.items():
            for is_encrypted in plan.modes:
                rate = _measure_ingest(street, devices, plan.folder, is_encrypted=is_encrypted)
                rates[name, is_encrypted].append(rate)
    figures = [_summarise(name, plan.records, rates[name, True], limits) for name in homes]
    for figure, devices in zip(figures, homes.values(), strict=True):
        _compare(figure, rates[figure["name"], False])
        if plan.is_profiled:
            lines: list[str] = []
            figure["profile"] = lines
            with profiled(lines):
                _measure_ingest(street, devices, plan.folder, is_encrypted=True)
    return figures


def _measure_ingest(
    street: Street, devices: dict[bytes, bytes], folder: Path, *, is_encrypted: bool
) -> float:
    path = folder / "ingest.db"
    with store_mode(is_encrypted=is_encrypted):
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


def _bench_sync(plan: Plan) -> Figures:
    """Measures how many records per second one home sends to another home.

    First the other home lacks all records. Then it lacks 1 % of the records.
    """
    street = build_street(plan.records, 3, with_keys=False)
    parsed = [envelope.parse(wire) for wire in street.wires]
    limit = measure_verifying(parsed, street.neighbourhood)
    figures = []
    with run_workers(2) as workers:
        for name, missing in (("sync cold", 1.0), ("sync 1 % missing", 0.01)):
            syncs: dict[bool, list[dict[str, float]]] = defaultdict(list)
            for _ in range(plan.runs):
                for is_encrypted in plan.modes:
                    with TemporaryDirectory(dir=plan.folder) as folder:
                        sync = measure_sync(
                            street, missing, Path(folder), workers, is_encrypted=is_encrypted
                        )
                    syncs[is_encrypted].append(sync)
            figure = _summarise_sync(name, syncs[True], limit)
            _compare(figure, [sync["figure"] for sync in syncs[False]])
            if plan.is_profiled:
                lines: list[str] = []
                figure["profile"] = lines
                with TemporaryDirectory(dir=plan.folder) as folder:
                    measure_sync(street, missing, Path(folder), workers, profile=lines)
            figures.append(figure)
    return figures


def _compare(figure: Figure, plain: list[float]) -> None:
    """Compares a figure with what the same runs gave without encryption, and adds the ratio to the
    figure. `plain` has the results without encryption, one for each run. If nothing is compared,
    `plain` is empty.
    """
    if plain:
        parts = [rate / other for rate, other in zip(figure["runs"], plain, strict=True)]
        figure["of_plain"] = round(median(parts), 3)


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


def _bench_live(plan: Plan) -> Figures:
    """Measures how many milliseconds pass until a post is stored at a home two hops away. Meanwhile
    nothing else happens in the network.
    """
    street = build_street(100, 3, with_keys=True)
    parsed = [envelope.parse(wire) for wire in street.wires]
    limit = measure_verifying(parsed, street.neighbourhood)
    delays_by_run = measure_live(street, plan.records, plan.runs, plan.folder)
    medians = [median(delays) for delays in delays_by_run]
    least = 2 * 1000 / limit  # both hops verify the record
    return [
        {
            "name": "live two hops",
            "records": plan.records,
            "figure": round(median(medians), 2),
            "unit": "ms",
            "limit": round(least, 3),
            "ratio": round(least / median(medians), 4),
            "runs": [round(delay, 2) for delay in medians],
            "slowest": round(max(max(delays) for delays in delays_by_run), 2),
        }
    ]


def _bench_loops(plan: Plan) -> Figures:
    """Simulates measures, and finds how often the rules raise an alarm. A measure is a question
    that a neighbourhood asks every week.

    Each simulation is run as often as the plan has records.
    """
    return loop_alarms.measure_alarms(plan.records)


def _bench_feedback(plan: Plan) -> Figures:
    """Measures what one more piece of feedback costs a home. The home's service has much feedback
    already.
    """
    return feedback.measure_feedback(plan.records, plan.folder)


# Each bench with its usual number of records.
_BENCHES: dict[str, tuple[Callable[[Plan], Figures], int]] = {
    "ingest": (_bench_ingest, 5000),
    "sync": (_bench_sync, 3000),
    "live": (_bench_live, 10),
    "feedback": (_bench_feedback, feedback.SIZES[-1]),
    "loops": (_bench_loops, loop_alarms.USUAL_RUNS),
}
_WITH_STORES = {"ingest", "sync"}  # their speed depends on the encryption of stores
