"""Measures the steps of the event loop, and the calls of the local API. In a step, a task works
until other tasks may run. A call is one request of a program, with all its steps.

While a step runs, nobody gets an answer. So no step may take more than 50 ms of the processor, and
no call more than 200 ms. These limits hold no matter what people and peers write. If the
environment variable MESHCOOP_STEPS names a file, a node writes its slow steps and calls into this
file. When the loop ends, the node adds the slowest step and the slowest call.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import trio

from meshcoop.api.server import CALL

VARIABLE = "MESHCOOP_STEPS"
LIMIT_MS = 50
CALL_LIMIT_MS = 200
WHOLE_CALL = "the whole call"

_PACKAGES = ("meshcoop.", "protocol.", "tests.")


class Step(NamedTuple):
    """A step of a task. `place` is the line of meshcoop's code at which the step ended.

    If `place` is WHOLE_CALL, this is a whole call, with all its steps.
    """

    milliseconds: float  # of the processor
    task: str
    place: str


class StepMeter(trio.abc.Instrument):
    """Measures each step of an event loop, and each call. `slow` are the steps and the calls that
    took longer than their limit.

    If `report` is a file, writes the slow steps and calls into that file. When the loop ends, also
    writes the slowest step and the slowest call.
    """

    def __init__(self, report: Path | None = None) -> None:
        self.slowest = Step(0, "", "")
        self.slowest_call = Step(0, "", WHOLE_CALL)
        self.slow: list[Step] = []
        self._report = report
        self._began = 0
        self._calls: dict[trio.lowlevel.Task, float] = {}  # milliseconds of the calls under way

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Begins to measure a call. Trio calls this."""
        if task.name.startswith(CALL):
            self._calls[task] = 0

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        """Notes how long a whole call has taken. Trio calls this."""
        if task not in self._calls:
            return
        call = Step(self._calls.pop(task) + self._milliseconds(), task.name, WHOLE_CALL)
        self.slowest_call = max(call, self.slowest_call)
        if call.milliseconds > CALL_LIMIT_MS:
            self._note_slow(call)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Notes when a step begins. Trio calls this."""
        del task
        self._began = time.thread_time_ns()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Measures the step that has just ended. Trio calls this."""
        milliseconds = self._milliseconds()
        if task in self._calls:
            self._calls[task] += milliseconds
        if milliseconds <= self.slowest.milliseconds and milliseconds <= LIMIT_MS:
            return
        step = Step(milliseconds, task.name, _find_place(task))
        self.slowest = max(step, self.slowest)
        if milliseconds > LIMIT_MS:
            self._note_slow(step)

    def after_run(self) -> None:
        """Writes the slowest step and the slowest call. Trio calls this when the loop ends."""
        for slowest in (self.slowest, self.slowest_call):
            if slowest.task and slowest not in self.slow:
                self._write(slowest)

    def _milliseconds(self) -> float:
        """Returns how long the present step has taken so far."""
        return (time.thread_time_ns() - self._began) / 1e6

    def _note_slow(self, step: Step) -> None:
        self.slow.append(step)
        self._write(step)

    def _write(self, step: Step) -> None:
        if self._report is not None:
            with self._report.open("a", encoding="utf-8") as file:
                file.write(json.dumps(step) + "\n")


def meters_of_environment() -> list[trio.abc.Instrument]:
    """Returns a meter that reports to the file in MESHCOOP_STEPS. Returns no meter if
    MESHCOOP_STEPS is not set.
    """
    report = os.environ.get(VARIABLE)
    return [StepMeter(Path(report))] if report else []


def read_steps(report: Path) -> list[Step]:
    """Returns the steps and calls that meters have written into a file, the slowest first."""
    lines: Iterable[str] = (
        report.read_text(encoding="utf-8").splitlines() if report.exists() else ()
    )
    return sorted((Step(*json.loads(line)) for line in lines), reverse=True)


def _find_place(task: trio.lowlevel.Task) -> str:
    """Returns the line of meshcoop's code at which a task waits now."""
    place = "the end of the task"
    for frame, line in task.iter_await_frames():
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_PACKAGES):
            place = f"{module}:{line}"
    return place
