"""Settings that hold for all tests."""

import functools
import gc
import os
import sys
from itertools import zip_longest
from pathlib import Path

import trio
from hypothesis import settings

from meshcoop.node import step_meter
from tests.support import forked_programs as warm
from tests.support.paths import ROOT
from tests.support.suite_steps import SuiteMeter, slowest_of_tasks

TESTS = ROOT / "tests"
PURE = TESTS / "protocol"

# The tests in these files and folders mostly wait for other processes.
WAITING = (
    "street",
    "net",
    "tui/test_real_homes.py",
    "tui/test_lost_terminal.py",
    "attacks/test_stolen_disk.py",
    "test_quality.py",
    "test_recipes.py",
    "test_plugins.py",
)
# The other tests compute. These are the longest.
LONGEST = ("sim", "tui", "specs", "meshcoop/ingest", "protocol", "meshcoop/author", "attacks")

# Hundreds of processes run the code under test. So Python must keep the compiled code, even if
# this machine is set otherwise.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# On a busy machine, one example of Hypothesis may take any time. So no deadline is set.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_addoption(parser):
    parser.addoption(
        "--steps",
        metavar="FILE",
        help="measure the steps of the nodes of all tests; name the slowest",
    )


def pytest_configure(config):
    """With --steps, measures the nodes in the tests' processes, and those that tests start."""
    report = config.getoption("--steps")
    if report is None:
        return
    os.environ[step_meter.VARIABLE] = str(Path(report).absolute())
    run = trio.run

    @functools.wraps(run)
    def measured_run(*arguments, instruments=(), **options):
        meter = SuiteMeter(Path(report).absolute())
        return run(*arguments, instruments=[*instruments, meter], **options)

    trio.run = measured_run


def pytest_terminal_summary(terminalreporter, config):
    report = config.getoption("--steps")
    if report is not None:
        terminalreporter.section(f"steps longer than {step_meter.LIMIT_MS} ms, and the slowest")
        steps = step_meter.read_steps(Path(report))
        for step, count in slowest_of_tasks(steps)[:20]:
            terminalreporter.line(
                f"{step.milliseconds:7.1f} ms  {step.task}  ends at {step.place} ({count} steps)"
            )


def pytest_collection_finish(session):
    """When all tests are collected, tells the garbage collector to skip the objects that exist
    then.

    Searching these objects for garbage took a quarter of the suite's time. With --steps, Python
    collects as often as in a node: rare collections take long, and fall into some step.
    """
    gc.collect()
    gc.freeze()
    if session.config.getoption("--steps") is None:
        gc.set_threshold(100_000, 50, 100)


def pytest_unconfigure():
    warm.end()


def pytest_collection_modifyitems(items):
    """Puts the tests below tests/protocol into the quick tier: they use no store, network or
    process. Gives the files their order.
    """
    for item in items:
        if PURE in item.path.parents and item.get_closest_marker("long") is None:
            item.add_marker("quick")
    places = {path: place for place, path in enumerate(in_order({item.path for item in items}))}
    items.sort(key=lambda item: places[item.path])


def in_order(files):
    """Returns the files in the order in which workers take them.

    Files that wait and files that compute take turns, so that some workers compute while others
    wait. The longest come first, so that all workers end together.
    """
    waiting = sorted(path for path in files if lies_in(path, WAITING))
    computing = sorted(files - {*waiting})
    computing.sort(key=lambda path: [not lies_in(path, [name]) for name in LONGEST])
    turns = zip_longest(waiting, computing)
    return [path for turn in turns for path in turn if path is not None]


def lies_in(path, names):
    return any(path.is_relative_to(TESTS / name) for name in names)
