"""The store of a home or a relay: records and their logs in SQLite.

The store reads the headers of records, not their contents. It does not decide which records come
in. `meshcoop.ingest.inbox` decides that. All calls are synchronous and short.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshcoop.store.database import Database
from meshcoop.store.disk_errors import raise_disk_errors
from meshcoop.store.logs import DeviceLog, Logs
from meshcoop.store.parents import Parents
from meshcoop.store.postponed_threads import Sweeps
from meshcoop.store.quota_counts import QuotaCounts
from meshcoop.store.records import Records, StoredRecord
from protocol.record import envelope
from protocol.record import log as record_log
from protocol.record.envelope import Record
from protocol.record.log import Head
from protocol.wire.have_map import LogHead


class Store(Database):
    """A database of records. Each of its attributes is one table. The methods here change several
    tables at once.
    """

    def __init__(self, path: Path | str, key: bytes | None = None) -> None:
        super().__init__(path, key)
        with raise_disk_errors():
            self.logs = Logs(self)
            self.records = Records(self)
            self.parents = Parents(self)
            self.sweeps = Sweeps(self)

    def append(self, record: Record, log: DeviceLog, *, over: bool, ended: bool) -> StoredRecord:
        """Adds the next record of a log, and counts the record for the quota.

        `over` says whether the record is above its device's quota. `ended` says whether it is the
        last record that the log may have.
        """
        row = self.insert(record, log.n, over=over)
        self.logs.grow(log, record, ended=ended)
        return row

    def insert(self, record: Record, log_n: int, *, over: bool) -> StoredRecord:
        """Adds a record of the log in row `log_n`, but does not make it the head of the log."""
        row = self.records.insert(record, log_n, over=over)
        self.parents.add(row.n, record.header.parents)
        return row

    @contextmanager
    def quota_counts(self) -> Iterator[QuotaCounts]:
        """Gives the block of a `with` statement the columns from which quotas are counted. Needs a
        running transaction.
        """
        with self.logs.uncached():
            yield QuotaCounts(self.db)

    def heads(self) -> dict[bytes, LogHead]:
        """Returns what two nodes compare in sync: for each device, the head of its log.

        If the log is forked, the head comes with the ids of the records kept from the fork on.
        """
        return {
            log.device: LogHead(log.head.seq, log.head.id or b"", self._kept_of_fork(log))
            for log in self.logs.all()
            if log.head.seq or log.fork  # a log whose first record is missing does not count yet
        }

    def fork_log(self, device: bytes, seq: int) -> None:
        """Notes that the log of `device` has two records with the number `seq`.

        The record before the fork becomes the head of the log.
        """
        log = self.logs.find_or_add(device)
        fork = min(seq, log.fork or seq)
        before = self.records.header_at(log.n, fork - 1)
        head = None
        if before is not None:
            record_id, header = before
            head = Head(fork - 1, record_id, envelope.read_header(header).time)
        self.logs.fork(log, fork, head)
        # Another home may have learnt of the fork before these records came. That home has not
        # counted them for the quota. So every home clears these marks, and all homes agree.
        self.records.clear_over(log.n, fork)

    def prune_forks(self, named: set[bytes]) -> list[StoredRecord]:
        """Deletes the records of forked logs that R-01.14 does not keep. Returns the deleted
        records.

        `named` are ids of further records to keep, such as those that waiting records name as
        parents.
        """
        dropped: list[StoredRecord] = []
        # Some records are kept only because another record names them. If that other record is
        # deleted, the next turn of this loop deletes them too.
        while rows := self._not_kept_of_forks(named):
            for row in rows:
                self._delete(row)
            dropped += rows
        return dropped

    def drop_log(self, device: bytes) -> list[StoredRecord]:
        """Deletes the log of `device` with all its records. Returns these records."""
        rows = self.records.whole_log(device)
        for row in rows:
            self._delete(row)
        self.logs.delete(device)
        return rows

    def _delete(self, row: StoredRecord) -> None:
        self.records.delete(row)
        self.parents.remove(row.n)

    def _kept_of_fork(self, log: DeviceLog) -> tuple[bytes, ...]:
        if not log.fork:
            return ()
        return tuple(kept.id for kept in self.records.forked(log.n, log.fork))

    def _not_kept_of_forks(self, named: set[bytes]) -> list[StoredRecord]:
        rows: list[StoredRecord] = []
        for log in self.logs.all():
            if log.fork is None:
                continue
            forked = [
                record._replace(is_named=record.is_named or record.id in named)
                for record in self.records.forked(log.n, log.fork)
            ]
            kept = record_log.kept_ids(log.fork, forked)
            gone = [self.records.find(record.id) for record in forked if record.id not in kept]
            rows += [row for row in gone if row is not None]
        return rows
