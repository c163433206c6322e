"""Places each record: into its device's log, or into the pool of waiting records.

Placement asks authority whether a record's device may write. If a device is certified only by a
record of the same batch, authority does not have the device yet. The device's records are then
deferred (`Batch.deferred`). The inbox folds the new authority records and places the deferred
records again.
"""

import logging
from dataclasses import dataclass, field

from meshcoop.fold.state import State
from meshcoop.fold.touched import Touched
from meshcoop.ingest import admission_gate, quota
from meshcoop.ingest.kept_content import Retention
from meshcoop.ingest.late_intake import LateIntake
from meshcoop.ingest.result import IngestResult, Refusal
from meshcoop.ingest.waiting_pool import WaitingPool
from meshcoop.store.logs import ABANDONED, DeviceLog
from meshcoop.store.records import StoredRecord
from protocol.errors import Refused
from protocol.record.envelope import OPEN, Record
from protocol.record.log import check_follows

_LOG = logging.getLogger(__name__)

_ANOTHER_HISTORY = "R-01.12"


@dataclass
class Batch:
    """The notes that each pass over a batch of records makes for the later passes."""

    result: IngestResult
    authority_is_stale: bool = False  # new authority records are not folded yet
    deferred: list[Record] = field(default_factory=list)  # to be placed after the next fold
    beyond_forks: list[Record] = field(default_factory=list)  # stored, but may be deleted
    # The ids of records that a retraction may be about.
    retractable: dict[bytes, None] = field(default_factory=dict)
    touched: Touched = field(default_factory=Touched)
    # Threads to fold that began in this batch, by the row of the root, with all their records. So
    # these records need not be read from the store.
    begun: dict[int, list[StoredRecord]] = field(default_factory=dict)
    dropped_devices: set[bytes] = field(default_factory=set)  # their records stay in the pool


