"""Two tables of records that wait to be folded again.

The first table has single records and roots. A root stands for its whole thread. A record in this
table waits because its time is ahead of this home's clock, or because there is too much to fold at
once.

The second table has sweeps. A sweep walks along a log and folds all its records again, a few at a
time. The table says how far each sweep has come. If the node is killed, the sweep goes on from
there.
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
    """The table of waiting records. The table maps the row of each record to the time (ms) at which
    the record is to be folded.

    The column of these rows is called `root`, because an earlier version postponed only whole
    threads.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SCHEMA)

    def add(self, row: int, due: int) -> None:
        """Postpones a record until the time `due` (ms). If the record already waits for an earlier
        time, that earlier time stays.
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
        """Returns the rows of the records that are to be folded at the time `now` (ms) or
        before.
        """
        rows = self._db.execute("SELECT root FROM held WHERE due <= ?", (now,))
        return [row[0] for row in rows.fetchall()]

    def forget_due(self, now: int) -> None:
        """Deletes the records that were to be folded at the time `now` (ms) or before."""
        self._db.execute("DELETE FROM held WHERE due <= ?", (now,))

    def forget(self, rows: Iterable[int]) -> None:
        """Deletes records from the table, no matter when they are to be folded."""
        self._db.executemany("DELETE FROM held WHERE root = ?", ((row,) for row in rows))


class LogPlace(NamedTuple):
    """A place in a log: the number of a record, and the row of the record. The row tells forked
    records with the same number apart.
    """

    seq: int
    n: int


START = LogPlace(0, 0)


class Sweep(NamedTuple):
    """A walk along the log in row `log`. The walk goes on after the place `after`."""

    log: int
    after: LogPlace


class Sweeps:
    """The table of sweeps. A log has at most one sweep."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.execute(_SWEEPS_SCHEMA)

    def first(self) -> Sweep | None:
        """Returns one of the sweeps, or None if the table is empty."""
        row = self._db.execute("SELECT log, seq, n FROM sweeps ORDER BY log LIMIT 1").fetchone()
        return Sweep(row[0], LogPlace(row[1], row[2])) if row else None

    def set(self, log_n: int, after: LogPlace) -> None:
        """Notes that the sweep of a log goes on after the place `after`. This replaces the place
        that was noted before for this log.
        """
        self._db.execute("INSERT OR REPLACE INTO sweeps VALUES (?, ?, ?)", (log_n, *after))

    def end(self, log_n: int) -> None:
        """Notes that the sweep of a log is over."""
        self._db.execute("DELETE FROM sweeps WHERE log = ?", (log_n,))
