"""The columns of logs and records from which the use of quotas is counted."""

from typing import NamedTuple

from meshcoop.store.logs import Used
from meshcoop.store.sqlite_connection import Connection


class CountedLog(NamedTuple):
    """The log in row `n`. `fork` is the log's lowest forked number, or None. `ended` is the last
    number that the log may have, or None.
    """

    n: int
    device: bytes
    fork: int | None
    ended: int | None


class CountedRecord(NamedTuple):
    """The record in row `n`. `root` is the row of its thread's root, or None. `over` says whether
    the record is above its device's quota.
    """

    n: int
    root: int | None
    over: bool
    header: bytes


class QuotaCounts:
    """The tables of logs and of records, with only the columns that quotas need."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def find_log(self, n: int) -> CountedLog | None:
        """Returns the log in row `n`, or None if it was deleted."""
        row = self._db.execute(
            "SELECT n, device, fork, ended FROM logs WHERE n = ?", (n,)
        ).fetchone()
        return CountedLog(*row) if row else None

    def records_before_fork(self, log: CountedLog, after: int, limit: int) -> list[CountedRecord]:
        """Returns the next records of a log, at most `limit` of them. The lowest number comes
        first.

        The numbers are above `after` and below the fork of the log.
        """
        rows = self._db.execute(
            "SELECT n, root, over, header FROM records WHERE log = ?1 AND seq > ?2"
            " AND (?3 IS NULL OR seq < ?3) ORDER BY seq LIMIT ?4",
            (log.n, after, log.fork, limit),
        )
        return [CountedRecord(n, root, bool(over), header) for n, root, over, header in rows]

    def set_over(self, n: int, *, over: bool) -> None:
        """Notes whether the record in row `n` is above its device's quota."""
        self._db.execute("UPDATE records SET over = ? WHERE n = ?", (over, n))

    def set_use(self, log_n: int, day: int, by_person: Used, by_software: Used) -> None:
        """Notes the day of a log's head. Also notes how many records and bytes of that day's quotas
        the log has used.
        """
        self._db.execute(
            "UPDATE logs SET day = ?, records = ?, bytes = ?, automatic_records = ?,"
            " automatic_bytes = ? WHERE n = ?",
            (day, *by_person, *by_software, log_n),
        )

    def set_end(self, log_n: int, ended: int | None) -> None:
        """Notes the last number that a log may have. The number None means that the log has
        no end.
        """
        self._db.execute("UPDATE logs SET ended = ? WHERE n = ?", (ended, log_n))