class Placement:
    """Puts verified records into the store. A record that cannot be placed yet waits in `pool`."""

    def __init__(self, state: State, pool: WaitingPool, retention: Retention) -> None:
        self._state = state
        self._store = state.store
        self._pool = pool
        self._retention = retention
        self._late_intake = LateIntake(state)

    def can_place(self, record: Record) -> bool:
        """Returns whether a waiting record can be placed now."""
        if not admission_gate.is_storable(self._state, record):
            return False
        if self._is_kept_out(record):
            return False
        log = self._store.logs.find(record.header.device)
        if log is None:
            return record.header.seq <= 1
        if log.fork == ABANDONED:
            return False
        if log.fork is not None and record.header.seq >= log.fork:
            return True
        has_room = not self.is_late(record) or self._late_intake.has_room(record.header)
        return record.header.seq <= log.head.seq + 1 and has_room

    def is_late(self, record: Record) -> bool:
        """Returns whether a record lies beyond the cut of a removal that is not settled yet. Such
        records are placed last.
        """
        return self._late_intake.is_late(record.header)

    def place(self, record: Record, batch: Batch) -> None:
        """Places a record. There are four outcomes: the record is stored, waits until authority is
        folded, goes into the pool, or is refused.
        """
        seq = record.header.seq
        if record.id != self._state.neighbourhood and not admission_gate.is_storable(
            self._state, record
        ):
            if batch.authority_is_stale:
                batch.deferred.append(record)
            else:
                self._wait(record, batch)
            return
        if self._is_kept_out(record):
            self._pool.add(record)  # it is no gap: a round of sync would bring the same again
            return
        log = self._find_log(record.header.device)
        if log.fork == ABANDONED:
            self._pool.add(record)  # until the rest of the log is deleted
        elif log.fork is not None and seq >= log.fork:
            self._insert_beyond_fork(record, log, batch)
        elif log.ended is not None and seq > log.ended:
            refusal = Refused("R-03.15", "the log ended when it passed twice its quota")
            batch.result.refused.append(Refusal.of(refusal))
        elif seq <= log.head.seq:
            self._fork(record, log, batch)
        elif seq > log.head.seq + 1:
            self._wait(record, batch)
        else:
            self._append(record, log, batch)

    def note_stored(self, row: StoredRecord, batch: Batch) -> None:
        """Notes in the batch which threads and retractions a stored record may change."""
        record = row.record
        batch.result.stored.append(record)
        is_named = self._store.parents.has(record.id)  # if False, no record waited for this one
        self._join_thread(row, batch, is_named=is_named)
        if self._state.authority_fold.read(row):
            batch.authority_is_stale = True
        if is_named:
            batch.retractable[record.id] = None
        if record.about is not None and record.header.base_audience == OPEN:
            batch.retractable[record.about] = None

    def _find_log(self, device: bytes) -> DeviceLog:
        """Returns the log of a device. If the device has no log yet, makes a log. If a settled cut
        ends the device's log, notes this end in the log.
        """
        log = self._store.logs.find_or_add(device)
        authority = self._state.authority
        end = authority.settled.ends.get(device) if authority is not None else None
        if end is not None and self._store.end_log(device, end):
            log = self._store.logs.find_or_add(device)
        return log

    def _is_kept_out(self, record: Record) -> bool:
        """R-03.18: returns whether a record must wait outside the store, because the time that it
        claims is too far ahead.

        The charter never waits. Otherwise a home with a slow clock could not join at all.
        """
        is_charter = record.id == self._state.neighbourhood
        return not is_charter and self._state.clock_limit.keeps_out(record.header)

    def _wait(self, record: Record, batch: Batch) -> None:
        self._pool.add(record)
        batch.result.devices_with_gaps.add(record.header.device)

    def _append(self, record: Record, log: DeviceLog, batch: Batch) -> None:
        try:
            check_follows(log.head, record)
        except Refused as error:
            batch.result.refused.append(Refusal.of(error))
            if error.rule == _ANOTHER_HISTORY:
                batch.result.devices_with_gaps.add(log.device)
                batch.result.diverged_devices.add(log.device)
            return
        if not self._fits(record):
            refusal = Refused("R-08.8", "there is no room for what this neighbourhood sends")
            batch.result.refused.append(Refusal.of(refusal))
            return
        is_late = self.is_late(record)
        if is_late and not self._late_intake.has_room(record.header):
            self._pool.add(record)
            return
        share = quota.share(self._state.authority, record.header, log)
        row = self._store.append(record, log, share.day, over=share.over, ended=share.ends)
        if is_late:
            self._late_intake.note(record.header)
        self.note_stored(row, batch)

    def _fits(self, record: Record) -> bool:
        """R-08.8: returns whether there is room for a record. Open records always fit.

        Authority is folded from open records. Without these, the node could not tell members from
        strangers. The quotas of authors limit how many open records there are.
        """
        return record.header.base_audience == OPEN or not self._retention.is_full

    def _fork(self, record: Record, log: DeviceLog, batch: Batch) -> None:
        """Marks the log as forked, because the log already has another record with this record's
        number.
        """
        _LOG.warning("device %s forked its log at %d", log.device.hex(), record.header.seq)
        self._store.fork_log(log.device, record.header.seq)
        batch.begun.clear()
        batch.touched.logs.add(log.n)
        # Records of the device with this number or a higher one no longer count.
        batch.authority_is_stale = True
        self._insert_beyond_fork(record, self._store.logs.find_or_add(log.device), batch)

    def _insert_beyond_fork(self, record: Record, log: DeviceLog, batch: Batch) -> None:
        """R-01.14: stores a record at or beyond a fork. If the rule does not keep this record, a
        later pass deletes it.
        """
        row = self._store.insert(record, log.n, over=False)
        if self._state.authority_fold.read(row):  # a vote counts even beyond a fork
            batch.authority_is_stale = True
        batch.beyond_forks.append(record)

    def _join_thread(self, row: StoredRecord, batch: Batch, *, is_named: bool) -> None:
        """Notes that the record must be folded. If answers have arrived before the record, also
        notes that these answers must follow the record into its thread.
        """
        if row.root is None:
            return
        batch.touched.rows.add(row.n)
        if is_named:
            self._store.note_move(row.record.id)
            batch.begun.pop(row.root, None)
        elif row.root == row.n:
            batch.begun[row.n] = [row]
        elif row.root in batch.begun:
            batch.begun[row.root].append(row)
