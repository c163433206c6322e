"""The table of logs: one row for each device. A row has the log's head, its fork and its use of the
quota.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from meshcoop.store.database import Database
from protocol.record import log as record_log
from protocol.record.envelope import Header, Record
from protocol.record.log import Head

_SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (
    n INTEGER PRIMARY KEY, device BLOB NOT NULL UNIQUE,
    seq INTEGER NOT NULL, id BLOB, time INTEGER NOT NULL,
    day INTEGER NOT NULL, records INTEGER NOT NULL, bytes INTEGER NOT NULL,
    automatic_records INTEGER NOT NULL, automatic_bytes INTEGER NOT NULL,
    fork INTEGER, ended INTEGER
);
"""


# An abandoned log has this number as its fork. No record has such a low number, so nothing of the log
# counts. Its records are deleted a few at a time, and then the log itself.
ABANDONED = 0


class Used(NamedTuple):
    """How much of a quota a log has used on one day: a number of records, and their bytes."""

    records: int = 0
    bytes: int = 0

    def plus(self, fields: Header) -> "Used":
        """Returns how much of the quota is used after one more record. `fields` is the header of
        that record.
        """
        return Used(self.records + 1, self.bytes + fields.size)


class DeviceLog(NamedTuple):
    """One device's log, in row `n`.

    `day` is the day of the log's head, counted since 1970. On that day, the log has used
    `by_person` of the quota for the person's records. It has used `by_software` of the quota for
    records that software signed by itself (R-03.15i).

    `fork` is the log's lowest forked number, ABANDONED, or None. `ended` is the number of the
    record with which the log used more than twice the quota, or None. No record after this record
    is stored.
    """

    n: int
    device: bytes
    head: Head
    day: int
    by_person: Used
    by_software: Used
    fork: int | None
    ended: int | None

    def used_with(self, fields: Header, day: int) -> Used:
        """Returns how much of the quota of a `day` the log uses after one more record. `fields` is
        the header of that record.
        """
        if day != self.day:
            return Used().plus(fields)
        return (self.by_software if fields.is_automatic else self.by_person).plus(fields)


