"""Ends the screen in time: when a signal asks for it, and when the terminal goes away.

Textual ends in time in neither case. Its main thread waits for the thread that writes to the
terminal. If the terminal is gone or no longer reads, this wait never ends. Then no code of the
event loop runs.
"""

import asyncio
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

SECONDS_TO_END = 3

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def end_in_time(end: Callable[[], None]) -> None:
    """Calls `end` when the process gets SIGTERM or SIGHUP, and when its terminal is gone.

    `end` is called in the event loop from which this function was called. If the process still runs
    SECONDS_TO_END later, the system ends it.
    """
    loop = asyncio.get_running_loop()

    def handle_signal(_number: int, _frame: FrameType | None) -> None:
        # Nothing handles SIGALRM. So it ends the process, whatever the threads are waiting for.
        if signal.getitimer(signal.ITIMER_REAL) == (0, 0):
            signal.alarm(SECONDS_TO_END)
        # After the loop has closed, the program is ending anyway.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(end)

    for number in _SIGNALS:
        signal.signal(number, handle_signal)
    watch = threading.Thread(
        target=_watch_terminal, args=(threading.get_ident(),), name="terminal watch", daemon=True
    )
    watch.start()


def _watch_terminal(main_thread: int) -> None:
    """Sends SIGHUP to this process when its terminal is gone. The system sends this signal only to
    the shell, and a shell does not always pass it on.
    """
    poll = select.poll()
    # The thread waits for no input, only for the end, which is always reported.
    poll.register(sys.stdin.fileno(), 0)
    ((_file, state),) = poll.poll()
    if state & (select.POLLHUP | select.POLLERR):
        # A signal to another thread would not interrupt what the main thread waits for.
        signal.pthread_kill(main_thread, signal.SIGHUP)
