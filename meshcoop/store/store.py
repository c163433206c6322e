"""The store of a home or a relay: records and their logs in SQLite.

The store reads the headers of records. It does not read their contents, and it does not decide
which records come in. `meshcoop.ingest.inbox` decides that. All calls are synchronous and short.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from meshcoop.store.database import Database
from meshcoop.store.disk_errors import raise_disk_errors
from meshcoop.store.logs import ABANDONED, DeviceLog, Logs
from meshcoop.store.moves import Moves
from meshcoop.store.parents import Parents
from meshcoop.store.postponed_threads import Sweeps
from meshcoop.store.quota_counts import QuotaCounts
from meshcoop.store.records import Records, StoredRecord
from protocol.record import envelope
from protocol.record import log as record_log
from protocol.record.envelope import Record
from protocol.record.log import LOG_START, Head
from protocol.wire.have_map import LogHead

NO_END = 2**62  # above the numbers of all records


class Named(NamedTuple):
    """R-01.14: tells which records of forked and ended logs the store keeps. The store also keeps
    the records that other logs name.

    `by_authority` are the ids of the records that authority keeps. `by_waiting` are the ids that
    waiting records name as parents. If a settled cut ends the log of a device, `ends` maps the
    device to the first number beyond the cut. `owners` maps each device to its person.
    """

    by_authority: AbstractSet[bytes] = frozenset()
    by_waiting: AbstractSet[bytes] = frozenset()
    ends: Mapping[bytes, int] = MappingProxyType({})
    owners: Mapping[bytes, bytes] = MappingProxyType({})

    def devices_beside(self, device: bytes) -> list[bytes]:
        """Returns the other devices of the person who owns a device."""
        person = self.owners.get(device)
        return [
            other for other, owner in self.owners.items() if owner == person and other != device
        ]


class MovedRecord(NamedTuple):
    """The record in row `n`, which has moved from one thread into another. A thread is given by the
    row of its root. This row is None if the record was in no thread before, or is in no thread now.
    """

    n: int
    before: int | None
    root: int | None


class Store(Database):
    """A database of records. Its attributes are the tables. Its methods change several tables at
    once.
    """

    def __init__(self, path: Path | str, key: bytes | None = None) -> None:
        super().__init__(path, key)
        with raise_disk_errors():
            self.logs = Logs(self)
            self.records = Records(self)
            self.parents = Parents(self)
            self.sweeps = Sweeps(self)
            self.moves = Moves(self)

    def append(
        self, record: Record, log: DeviceLog, day: int, *, over: bool, ended: bool
    ) -> StoredRecord:
        """Adds the next record of a log, and counts the record for the quota of a `day`.

        `over` says whether the record is above its device's quota. `ended` says whether this record
        is the last that the log may have.
        """
        row = self.insert(record, log.n, over=over)
        self.logs.grow(log, record, day, ended=ended)
        return row

    def insert(self, record: Record, log_n: int, *, over: bool) -> StoredRecord:
        """Adds a record of the log in row `log_n`, but does not make it the head of the log."""
        row = self.records.insert(record, log_n, over=over)
        self.parents.add(row.n, record.header.parents)
        return row

    @contextmanager
    def quota_counts(self) -> Iterator[QuotaCounts]:
        """Gives the block of a `with` statement the columns from which quotas are counted. A
        transaction must be running.
        """
        with self.logs.uncached():
            yield QuotaCounts(self.db)

    def heads(self) -> dict[bytes, LogHead]:
        """Returns what two nodes compare in sync: the head of each device's log.

        If a log is forked, the ids of its records at or beyond the fork come with the head.
        """
        return {
            log.device: LogHead(log.head.seq, log.head.id or b"", self._kept_of_fork(log))
            for log in self.logs.all()
            if log.head.seq or self._kept_of_fork(log)  # a log without any record does not count
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

    def end_log(self, device: bytes, number: int) -> bool:
        """R-03.35: ends the log of `device` before a number, as if the log were forked there.
        Returns whether this changes anything.
        """
        log = self.logs.find(device)
        if log is None or (log.fork is not None and log.fork <= number):
            return False
        head = log.head
        if head.seq >= number:
            before = self.records.header_at(log.n, number - 1)
            head = LOG_START
            if before is not None:
                head = Head(number - 1, before[0], envelope.read_header(before[1]).time)
        is_over_before = log.ended is not None and log.ended < number
        self.logs.end_before(log, number, head, log.ended if is_over_before else None)
        self.records.clear_over(log.n, number)
        return True

    def reopen_log(self, device: bytes, number: int) -> list[StoredRecord]:
        """Reopens a log that ended before a number. Deletes the records from this number on, and
        returns them. The caller must place these records again.
        """
        log = self.logs.find_or_add(device)
        rows = self.records.in_numbers(log.n, range(number, NO_END))
        for row in rows:
            self._delete(row)
        self.logs.reopen(device)
        return rows

    def note_move(self, record_id: bytes) -> None:
        """Notes that a record has joined a thread or left it. Its answers will have to follow."""
        if self.parents.has(record_id):
            self.moves.set(record_id)

    def move_answers(self, limit: int) -> list[MovedRecord]:
        """Moves answers into the threads of the records that they answer. Looks at about `limit`
        answers. Returns the answers that have moved.
        """
        moved: list[MovedRecord] = []
        left = limit
        while left > 0 and (move := self.moves.first()) is not None:
            root = self.records.root_of(move.id)
            answers = self.records.answers_after(move.id, move.after, left)
            for n, answer_id, before in answers:
                if before != root:
                    self.records.set_root(n, root)
                    self.note_move(answer_id)
                    moved.append(MovedRecord(n, before, root))
            if len(answers) < left:
                self.moves.end(move.id)
            else:
                self.moves.set(move.id, answers[-1][0])
            left -= len(answers) + 1
        return moved

    def prune(self, log: DeviceLog, numbers: range, named: Named) -> list[StoredRecord]:
        """Deletes those records of a forked, ended or abandoned log that R-01.14 does not keep. An
        abandoned log is from a device whose records the home no longer stores. Looks only at
        records with the given numbers. Returns the deleted records.

        A record may be kept only because another record names it. If that other record is deleted
        later, a later call deletes the first record too.
        """
        rows = self.records.in_numbers(log.n, numbers)
        if log.fork != ABANDONED:
            kept = self._kept(log, numbers, named)
            rows = [row for row in rows if row.record.id not in kept]
        for row in rows:
            self._delete(row)
        return rows

    def _delete(self, row: StoredRecord) -> None:
        self.records.delete(row)
        self.parents.remove(row.n, row.record.header.parents)
        self.note_move(row.record.id)

    def _kept_of_fork(self, log: DeviceLog) -> tuple[bytes, ...]:
        if not log.fork:
            return ()
        return self.records.ids_from(log.n, log.fork)

    def _kept(self, log: DeviceLog, numbers: range, named: Named) -> set[bytes]:
        assert log.fork is not None, "a log without an end keeps all records"
        has_ended = named.ends.get(log.device) == log.fork
        kin = named.devices_beside(log.device) if has_ended else []
        also_kept = named.by_authority if has_ended else named.by_authority | named.by_waiting
        forked = [
            record._replace(is_named=record.is_named or record.id in also_kept)
            for record in self.records.forked(log.n, log.fork, numbers, kin)
        ]
        return record_log.kept_ids(log.fork, forked, has_proof=not has_ended)
