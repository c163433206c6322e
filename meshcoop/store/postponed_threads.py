"""The tables of records that wait to be folded again. The row of a root stands for its whole
thread.

There are two reasons to wait: a record has a time ahead of this home's clock, or there is too much
to fold at once.

A sweep is a walk along a log. All records of the log are to be folded again, a few at a time. The table says how far each walk has come. So if the node is killed, the
walk goes on there.
"""

from collections.abc import Iterable
from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = "CREATE TABLE IF NOT EXISTS held (root INTEGER PRIMARY KEY, due INTEGER NOT NULL)"
_SWEEPS_SCHEMA = """
CREATE TABLE IF NOT EXISTS sweeps (
    log INTEGER PRIMARY KEY, seq INTEGER NOT NULL, n INTEGER NOT NULL
)
"""


class PostponedThreads:
    """The table of waiting records. It maps the row of each record to the time (ms) at which the
    record is to be folded. The column of these rows is called `root` for a reason of history.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SCHEMA)

    def add(self, row: int, due: int) -> None:
        """Postpones a record until the time `due` (ms). If it is postponed to an earlier time
        already, that earlier time stays.
        """
        self._db.execute(
            "INSERT INTO held VALUES (?1, ?2) ON CONFLICT DO UPDATE SET due = min(due, ?2)",
            (row, due),
        )

    def add_due(self, rows: Iterable[int]) -> None:
        """Notes records that are to be folded as soon as possible."""
        self._db.executemany(
            "INSERT INTO held VALUES (?1, 0) ON CONFLICT DO UPDATE SET due = 0",
            list(zip(rows)),
        )

    def due(self, now: int) -> list[int]:
        """Returns the rows of the records to fold at the time `now` (ms), or earlier."""
        rows = self._db.execute("SELECT root FROM held WHERE due <= ?", (now,))
        return [row[0] for row in rows.fetchall()]

    def forget_due(self, now: int) -> None:
        """Deletes the records that were to be folded at the time `now` (ms), or earlier."""
        self._db.execute("DELETE FROM held WHERE due <= ?", (now,))

    def forget(self, rows: Iterable[int]) -> None:
        """Deletes records, no matter when they are to be folded."""
        self._db.executemany("DELETE FROM held WHERE root = ?", ((row,) for row in rows))


class LogPlace(NamedTuple):
    """A place in a log: the number of a record, and its row. Forked records share a number."""

    seq: int
    n: int


START = LogPlace(0, 0)


class Sweep(NamedTuple):
    """A walk along the log in row `log`. It goes on behind the place `after`."""

    log: int
    after: LogPlace


class Sweeps:
    """The table of sweeps, one for each log that is walked along."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SWEEPS_SCHEMA)

    def first(self) -> Sweep | None:
        """Returns one of the sweeps, or None if there is none."""
        row = self._db.execute("SELECT log, seq, n FROM sweeps ORDER BY log LIMIT 1").fetchone()
        return Sweep(row[0], LogPlace(row[1], row[2])) if row else None

    def set(self, log_n: int, after: LogPlace) -> None:
        """Notes that the walk along a log goes on behind a place. If a walk along this log is under
        way, it goes on from this place.
        """
        self._db.execute("INSERT OR REPLACE INTO sweeps VALUES (?, ?, ?)", (log_n, *after))

    def end(self, log_n: int) -> None:
        """Notes that the walk along a log is over."""
        self._db.execute("DELETE FROM sweeps WHERE log = ?", (log_n,))
