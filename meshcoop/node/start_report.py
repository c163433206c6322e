"""Tells a person what a node is doing while it starts, and how far this work is."""

import logging
import sys
import time
from typing import NamedTuple

_LOG = logging.getLogger(__name__)

_PAUSE = 1.0  # seconds between two lines


class Work(NamedTuple):
    """One kind of long work at a node's start, with three sentences: one for the beginning, one on
    the way, and one for the end.

    If a sentence is empty, nothing is written at that point.
    """

    begins: str
    goes_on: str
    ends: str


CHECKING = Work("", "{done} of {total} records are checked.", "")
MENDING = Work(
    "",
    "The store is damaged; {done} of its {total} records are saved into a new one.",
    "",
)
FOLDING = Work(
    "The program has changed since this home last ran; its views are made anew.",
    "The views of {done} of {total} threads are made.",
    "The views of all {total} threads are made.",
)


class StartReport:
    """Writes lines to the log about one piece of work. If a person has started the node in a
    terminal, writes the lines there too.

    If the work is not needed, the report is never called and writes nothing.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._last_line = time.monotonic()  # when the last line was written, in seconds

    def __call__(self, done: int, total: int) -> None:
        """Notes that `done` of `total` parts of the work are done. The first call usually has
        `done` = 0. If an earlier start was ended in the middle, the work goes on from there, and
        the first call has a higher `done`. The last call has `done` = `total`.
        """
        if done == 0:
            self._write(self._work.begins)
        elif done == total:
            self._write(self._work.ends.format(total=total))
        elif time.monotonic() - self._last_line >= _PAUSE:
            self._write(self._work.goes_on.format(done=done, total=total))

    def _write(self, line: str) -> None:
        if not line:
            return
        self._last_line = time.monotonic()
        _LOG.info("%s", line)
        # A node in the background has the log as its standard error, which has the line already.
        if sys.stderr.isatty():
            sys.stderr.write(f"{line}\n")
