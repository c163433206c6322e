"""Measures the steps of nodes in the processes of the test suite (`pytest --steps FILE`)."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import trio

from meshcoop.node.step_meter import Step, StepMeter

# pytest-trio names its tasks so. A test may also begin a loop with a function of its own.
_TASKS_OF_TESTS = ("<test ", "<fixture ", "tests.")


class SuiteMeter(StepMeter):
    """Measures the steps of nodes, and leaves out those of the tests themselves. A test makes whole
    homes in one step.
    """

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Measures the step that has just ended. Trio calls this."""
        if not task.name.startswith(_TASKS_OF_TESTS):
            super().after_task_step(task)


def slowest_of_tasks(steps: Iterable[Step]) -> list[tuple[Step, int]]:
    """Returns the slowest step of each task, with the number of its steps. The slowest comes
    first.
    """
    by_task = sorted(steps, key=attrgetter("task"))
    groups = (list(group) for _, group in groupby(by_task, key=attrgetter("task")))
    slowest = [(max(group), len(group)) for group in groups]
    return sorted(slowest, reverse=True)
