"""The version of the program as it lies on the disk. A node and a command compare their versions: a
node that was started before an upgrade still is the old program.
"""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_PACKAGES = ("meshcoop", "protocol")  # what a node and a command are made of


@cache
def program_version() -> str:
    """Returns a text that is another one after an upgrade. It is derived from the name, the size
    and the time of change of each source file.
    """
    hasher = hashlib.sha256(b"meshcoop program 1\0")
    root = Path(__file__).parent.parent
    for package in _PACKAGES:
        for line in sorted(_describe_sources(root / package, package)):
            hasher.update(line.encode())
    return hasher.hexdigest()[:16]


def _describe_sources(folder: Path, name: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _describe_sources(Path(entry.path), f"{name}/{entry.name}")
            elif entry.name.endswith(".py"):
                status = entry.stat()
                yield f"{name}/{entry.name}\0{status.st_size}\0{status.st_mtime_ns}\n"
