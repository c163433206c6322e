"""Measures the steps of the event loop. A step is what a task does until other tasks may run.

While a step runs, nobody gets an answer. So no step may take more than 50 ms of the processor. This
limit holds for everything that people and peers may write. The environment variable MESHCOOP_STEPS
may name a file. A node then writes its slow steps into that file, and at the end the slowest step.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import trio

VARIABLE = "MESHCOOP_STEPS"
LIMIT_MS = 50

_PACKAGES = ("meshcoop.", "protocol.", "tests.")


class Step(NamedTuple):
    """A step of a task. `place` is the line of our code at which the step ended."""

    milliseconds: float  # of the processor
    task: str
    place: str


class StepMeter(trio.abc.Instrument):
    """Measures each step of an event loop. `slow` are the steps that took longer than the limit.

    If `report` is a file, writes each slow step into that file. At the end, also writes the slowest
    step.
    """

    def __init__(self, report: Path | None = None) -> None:
        self.slowest = Step(0, "", "")
        self.slow: list[Step] = []
        self._report = report
        self._began = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Notes when a step begins. Trio calls this."""
        del task
        self._began = time.thread_time_ns()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Measures the step that has just ended. Trio calls this."""
        milliseconds = (time.thread_time_ns() - self._began) / 1e6
        if milliseconds <= self.slowest.milliseconds and milliseconds <= LIMIT_MS:
            return
        step = Step(milliseconds, task.name, _find_place(task))
        self.slowest = max(step, self.slowest)
        if milliseconds > LIMIT_MS:
            self.slow.append(step)
            self._write(step)

    def after_run(self) -> None:
        """Writes the slowest step. Trio calls this when the loop ends."""
        if not self.slow:
            self._write(self.slowest)

    def _write(self, step: Step) -> None:
        if self._report is not None:
            with self._report.open("a", encoding="utf-8") as file:
                file.write(json.dumps(step) + "\n")


def meters_of_environment() -> list[trio.abc.Instrument]:
    """Returns a meter that reports to the file in MESHCOOP_STEPS, or nothing if it is not set."""
    report = os.environ.get(VARIABLE)
    return [StepMeter(Path(report))] if report else []


def read_steps(report: Path) -> list[Step]:
    """Returns the steps that meters have written into a file, the slowest first."""
    lines: Iterable[str] = (
        report.read_text(encoding="utf-8").splitlines() if report.exists() else ()
    )
    return sorted((Step(*json.loads(line)) for line in lines), reverse=True)


def _find_place(task: trio.lowlevel.Task) -> str:
    """Returns where in our code a task waits now."""
    place = "the end of the task"
    for frame, line in task.iter_await_frames():
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_PACKAGES):
            place = f"{module}:{line}"
    return place
