"""Errors of the disk: the disk is full, or the bytes that it returns differ from those written."""

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from meshcoop.errors import Mistake

# The base class of all database errors. With it, nobody outside the store imports sqlite3.
StoreError = sqlite3.Error

_LOG = logging.getLogger(__name__)

_NUMBERS_OF_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
_SIGNS_OF_NO_ROOM = ("full", "disk i/o error", "readonly", "unable to open")


class NoRoom(Mistake):
    """The disk is full or cannot be written to. Nothing was stored."""

    def __init__(self) -> None:
        super().__init__("The disk is full or cannot be written to; make room, then try again.")


class Damaged(Mistake):
    """The store holds other bytes than were once written. At its next start, the node rebuilds the
    store.
    """

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The store is damaged ({why}); `meshcoop down` and `meshcoop up` mend it, with what"
            " the neighbours' nodes hold."
        )


def disk_error_of(error: BaseException) -> Mistake | None:
    """Turns an error of the database or of a file into NoRoom or Damaged, if the disk caused it.

    Returns None if anything else caused it.
    """
    if isinstance(error, OSError) and error.errno in _NUMBERS_OF_NO_ROOM:
        return NoRoom()
    if not isinstance(error, sqlite3.DatabaseError):
        return None
    message = str(error).lower()
    if isinstance(error, sqlite3.OperationalError) and _tells_of_no_room(message):
        return NoRoom()
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        return None  # a bug in meshcoop, not the disk
    return Damaged(message)


@contextmanager
def log_disk_errors(what: str) -> Iterator[None]:
    """Runs the block of a `with` statement, which is a background task. If the disk fails, logs the
    error and does not raise it.

    The log entry begins with `what`: a text that says what the error leads to. The caller tries the
    task again later.
    """
    try:
        yield
    except (NoRoom, Damaged) as disk_error:
        _LOG.error("%s: %s", what, disk_error.sentence)
    except StoreError as error:
        mistake = disk_error_of(error)
        if mistake is None:
            raise
        _LOG.error("%s: %s", what, mistake.sentence)


def _tells_of_no_room(message: str) -> bool:
    return any(sign in message for sign in _SIGNS_OF_NO_ROOM)
