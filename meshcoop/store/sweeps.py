"""The table of sweeps. A sweep is a walk along a log: all threads in which its device has written
are to be folded again, a few at a time.

The table says how far each walk has come. So a node that was killed goes on there.
"""

from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sweeps (
    log INTEGER PRIMARY KEY, seq INTEGER NOT NULL, n INTEGER NOT NULL
)
"""


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
        self._db.execute(_SCHEMA)

    def first(self) -> Sweep | None:
        """Returns one of the sweeps, or None if there is none."""
        row = self._db.execute("SELECT log, seq, n FROM sweeps ORDER BY log LIMIT 1").fetchone()
        return Sweep(row[0], LogPlace(row[1], row[2])) if row else None

    def set(self, log_n: int, after: LogPlace) -> None:
        """Notes that the walk along a log goes on behind a place. If one is under way, it goes on
        there.
        """
        self._db.execute("INSERT OR REPLACE INTO sweeps VALUES (?, ?, ?)", (log_n, *after))

    def end(self, log_n: int) -> None:
        """Notes that the walk along a log is over."""
        self._db.execute("DELETE FROM sweeps WHERE log = ?", (log_n,))
