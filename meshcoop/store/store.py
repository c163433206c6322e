"""The store: records and their logs in SQLite, as a home and a relay keep them.

The store knows headers, not meanings. It never decides what may come in: `meshcoop.ingest.inbox`
does. Everything here is synchronous and short.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshcoop.store.database import Database
from meshcoop.store.logs import DeviceLog, Logs
from meshcoop.store.parents import Parents
from meshcoop.store.quota_counts import QuotaCounts
from meshcoop.store.records import Records, StoredRecord
from protocol.record import envelope
from protocol.record import log as record_log
from protocol.record.envelope import Record
from protocol.record.log import Head
from protocol.wire.have_map import LogHead


class Store(Database):
    """A database of records. Each of its parts is one table; what touches several is done here."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self.logs = Logs(self)
        self.records = Records(self)
        self.parents = Parents(self)

    def append(self, record: Record, log: DeviceLog, *, over: bool, ended: bool) -> StoredRecord:
        """Adds the next record of its log and counts it. `over`: it lies above its device's quota;
        `ended`: it is the last record of its log.
        """
        row = self.insert(record, log.n, over=over)
        self.logs.grow(log, record, ended=ended)
        return row

    def insert(self, record: Record, log_n: int, *, over: bool) -> StoredRecord:
        """Adds a record of a log without making it the log's head."""
        row = self.records.insert(record, log_n, over=over)
        self.parents.add(row.n, record.header.parents)
        return row

    @contextmanager
    def quota_counts(self) -> Iterator[QuotaCounts]:
        """What quotas are counted from, for all logs, within a transaction."""
        with self.logs.uncached():
            yield QuotaCounts(self.db)

    def heads(self) -> dict[bytes, LogHead]:
        """What sync compares: the head of every log, and what is kept of forks, by device."""
        return {
            log.device: LogHead(log.head.seq, log.head.id or b"", self._kept_of_fork(log))
            for log in self.logs.all()
            if log.head.seq or log.fork  # a log of which only later records came is none yet
        }

    def fork_log(self, device: bytes, seq: int) -> None:
        """Notes that the log of `device` was continued twice from before number `seq`: its head
        falls back there.
        """
        log = self.logs.find_or_add(device)
        fork = min(seq, log.fork or seq)
        before = self.records.header_at(log.n, fork - 1)
        head = None
        if before is not None:
            record_id, header = before
            head = Head(fork - 1, record_id, envelope.read_header(header).time)
        self.logs.fork(log, fork, head)
        # A home that heard of the fork first has counted nothing beyond it: all forget their counts.
        self.records.clear_over(log.n, fork)

    def prune_forks(self, named: set[bytes]) -> list[StoredRecord]:
        """Drops what R-01.14 does not keep of forked logs; returns what was dropped. The records
        that are `named` by records outside the store, which wait, are kept for them.
        """
        dropped: list[StoredRecord] = []
        # What was dropped may have been the only one that named another: again, until none goes.
        while rows := self._not_kept_of_forks(named):
            for row in rows:
                self._delete(row)
            dropped += rows
        return dropped

    def drop_log(self, device: bytes) -> list[StoredRecord]:
        """Takes a whole log out of the store; returns what was in it."""
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
