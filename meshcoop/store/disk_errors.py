"""Errors of the disk. There are two sorts: an obstacle, and damage.

With an obstacle, the store cannot be used for the moment; later it is as good as before. With
damage, the disk returns other bytes than were written. SQLite's result codes tell the two apart.
Only a damaged store is rebuilt.
"""

import errno
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from meshcoop.errors import Mistake

# The driver has the interface of sqlite3, but its own classes of errors. It ships no types.
if TYPE_CHECKING:
    import sqlite3 as _driver
else:
    from sqlcipher3 import dbapi2 as _driver

# The base class of all database errors. With it, nobody outside the store imports the _driver.
StoreError = _driver.Error
# Raised among others if a table is missing.
StatementError = _driver.OperationalError

_LOG = logging.getLogger(__name__)

_READONLY_DBMOVED = 8 | 4 << 8  # the driver has no name for it
_PRIMARY = 0xFF  # the bits of a result code that name the error; the others only say more

_FULL = "The disk is full; make room, then try again."
_FAILS = "The disk fails ({reason}); make room and check the disk, then try again."
_TAKEN = "Another program uses the store ({reason}); end that program, then try again."
_CLOSED = (
    "The store cannot be opened or written ({reason}); check who owns it, and whether the disk is"
    " read-only, then try again."
)
_MOVED = (
    "The store's file was moved or removed while the node ran; put it back, then `meshcoop down` and"
    " `meshcoop up`."
)
_MEMORY = "This machine has no memory left ({reason}); end some programs, then try again."

# By result code. A code that says more comes before the code of its whole group.
OBSTACLES: Mapping[int, str] = MappingProxyType(
    {
        _driver.SQLITE_FULL: _FULL,
        _driver.SQLITE_IOERR: _FAILS,
        _driver.SQLITE_BUSY: _TAKEN,
        _driver.SQLITE_LOCKED: _TAKEN,
        _driver.SQLITE_PROTOCOL: _TAKEN,
        _driver.SQLITE_CANTOPEN: _CLOSED,
        _driver.SQLITE_READONLY: _CLOSED,
        _READONLY_DBMOVED: _MOVED,
        _driver.SQLITE_PERM: _CLOSED,
        _driver.SQLITE_AUTH: _CLOSED,
        _driver.SQLITE_NOLFS: _CLOSED,
        _driver.SQLITE_NOMEM: _MEMORY,
    }
)

# By the number of an error of the system.
_OBSTACLES_OF_FILES: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOSPC: _FULL,
        errno.EDQUOT: _FULL,
        errno.EFBIG: _FULL,
        errno.EIO: _FAILS,
        errno.EROFS: "The disk is read-only; mount it so that it can be written to, then try again.",
    }
)

DAMAGES = frozenset({_driver.SQLITE_CORRUPT, _driver.SQLITE_NOTADB})


class Obstacle(Mistake):
    """Raised if something keeps the store from being used. Nothing was stored, and nothing is
    damaged.
    """


class Damaged(Mistake):
    """Raised if the store holds other bytes than were once written. At its next start, the node
    rebuilds the store.
    """

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The store is damaged ({why}); `meshcoop down` and `meshcoop up` mend it, with what"
            " the neighbours' nodes hold."
        )


def disk_error_of(error: BaseException) -> Mistake | None:
    """Turns an error of the database or of a file into Obstacle or Damaged. Returns None if the
    disk did not cause the error, but for example a bug in meshcoop.
    """
    if isinstance(error, OSError):
        sentence = _OBSTACLES_OF_FILES.get(error.errno or 0)
        return Obstacle(sentence, reason=error.strerror) if sentence else None
    if not isinstance(error, StoreError):
        return None
    # Python's own errors, such as the use of a closed database, have no result code.
    code = getattr(error, "sqlite_errorcode", _driver.SQLITE_MISUSE)
    if code & _PRIMARY in DAMAGES:
        return Damaged(str(error))
    sentence = OBSTACLES.get(code) or OBSTACLES.get(code & _PRIMARY)
    return Obstacle(sentence, reason=str(error)) if sentence else None


@contextmanager
def raise_disk_errors() -> Iterator[None]:
    """Runs the block of a `with` statement. If the disk fails meanwhile, raises Obstacle or
    Damaged.
    """
    try:
        yield
    except StoreError as error:
        disk_error = disk_error_of(error)
        if disk_error is None:
            raise
        raise disk_error from error


@contextmanager
def log_disk_errors(what: str) -> Iterator[None]:
    """Runs the block of a `with` statement, which is a background task. If the disk fails, logs the
    error and does not raise it.

    The log entry begins with `what`: a text that says what the error leads to. The caller tries the
    task again later.
    """
    try:
        with raise_disk_errors():
            yield
    except (Obstacle, Damaged) as disk_error:
        _LOG.error("%s: %s", what, disk_error.sentence)
