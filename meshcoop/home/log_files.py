"""The log files of a home. A log is kept for 14 days, and is limited in size (R-01.28d)."""

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from logging.handlers import BaseRotatingHandler
from pathlib import Path

from protocol.log_lines import guard_log

KEPT_DAYS = 14
MAX_BYTES = 1024 * 1024  # strangers who cause many entries must not fill the disk

_STANDARD_ERROR = 2  # the number of its file


class LogFile(BaseRotatingHandler):
    """Writes a log. The file at `path` holds the entries of the day. Each earlier day has a file
    beside it, with the day at the end of the file's name. All days are in UTC.

    If the file gets full before the day ends, it is renamed to the file of this day, and a new file
    begins. An earlier part of the same day is then lost. Entries are made safe before they are
    written (`guard_log`). `clock` returns seconds since 1970.
    """

    def __init__(
        self,
        path: Path,
        formatter: logging.Formatter | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        put_away(path, clock())
        super().__init__(path, "a", encoding="utf-8", delay=True)
        guard_log(self, formatter)
        self._path = path
        self._clock = clock
        self._day = _day_of(clock())

    def turn_day(self) -> None:
        """Begins a new file if a new day has begun. Deletes the files that are too old. The node
        calls this at intervals, because no entry may come for a long time.
        """
        with suppress(OSError):
            self.acquire()
            try:
                if _day_of(self._clock()) != self._day:
                    self.doRollover()
            finally:
                self.release()

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 -- its name in logging
        """Returns whether an entry belongs into a new file, because the day is over or the file is
        full.
        """
        del record
        is_full = self._path.exists() and self._path.stat().st_size >= MAX_BYTES
        return is_full or _day_of(self._clock()) != self._day

    def doRollover(self) -> None:  # noqa: N802 -- its name in logging
        """Begins a new file."""
        if self.stream is not None:
            self.stream.close()
        is_standard_error = _is_standard_error(self._path)
        if self._path.exists():
            self._path.replace(_path_of_day(self._path, self._day))
        self._day = _day_of(self._clock())
        put_away(self._path, self._clock())
        self.stream = self._open()
        if is_standard_error:
            # Otherwise the words of a crash would go into the file of an earlier day.
            os.dup2(self.stream.fileno(), _STANDARD_ERROR)


def put_away(path: Path, now: float | None = None) -> None:
    """If the last entry of a log is of an earlier day, adds this day to the name of the file.
    Deletes the files of days that are too long past.

    `now` is in seconds since 1970. Without `now`, the clock of the machine is used. If the disk
    fails, raises nothing, so that the node starts all the same.
    """
    today = _day_of(time.time() if now is None else now)
    with suppress(OSError):
        last_day = _day_of(path.stat().st_mtime)
        if last_day < today:
            path.replace(_path_of_day(path, last_day))
    for older in path.parent.glob(f"{path.name}.*"):
        day = _day_in_name(older)
        if day is None or day <= today - timedelta(days=KEPT_DAYS):
            with suppress(OSError):
                older.unlink()


def erase_log(path: Path) -> None:
    """Deletes the log at `path`, and the files of all earlier days."""
    for file in [path, *path.parent.glob(f"{path.name}.*")]:
        with suppress(OSError):
            file.unlink()


def _path_of_day(path: Path, day: date) -> Path:
    return path.with_name(f"{path.name}.{day.isoformat()}")


def _day_in_name(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.suffix.removeprefix("."))
    except ValueError:
        return None


def _day_of(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _is_standard_error(path: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(_STANDARD_ERROR))
    except OSError:
        return False
