"""The homes of the benches: processes that speak libp2p to each other, told by a parent what to do.

The parent writes a JSON line for each order to a home's standard input, and reads lines of what
happened. A home ends when its input does, so none outlives the parent.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meshcoop.bench_street import Street

_PAUSE = 0.3  # seconds between two posts: the publisher is idle
_MEETING = 1.5  # seconds in which homes that have met agree on gossip
_END = 10  # seconds


class Home:
    """A home's process, seen from the parent."""

    def __init__(self, folder: Path, street: Street, number: int) -> None:
        one = street.homes[number]
        given = {
            "store": str(folder / f"{number}.db"),
            "neighbourhood": street.neighbourhood.hex(),
            "device": one.device.hex(),
            "seed": one.device_seed.hex(),
        }
        self.process = subprocess.Popen(  # noqa: S603  # this very program
            [sys.executable, "-m", "meshcoop.bench_home", json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, **order: Any) -> None:
        """An order."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def hear(self, what: str) -> Any:
        """The next thing of this name that happened there."""
        assert self.process.stdout is not None
        while text := self.process.stdout.readline():
            said = json.loads(text)
            if what in said:
                return said[what]
        raise RuntimeError(f"a home of the bench ended before it told {what!r}")

    def end(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextmanager
def _homes(folder: Path, street: Street, numbers: list[int]) -> Iterator[list[Home]]:
    found: list[Home] = []
    try:
        for number in numbers:
            found.append(Home(folder, street, number))  # noqa: PERF401  # so that all are ended
        yield found
    finally:
        for one in found:
            one.end()


def sync_run(street: Street, missing: float, folder: Path) -> dict[str, float]:
    """One home lacks the last part (`missing`) of every log. Neither has the key."""
    folder.mkdir()
    kept = [len(log) - max(1, round(len(log) * missing)) for log in street.logs]
    lacking = [one for log, at in zip(street.logs, kept, strict=True) for one in log[at:]]
    held = [one for log, at in zip(street.logs, kept, strict=True) for one in log[:at]]
    street.store(folder / "1.db", street.wires)
    street.store(folder / "2.db", held)
    with _homes(folder, street, [1, 2]) as (full, new):
        new.hear("address")
        new.say(dial=full.hear("address"), records=len(street.chain) + len(street.wires))
        first = new.hear("synced")
        equal = new.hear("equal")
    return {
        "records": len(lacking),
        "figure": len(lacking) / first["seconds"],
        "wire_bytes": first["bytes"],
        "record_bytes": sum(map(len, lacking)),
        "equal_bytes": equal["bytes"],
        "round_trips": equal["round_trips"],
    }


def live_runs(street: Street, posts: int, runs: int, folder: Path) -> list[list[float]]:
    """Milliseconds of every post of every run, from the first home to the third."""
    for number in range(3):
        street.store(folder / f"{number}.db")
    with _homes(folder, street, [0, 1, 2]) as (first, middle, far):
        for one in (first, far):
            one.hear("address")
        address = middle.hear("address")
        for one in (first, far):
            one.say(dial=address)
            one.hear("met")
        time.sleep(_MEETING)
        _post(first, far)  # the way is warm
        return [[_post(first, far) for _ in range(posts)] for _ in range(runs)]


def _post(first: Home, far: Home) -> float:
    time.sleep(_PAUSE)
    first.say(post="A lift to the clinic")
    posted = first.hear("posted")
    while (stored := far.hear("stored"))["id"] != posted["id"]:
        pass
    return float(stored["at"] - posted["at"]) * 1000