class Logs:
    """The table of logs. While a transaction runs, rows are read through a cache.

    Most records of a batch belong to the same log. Without the cache, each record would read and
    write the row of this log.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)
        self._is_caching = False
        self._cached: dict[bytes, DeviceLog] = {}
        self._unwritten: set[bytes] = set()  # devices whose logs have grown only in the cache
        database.add_cache(self)

    # -- reading ----------------------------------------------------------------------------------

    def find(self, device: bytes) -> DeviceLog | None:
        """Returns the log of `device`, or None."""
        log = self._cached.get(device)
        if log is None:
            row = self._db.execute("SELECT * FROM logs WHERE device = ?", (device,)).fetchone()
            log = _read_log(row) if row else None
            if log is not None and self._is_caching:
                self._cached[device] = log
        return log

    def all(self) -> list[DeviceLog]:
        """Returns all logs."""
        self.flush()
        return [_read_log(row) for row in self._db.execute("SELECT * FROM logs")]

    def writers(self) -> list[bytes]:
        """Returns the devices that have written a record: their log has a record here, or a
        fork.
        """
        self.flush()
        rows = self._db.execute("SELECT device FROM logs WHERE seq > 0 OR fork NOT NULL")
        return [row[0] for row in rows]

    def forks(self) -> dict[bytes, int]:
        """Returns a map with the device and the lowest forked number of each forked log."""
        self.flush()
        return dict(self._db.execute("SELECT device, fork FROM logs WHERE fork IS NOT NULL"))

    # -- writing ----------------------------------------------------------------------------------

    def find_or_add(self, device: bytes) -> DeviceLog:
        """Returns the log of `device`. Adds an empty log if there is none."""
        log = self.find(device)
        if log is None:
            self._db.execute(
                "INSERT INTO logs (device, seq, id, time, day, records, bytes,"
                " automatic_records, automatic_bytes) VALUES (?, 0, NULL, 0, 0, 0, 0, 0, 0)",
                (device,),
            )
            log = self.find(device)
            assert log is not None, "the log has just been added"
        return log

    def grow(self, log: DeviceLog, record: Record, day: int, *, ended: bool) -> None:
        """Makes the record the head of its log, and counts it for the quota of a `day`.

        `ended` says whether this record is the last that the log may have.
        """
        fields = record.header
        same_day = log if day == log.day else log._replace(by_person=Used(), by_software=Used())
        used = log.used_with(fields, day)
        self._cached[log.device] = log._replace(
            head=Head(fields.seq, record.id, fields.time),
            day=day,
            by_person=same_day.by_person if fields.is_automatic else used,
            by_software=used if fields.is_automatic else same_day.by_software,
            ended=fields.seq if ended else log.ended,
        )
        self._unwritten.add(log.device)
        if not self._is_caching:
            self.flush()
            self.end()

    def fork(self, log: DeviceLog, seq: int, head: Head | None) -> None:
        """Notes that the log has two records with the number `seq`.

        `head` is the record before these two. If `seq` is the first number, `head` is None.
        """
        self.flush()
        self._db.execute(
            "UPDATE logs SET fork = ?, seq = ?, id = ?, time = ?, ended = NULL WHERE n = ?",
            (seq, *(head or record_log.LOG_START), log.n),
        )
        self._cached.pop(log.device, None)

    def end_before(self, log: DeviceLog, number: int, head: Head, ended: int | None) -> None:
        """Notes that a log ends before a number, as if the log were forked there. `head` is the
        head of the log from now on. `ended` is the last number that the quota allows, or None.
        """
        self.flush()
        self._db.execute(
            "UPDATE logs SET fork = ?, seq = ?, id = ?, time = ?, ended = ? WHERE n = ?",
            (number, *head, ended, log.n),
        )
        self._cached.pop(log.device, None)

    def abandon(self, device: bytes) -> None:
        """Notes that the store gives up all records of the log of `device`, although some are not
        deleted yet.
        """
        log = self.find(device)
        assert log is not None, "only a log that exists is abandoned"
        self.end_before(log, ABANDONED, record_log.LOG_START, None)

    def reopen(self, device: bytes) -> None:
        """Removes the note that the log of `device` is forked or ends."""
        self.flush()
        self._db.execute("UPDATE logs SET fork = NULL WHERE device = ?", (device,))
        self._cached.pop(device, None)

    def delete(self, device: bytes) -> None:
        """Deletes the log of `device`."""
        self._db.execute("DELETE FROM logs WHERE device = ?", (device,))
        self._cached.pop(device, None)
        self._unwritten.discard(device)

    # -- the cache --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts to cache logs. Until the transaction ends, no other code may write to the
        table.
        """
        self._is_caching = True
        self._cached = {}

    def flush(self) -> None:
        """Writes the changed logs from the cache to the table."""
        grown = [self._cached[device] for device in self._unwritten]
        self._unwritten = set()
        self._db.executemany(
            "UPDATE logs SET seq = ?, id = ?, time = ?, day = ?, records = ?, bytes = ?,"
            " automatic_records = ?, automatic_bytes = ?, ended = ? WHERE n = ?",
            [
                (*log.head, log.day, *log.by_person, *log.by_software, log.ended, log.n)
                for log in grown
            ],
        )

    def end(self) -> None:
        """Empties the cache and stops caching. Changes that were not flushed are lost."""
        self._is_caching = False
        self._cached = {}
        self._unwritten = set()

    @contextmanager
    def uncached(self) -> Iterator[None]:
        """Lets the caller write to the table directly in the block of a `with` statement. A
        transaction must be running.
        """
        self.flush()
        yield
        self.begin()


def _read_log(
    row: tuple[int, bytes, int, bytes | None, int, int, int, int, int, int, int | None, int | None],
) -> DeviceLog:
    n, device, seq, head_id, time, day, *used, fork, ended = row
    by_person, by_software = Used(*used[:2]), Used(*used[2:])
    return DeviceLog(n, device, Head(seq, head_id, time), day, by_person, by_software, fork, ended)
