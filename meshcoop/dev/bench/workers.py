"""The parent of the benches' homes: processes that speak libp2p to each other and follow its orders.

The parent writes each order as a JSON line to a home's standard input, and reads lines that report
events. A home ends when its input does, so none outlives the parent.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meshcoop.dev.bench.fixtures import Street

_PAUSE_SECONDS = 0.3  # between two posts: the publisher is idle
_MEETING_SECONDS = 1.5  # in which homes that have met agree on gossip
_END_SECONDS = 10


class Worker:
    """A process that is one home, and later another, seen from the parent."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # this very program
            [sys.executable, "-m", "meshcoop.dev.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def open_home(self, street: Street, number: int, path: Path) -> str:
        """Opens the street's home of this number with this store; returns its address."""
        identity = street.homes[number]
        self.send_order(
            store=str(path),
            neighbourhood=street.neighbourhood.hex(),
            device=identity.device.hex(),
            seed=identity.device_seed.hex(),
        )
        return str(self.wait_for_event("address"))

    def leave_home(self) -> None:
        """Closes the home; the process waits for another."""
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
    """Runs this number of processes, and ends them afterwards."""
    workers: list[Worker] = []
    try:
        for _ in range(count):
            # One by one: if starting one of them fails, those before it are ended.
            workers.append(Worker())  # noqa: PERF401
        yield workers
    finally:
        for worker in workers:
            worker.end()


def measure_sync(
    street: Street, missing: float, folder: Path, full: Worker, new: Worker
) -> dict[str, float]:
    """Syncs two homes, of which `new` lacks the last part (`missing`) of every log.

    Neither home has the epoch key.
    """
    folder.mkdir()
    held: list[bytes] = []
    lacking: list[bytes] = []
    for log in street.logs:
        kept = len(log) - max(1, round(len(log) * missing))
        held += log[:kept]
        lacking += log[kept:]
    street.write_store(folder / "1.db", street.wires)
    street.write_store(folder / "2.db", held)
    address = full.open_home(street, 1, folder / "1.db")
    new.open_home(street, 2, folder / "2.db")
    new.send_order(dial=address, records=len(street.chain) + len(street.wires))
    synced = new.wait_for_event("synced")
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
    """Milliseconds of every post of every run, from the first home over the second to the third."""
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
        _measure_post(first, last)  # the first post is slower than those that count
        return [[_measure_post(first, last) for _ in range(posts)] for _ in range(runs)]


def _measure_post(first: Worker, last: Worker) -> float:
    time.sleep(_PAUSE_SECONDS)
    first.send_order(post="A lift to the clinic")
    posted = first.wait_for_event("posted")
    while (stored := last.wait_for_event("stored"))["id"] != posted["id"]:
        pass
    return float(stored["at"] - posted["at"]) * 1000
