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

from meshcoop.dev.bench.fixtures import Street

_PAUSE = 0.3  # seconds between two posts: the publisher is idle
_MEETING = 1.5  # seconds in which homes that have met agree on gossip
_END = 10  # seconds


class Home:
    """A process that is one home, and later another, seen from the parent."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # this very program
            [sys.executable, "-m", "meshcoop.dev.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def open(self, street: Street, number: int, path: Path) -> str:
        """It now is the street's home of this number, with this store; its address."""
        one = street.homes[number]
        self.say(
            store=str(path),
            neighbourhood=street.neighbourhood.hex(),
            device=one.device.hex(),
            seed=one.device_seed.hex(),
        )
        return str(self.hear("address"))

    def leave(self) -> None:
        """It is no home any more."""
        self.say(leave=True)
        self.hear("left")

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
def homes(count: int) -> Iterator[list[Home]]:
    """So many processes, ended afterwards."""
    found: list[Home] = []
    try:
        for _ in range(count):
            found.append(Home())  # noqa: PERF401  # so that all are ended
        yield found
    finally:
        for one in found:
            one.end()


def sync_run(
    street: Street, missing: float, folder: Path, full: Home, new: Home
) -> dict[str, float]:
    """One home lacks the last part (`missing`) of every log. Neither has the key."""
    folder.mkdir()
    kept = [len(log) - max(1, round(len(log) * missing)) for log in street.logs]
    lacking = [one for log, at in zip(street.logs, kept, strict=True) for one in log[at:]]
    held = [one for log, at in zip(street.logs, kept, strict=True) for one in log[:at]]
    street.store(folder / "1.db", street.wires)
    street.store(folder / "2.db", held)
    address = full.open(street, 1, folder / "1.db")
    new.open(street, 2, folder / "2.db")
    new.say(dial=address, records=len(street.chain) + len(street.wires))
    first, equal = new.hear("synced"), new.hear("equal")
    for one in (new, full):
        one.leave()
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
    with homes(3) as (first, middle, far):
        paths = [folder / f"{number}.db" for number in range(3)]
        for path in paths:
            street.store(path)
        between = middle.open(street, 1, paths[1])
        for number, one in ((0, first), (2, far)):
            one.open(street, number, paths[number])
            one.say(dial=between)
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
