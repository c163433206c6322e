"""Runs the homes of a bench as processes. The bench is the parent of these processes.

The homes speak libp2p to each other. The parent writes each order as a JSON line to the standard
input of a home. The home writes lines that report events. When the standard input of a home ends,
the home ends too. So no home runs longer than the parent.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meshcoop.dev.bench.fixtures import Street, store_mode

_PAUSE_SECONDS = 0.3  # the time between two posts in which the publisher is idle
_MEETING_SECONDS = 1.5  # homes that have met need this time to agree on gossip
_END_SECONDS = 10


class Worker:
    """Lets the parent use one process. This process runs one home after another."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # the program is our own
            [sys.executable, "-m", "meshcoop.dev.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def open_home(
        self, street: Street, number: int, path: Path, *, is_encrypted: bool = True
    ) -> str:
        """Tells the process to open the home `number`, with the store at `path`. Returns the
        address of this home.
        """
        identity = street.homes[number]
        self.send_order(
            store=str(path),
            neighbourhood=street.neighbourhood.hex(),
            device=identity.device.hex(),
            seed=identity.device_seed.hex(),
            is_encrypted=is_encrypted,
        )
        return str(self.wait_for_event("address"))

    def leave_home(self) -> None:
        """Closes the home. The process then waits for the next home."""
        self.send_order(leave=True)
        self.wait_for_event("left")

    def send_order(self, **order: Any) -> None:
        """Sends one order to the process."""
        assert self.process.stdin is not None, "the process has a pipe"
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def wait_for_event(self, name: str) -> Any:
        """Waits for the next event of this name and returns its value."""
        assert self.process.stdout is not None, "the process has a pipe"
        while text := self.process.stdout.readline():
            events = json.loads(text)
            if name in events:
                return events[name]
        raise RuntimeError(f"a home of the bench ended before it reported {name!r}")

    def end(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None, "the process has a pipe"
        assert self.process.stdout is not None, "the process has a pipe"
        self.process.stdin.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextmanager
def run_workers(count: int) -> Iterator[list[Worker]]:
    """Starts `count` processes for homes. Ends these processes after the block."""
    workers: list[Worker] = []
    try:
        for _ in range(count):
            # The processes start one by one. If a start fails, the earlier processes are ended.
            workers.append(Worker())  # noqa: PERF401
        yield workers
    finally:
        for worker in workers:
            worker.end()


def measure_sync(
    street: Street,
    missing: float,
    folder: Path,
    workers: list[Worker],
    *,
    is_encrypted: bool = True,
    profile: list[str] | None = None,
) -> dict[str, float]:
    """Measures a sync between two homes. The home of the second worker lacks the end of every log.
    `missing` says which part of each log is missing: 1.0 means the whole log.

    No home has the epoch key. If `profile` is a list, adds lines to it that say where the time of
    the second home went.
    """
    full, new = workers
    held: list[bytes] = []
    lacking: list[bytes] = []
    for log in street.logs:
        kept = len(log) - max(1, round(len(log) * missing))
        held += log[:kept]
        lacking += log[kept:]
    with store_mode(is_encrypted=is_encrypted):
        street.write_store(folder / "1.db", street.wires)
        street.write_store(folder / "2.db", held)
    address = full.open_home(street, 1, folder / "1.db", is_encrypted=is_encrypted)
    new.open_home(street, 2, folder / "2.db", is_encrypted=is_encrypted)
    count = len(street.chain) + len(street.wires)
    new.send_order(dial=address, records=count, profile=profile is not None)
    synced = new.wait_for_event("synced")
    if profile is not None:
        profile += synced["profile"]
    equal = new.wait_for_event("equal")
    for worker in (new, full):
        worker.leave_home()
    return {
        "records": len(lacking),
        "figure": len(lacking) / synced["seconds"],
        "wire_bytes": synced["bytes"],
        "record_bytes": sum(len(wire) for wire in lacking),
        "equal_bytes": equal["bytes"],
        "round_trips": equal["round_trips"],
    }


def measure_live(street: Street, posts: int, runs: int, folder: Path) -> list[list[float]]:
    """Measures how many milliseconds a post takes from the first home through the second home to
    the third.

    Returns one list for each run. The list has the time of each post.
    """
    with run_workers(3) as (first, middle, last):
        paths = [folder / f"{number}.db" for number in range(3)]
        for path in paths:
            street.write_store(path)
        address = middle.open_home(street, 1, paths[1])
        for number, worker in ((0, first), (2, last)):
            worker.open_home(street, number, paths[number])
            worker.send_order(dial=address)
            worker.wait_for_event("met")
        time.sleep(_MEETING_SECONDS)
        _measure_post(first, last)  # the first post is slower than the others, so it does not count
        return [[_measure_post(first, last) for _ in range(posts)] for _ in range(runs)]


def _measure_post(first: Worker, last: Worker) -> float:
    time.sleep(_PAUSE_SECONDS)
    first.send_order(post="A lift to the clinic")
    posted = first.wait_for_event("posted")
    while (stored := last.wait_for_event("stored"))["id"] != posted["id"]:
        pass
    return float(stored["at"] - posted["at"]) * 1000
