"""What the quotas of devices are counted from, and what came of counting them."""

from typing import NamedTuple

from meshcoop.store.sqlite_connection import Connection


class CountedLog(NamedTuple):
    """A log in row `n`. `fork` is its lowest forked number, `ended` the last number that it may
    have; either may be None.
    """

    n: int
    device: bytes
    fork: int | None
    ended: int | None


class CountedRecord(NamedTuple):
    """A record in row `n`, in the thread of the root in row `root`. `over`: it lies above its
    device's quota.
    """

    n: int
    root: int | None
    over: bool
    header: bytes


class QuotaCounts:
    """Logs and records as quotas see them."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def logs(self) -> list[CountedLog]:
        """Every log."""
        rows = self._db.execute("SELECT n, device, fork, ended FROM logs")
        return [CountedLog(*row) for row in rows.fetchall()]

    def records_before_fork(self, log_n: int, fork: int | None) -> list[CountedRecord]:
        """The records of a log up to its fork, or all where it has none, in order of number."""
        rows = self._db.execute(
            "SELECT n, root, over, header FROM records"
            " WHERE log = ?1 AND (?2 IS NULL OR seq < ?2) ORDER BY seq",
            (log_n, fork),
        )
        return [CountedRecord(n, root, bool(over), header) for n, root, over, header in rows]

    def set_over(self, n: int, *, over: bool) -> None:
        """Notes whether the record in row `n` lies above its device's quota."""
        self._db.execute("UPDATE records SET over = ? WHERE n = ?", (over, n))

    def set_end(self, log_n: int, ended: int | None) -> None:
        """Notes the last number that a log may have; None: it goes on."""
        self._db.execute("UPDATE logs SET ended = ? WHERE n = ?", (ended, log_n))
