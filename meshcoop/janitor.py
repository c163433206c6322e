"""The janitor: a process that outlives whatever may end its parent, and leaves nothing behind.

Run as a program with a folder, it waits until its standard input ends, stops the nodes of the
homes in the folder and removes it.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshcoop import process
from meshcoop.config import Home
from meshcoop.errors import Mistake

_CLEAN_SECONDS = 40
_QUIET_SECONDS = 1


@contextmanager
def watched_folder(prefix: str) -> Iterator[Path]:
    """A folder that is removed afterwards, even if this process is killed."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    janitor = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "meshcoop.janitor", str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the parent, not for who cleans up
    )
    try:
        yield folder
    finally:
        # Closing the pipe is the sign; if the parent is killed, the system closes it.
        janitor.communicate(timeout=_CLEAN_SECONDS)


def _clean(folder: Path) -> None:
    """Waits until the parent has ended, however it did, then stops its nodes and removes all."""
    sys.stdin.read()
    quiet_since = time.monotonic()
    # A command of the parent may be about to start a node: look until it has been quiet a while.
    while time.monotonic() - quiet_since < _QUIET_SECONDS:
        for home in [Home(one) for one in folder.iterdir() if one.is_dir()]:
            if process.running(home):
                quiet_since = time.monotonic()
                try:
                    process.stop(home)
                except Mistake:
                    process.kill(home)
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _clean(Path(sys.argv[1]))
