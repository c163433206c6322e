"""The janitor: a process that outlives whatever may end its parent, and leaves nothing behind.

Run as a program with a folder, it waits until its standard input ends, stops the nodes of the
homes in the folder and removes it.
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
    """A folder for homes that is removed afterwards, even if this process is killed."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    janitor = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "meshcoop.dev.janitor", str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the parent, not for who cleans up
    )
    try:
        yield folder
    finally:
        # Closing the pipe is the sign; if the parent is killed, the system closes it.
        janitor.communicate(timeout=_CLEAN_SECONDS)


def _clean(folder: Path) -> None:
    """Waits until the parent has ended, then stops the nodes and removes all."""
    sys.stdin.read()
    gone = folder.with_name(f"{folder.name}-gone")
    with ExitStack() as held:
        # A node that was started just then may not hold its home yet: whoever comes now is late.
        for home in [Home(one) for one in folder.iterdir() if one.is_dir()]:
            _take(home, held)
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _take(home: Home, held: ExitStack) -> None:
    """Holds a home as its node would, once the node that holds it has ended."""
    while True:
        try:
            held.enter_context(home.lock())
        except Mistake:
            try:
                process.stop(home)
            except Mistake:
                process.kill(home)
        else:
            return


if __name__ == "__main__":
    _clean(Path(sys.argv[1]))
