"""Runs a node in a process of its own: starts the process, stops it, and waits for it.

The passphrase reaches the node through its standard input, a pipe that ends after one line. In the
node's environment, MESHCOOP_PASSPHRASE_FILE names /dev/stdin. So the passphrase is on no disk, in
no environment and on no command line. The node needs no terminal, and no option for the passphrase.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from meshcoop.client import Client, NodeGone
from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.log_files import put_away
from meshcoop.home.passphrase import PASSPHRASE_VARIABLE as PASSPHRASE_FILE
from protocol.wire import calls

PROGRAM = (sys.executable, "-m", "meshcoop")
START_SECONDS = 60  # a caller waits this long for a node that writes nothing to its log

_QUIET_SECONDS = 5  # after this, a caller is told how far the node is
_PAUSE = 0.02  # seconds between two checks
_END_SECONDS = 5  # a node that must end has this long before it is killed
_MAX_TAIL = 16 * 1024  # bytes at the end of the log that are searched for its last line

# Processes are kept here until they have ended. A Popen that is forgotten earlier warns, and leaves
# a zombie.
_children: list[subprocess.Popen[bytes]] = []


class _Ended(Mistake):
    """Raised if the node has ended while this process waited for it."""


def running(home: Home) -> bool:
    """Returns whether a node runs in this home, even if the node is not ready yet. Raises Mistake
    if the lock file cannot be opened.
    """
    return home.is_running()


def start(
    home: Home,
    passphrase: str | None,
    *,
    program: Sequence[str] = PROGRAM,
    tell: Callable[[str], None] | None = None,
) -> int:
    """Starts `PROGRAM --home HOME run`. Returns the id of the node's process when the node is
    ready. If that takes long, calls `tell` with the lines that the node writes to its log.

    If a node runs already, returns the process id of that node. If the new node ends early, raises
    Mistake with the last line of its log. If the node's exit code was 1 or 2, the Mistake has this
    code too.

    Raises Mistake if the node writes nothing to its log for START_SECONDS. In this case the node
    goes on in the background.
    """
    home.create()
    with _log_of_start(home) as log:
        return _start(home, log, passphrase, program, tell)


def _start(
    home: Home,
    log: Path,
    passphrase: str | None,
    program: Sequence[str],
    tell: Callable[[str], None] | None,
) -> int:
    while running(home):
        # If that node ends before it is ready, or was killed a moment ago, a new one starts.
        with suppress(_Ended):
            return _await_ready(home, log, lambda: _check_running(home), tell)
    log_before = _size_of(log)
    try:
        child = _spawn(home, log, passphrase, program)
    except OSError as error:
        raise Mistake(
            "The node cannot start: {error}; correct that and try again.", error=error
        ) from None

    def check_alive() -> None:
        # If another start was faster, the child has ended, but a node runs.
        if child.poll() is not None and not running(home):
            code = child.returncode if child.returncode in {1, 2} else 1
            line = _last_line(log, log_before, _size_of(log))
            if line is None:
                raise Mistake(
                    "The node ended without a word; `meshcoop log` says where to look.", code
                )
            raise Mistake(line, code)

    pid = _await_ready(home, log, check_alive, tell)
    if pid != child.pid:
        # Another node runs already. The child must end, or it would take the lock once the other
        # node has stopped.
        _end(child)
    return pid


def stop(home: Home, timeout: float = 10) -> None:
    """Asks the node to stop, and returns when the node has stopped. Returns at once if no node
    runs.

    Raises Mistake if the node still runs after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    has_asked = False
    while running(home):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Mistake("The node has not stopped in time; `meshcoop log` says where to look.")
        if not has_asked:
            # NodeGone: the node does not listen yet, or it stops before it answers.
            with (
                suppress(NodeGone),
                Client(home.api_socket, left, any_program=True) as client,
            ):
                has_asked = True
                client.call(calls.Stop())
        time.sleep(_PAUSE)
    _reap()


def kill(home: Home) -> None:
    """Kills the node's process. Callers use this if the node does not answer."""
    holder = home.holder_pid()
    if holder is not None:
        with suppress(ProcessLookupError):
            os.kill(holder, signal.SIGKILL)


@contextmanager
def _log_of_start(home: Home) -> Iterator[Path]:
    """Gives the block of a `with` statement the path of the file to which a node writes while it
    starts. If the home keeps no log, the file is deleted after the block.
    """
    if not home.read_settings().no_log:
        put_away(home.log_file)
        yield home.log_file
        return
    try:
        yield home.start_log_file
    finally:
        home.start_log_file.unlink(missing_ok=True)


def _spawn(
    home: Home, log: Path, passphrase: str | None, program: Sequence[str]
) -> subprocess.Popen[bytes]:
    _reap()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with open(handle, "ab") as output:  # noqa: PTH123  # a handle, not a path
        child = subprocess.Popen(  # noqa: S603  # our own program
            [*program, "--home", str(home.path), "run"],
            stdin=subprocess.PIPE,
            # There it says its addresses, with its whole id. A log has the start of an id alone.
            stdout=subprocess.DEVNULL,
            stderr=output,
            env={**os.environ, PASSPHRASE_FILE: "/dev/stdin"},
            start_new_session=True,
        )
    _children.append(child)
    assert child.stdin is not None
    with suppress(BrokenPipeError), child.stdin as pipe:  # the child may end before it reads
        pipe.write((passphrase or "").encode() + b"\n")
    return child


def _await_ready(
    home: Home, log: Path, check_alive: Callable[[], None], tell: Callable[[str], None] | None
) -> int:
    """Waits until the node says through its API that it is ready. Returns the id of the node's
    process.

    If a node has much to do first, it writes its progress to its log. This function waits as long
    as the log grows. Raises Mistake if the node is silent for START_SECONDS.
    """
    began = time.monotonic()
    last_sign = began
    log_size = _size_of(log)
    while (left := last_sign + START_SECONDS - time.monotonic()) > 0:
        check_alive()
        if log_size != (new_size := _size_of(log)):
            # What the node writes from here on is told next time.
            line = _last_line(log, log_size, new_size)
            log_size = new_size
            if tell is not None and line and time.monotonic() - began > _QUIET_SECONDS:
                tell(line)
            last_sign = time.monotonic()
        with (
            suppress(NodeGone),
            Client(home.api_socket, left, any_program=True) as client,
        ):
            status = client.call(calls.Status())
            if status["ready"] is True:
                return int(status["pid"])
        time.sleep(_PAUSE)
    raise Mistake(
        "The node is still starting, and goes on in the background; `meshcoop log` says where to"
        " look."
    )


def _size_of(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _check_running(home: Home) -> None:
    if not running(home):
        raise _Ended("The node has ended before it was ready; `meshcoop log` says where to look.")


def _last_line(log: Path, start: int, end: int) -> str | None:
    """Returns the last line of the log between the bytes `start` and `end`. Returns None if there
    is no line.
    """
    start = max(start, end - _MAX_TAIL)
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read(max(0, end - start)).decode(errors="replace").split("\n")
    written = [line.strip() for line in lines if line.strip()]
    return written[-1] if written else None


def _reap() -> None:
    for child in list(_children):  # a copy, because another thread may start a child meanwhile
        if child.poll() is not None:
            with suppress(ValueError):
                _children.remove(child)
