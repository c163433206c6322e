"""Counts work in place of time, so that a test of a bound gives the same result on every machine."""

import sys
from collections.abc import Callable


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
