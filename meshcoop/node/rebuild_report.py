"""Tells a person that a node is rebuilding its views of threads (records and their answers), and
how many threads are done.
"""

import logging
import sys
import time

_LOG = logging.getLogger(__name__)

_PAUSE = 1.0  # seconds between two lines


class RebuildReport:
    """Writes lines to the log about a rebuild of the views. If a person has started the node in a
    terminal, writes the lines there too.

    If no view is rebuilt, nobody calls the report, and it writes nothing.
    """

    def __init__(self) -> None:
        self._last_line = 0.0  # when the last line was written, in seconds

    def __call__(self, done: int, total: int) -> None:
        """Notes that `done` of `total` threads are done. The first call has `done` = 0, the last
        one has `done` = `total`.
        """
        if done == 0:
            self._write(
                "The program has changed since this home last ran; its views are made anew."
            )
        elif done == total:
            self._write(f"The views of all {total} threads are made.")
        elif time.monotonic() - self._last_line >= _PAUSE:
            self._write(f"The views of {done} of {total} threads are made.")

    def _write(self, line: str) -> None:
        self._last_line = time.monotonic()
        _LOG.info("%s", line)
        # A node in the background has the log as its standard error, which has the line already.
        if sys.stderr.isatty():
            sys.stderr.write(f"{line}\n")
