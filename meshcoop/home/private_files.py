"""Files and folders that only their owner can enter, read or change."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from meshcoop.errors import Mistake

# Mode bits that a folder may be forbidden to have.
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def write_private_file(path: Path, data: bytes) -> None:
    """Replaces the file at `path` by one with `data` that only its owner can read (0600).

    The new file is whole and on disk, or the old one is untouched. A link at `path` is replaced,
    not followed. Raises Mistake.
    """
    try:
        with open_replacement(path) as file:
            file.write(data)
    except OSError as error:
        raise Mistake(f"{path} cannot be written: {error.strerror}; make room for it.") from None


@contextlib.contextmanager
def open_replacement(path: Path) -> Iterator[BinaryIO]:
    """Yields a new file that only its owner can read (0600). The block writes to it.

    When the block ends, the new file stands at `path`, whole and on disk. If the block raises,
    `path` is untouched. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    temporary = Path(name)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # a handle, not a path
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # so that the new name survives a power cut too
    finally:
        os.close(folder)


def check_private_folder(folder: Path, forbidden: int) -> None:
    """Raises Mistake unless `folder` is a folder of this user and has none of the `forbidden` mode
    bits.
    """
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise Mistake(f"{folder} is not a folder of yours; move it out of the way.")
    if status.st_mode & forbidden:
        raise Mistake(f"Others can get at {folder}; keep them out with `chmod 700 {folder}`.")
