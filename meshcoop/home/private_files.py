"""Makes and checks private files and folders: only their owner can read, change or enter them."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from meshcoop.errors import Mistake

# Mode bits that a folder may be forbidden to have.
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def write_private_file(path: Path, data: bytes) -> None:
    """Replaces the file at `path` by a file that holds `data`. Only its owner can read the new file
    (mode 0600).

    Afterwards, either the whole new file is on disk, or the old file is unchanged. If `path` is a
    link, replaces the link itself. Raises Mistake if the file cannot be written.
    """
    try:
        with open_replacement(path) as file:
            file.write(data)
    except OSError as error:
        raise Mistake(
            "{path} cannot be written: {strerror}; make room for it.",
            path=path,
            strerror=error.strerror,
        ) from None


@contextlib.contextmanager
def open_replacement(path: Path) -> Iterator[BinaryIO]:
    """Gives the block of the caller a new file to write to. Only its owner can read the file (mode
    0600).

    When the block ends, the whole new file is on disk at `path`. If the block raises an error, the
    file at `path` is unchanged. Raises OSError if the disk fails, or if the folder is a link.
    """
    name = path.name
    temporary = f".{name}-{secrets.token_hex(8)}"
    # Everything is done inside this one folder, even if somebody puts a link in its place meanwhile.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        try:
            with open(handle, "wb") as file:  # noqa: PTH123  # a handle, not a path
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)  # so that the new name survives a power cut too
    finally:
        os.close(folder)


def check_private_folder(folder: Path, forbidden: int) -> None:
    """Raises Mistake if `folder` is not a folder of this user, or if it has any of the mode bits
    `forbidden`.
    """
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise Mistake("{folder} is not a folder of yours; move it out of the way.", folder=folder)
    if status.st_mode & forbidden:
        raise Mistake(
            "Others can get at {folder}; keep them out with `chmod 700 {folder}`.", folder=folder
        )
