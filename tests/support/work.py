"""Counts work in place of time, so that a test of a bound gives the same result on every machine."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from types import SimpleNamespace

import trio


def count_calls(function: Callable[[], object]) -> int:
    """Runs a function. Returns how many functions it called, those written in C included."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@contextmanager
def most_in_one_step(figure):
    """Gives the block an object. Its field `count` says how much `figure()` has grown at most in
    one step of the event loop.
    """
    most = SimpleNamespace(count=0)

    class Meter(trio.abc.Instrument):
        before = figure()

        def before_task_step(self, task):
            self.before = figure()

        def after_task_step(self, task):
            most.count = max(most.count, figure() - self.before)

    meter = Meter()
    trio.lowlevel.add_instrument(meter)
    try:
        yield most
    finally:
        trio.lowlevel.remove_instrument(meter)
