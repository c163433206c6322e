"""The janitor: a process that cleans up after its parent process, even if somebody kills the
parent.

The parent starts this module as a program and names a folder. The janitor waits until its standard
input ends. Then it stops the nodes of the homes in the folder, and removes the folder.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.node import process

_CLEAN_SECONDS = 40


@contextmanager
def watched_folder(prefix: str) -> Iterator[Path]:
    """Makes a folder for homes, and starts a janitor process for it. The janitor later removes the
    folder, even if somebody kills the process that made it.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    janitor = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "meshcoop.dev.janitor", str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the parent, not for the process that cleans up
    )
    try:
        yield folder
    finally:
        # The janitor begins when the pipe closes. If the parent is killed, the system closes it.
        janitor.communicate(timeout=_CLEAN_SECONDS)


def _clean_up(folder: Path) -> None:
    """Waits until the parent has ended. Then stops the nodes and removes the folder."""
    sys.stdin.read()
    removed = folder.with_name(f"{folder.name}-gone")
    with ExitStack() as locks:
        # A node that has just been started may not have locked its home yet. Such a node finds the
        # home locked or the folder renamed, and ends by itself.
        for home in [Home(path) for path in folder.iterdir() if path.is_dir()]:
            _lock_home(home, locks)
        folder.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


def _lock_home(home: Home, locks: ExitStack) -> None:
    """Stops the node of a home and takes the lock of the home."""
    while True:
        try:
            locks.enter_context(home.lock())
        except Mistake:
            try:
                process.stop(home)
            except Mistake:
                process.kill(home)
        else:
            return


if __name__ == "__main__":
    _clean_up(Path(sys.argv[1]))
