"""The fixture with which simulated neighbourhoods run in simulated time."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio._core._run as scheduler
from trio.testing import MockClock

from tests.support.simulated_street import NAMES, Scenario, Simulate, Street


@pytest.fixture
def simulate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulate]:
    """Yields a function that runs a scenario in simulated time.

    Trio's scheduler gets the same seed as the scenario, so that a run repeats exactly.
    """
    monkeypatch.setattr(scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
    state = scheduler._r.getstate()
    memory = Path("/dev/shm")

    def run(seed: int, scenario: Scenario, names: tuple[str, ...] = NAMES) -> Street:
        print(f"seed {seed}")  # noqa: T201 -- pytest shows it when the run fails
        scheduler._r.seed(seed)
        where = memory if memory.is_dir() else tmp_path
        with tempfile.TemporaryDirectory(dir=where) as folder:
            street = Street(seed, Path(folder), names)
            trio.run(scenario, street, clock=MockClock(autojump_threshold=0))
        return street

    yield run
    scheduler._r.setstate(state)
