"""The inbox is the only way into the store. It verifies, stores, folds and announces records.

Records come here from people of this home, from gossip, from sync and from joining. If a record
cannot be placed in its log yet, it waits in a bounded pool outside the store. If a rule forbids a
record, the inbox refuses the record and names the rule's number. The order in which records arrive
does not change the store or the views.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from meshcoop.fold.state import State
from meshcoop.fold.touched import Touched
from meshcoop.ingest import quota
from meshcoop.ingest.kept_content import KeepEverything, Retention
from meshcoop.ingest.placement import Batch, Placement
from meshcoop.ingest.result import IngestResult, Refusal
from meshcoop.ingest.signatures import Verified, verify
from meshcoop.ingest.waiting_pool import WaitingPool
from meshcoop.store.logs import ABANDONED
from meshcoop.store.records import StoredRecord
from meshcoop.store.store import NO_END, MovedRecord, Named
from protocol.errors import Refused
from protocol.record import envelope
from protocol.record.envelope import DAY_MS, Record
from protocol.record.sealing import EpochKey

AT_ONCE = 20  # records in one call, if the caller has a loop: a call is one step of the loop

_MOST_PLACED = 2 * AT_ONCE  # records in one step, if others may wait
_MOST_DELETED = 2 * AT_ONCE  # records in one step, if others may wait
_MOST_MOVED = 5 * AT_ONCE  # answers that follow their records in one step, if others may wait
_ROWS_FOR_EACH = 4  # rows without content that are read for each content to ask for

# The store's note: 1 if the quotas have changed, and 0 while all logs are counted again.
_RECOUNT = "recount"

# The store's note: 1 if forked logs may have records that are not kept, and 0 while all forked logs
# are looked through.
_PRUNE = "prune"

_LOG = logging.getLogger(__name__)


class MissingContents(NamedTuple):
    """The ids of records whose content is missing. The next search begins after the row
    `next_after`. If the search has reached the last row, `next_after` is 0, and the next search
    begins with the first row.
    """

    ids: list[bytes]
    next_after: int


class Inbox:
    """Takes records into a state. The state is the store and what is folded from the store.

    After records are safely stored, the inbox calls its listeners.
    """

    def __init__(self, state: State, retention: Retention | None = None) -> None:
        self.state = state
        self.store = state.store
        self.pool = WaitingPool()
        self.listeners: list[Callable[[IngestResult], None]] = []
        self._retention = retention or KeepEverything()
        self._placement = Placement(state, self.pool, self._retention)
        # Called when the pool may hold further records that can be placed. If it is None, nobody
        # would place them later, so `ingest` places all of them.
        self.on_left: Callable[[], None] | None = None
        self._day = state.now() // DAY_MS

    # -- the steps of taking something in ---------------------------------------------------------

    def ingest_wires(self, wires: Iterable[bytes]) -> IngestResult:
        """Parses, verifies, stores and folds records that came from a peer as bytes."""
        result = IngestResult()
        records = self.select_unknown(self.parse(wires, result))
        return self.ingest_verified(verify(records, self.state.neighbourhood), result)

    def ingest(self, records: Iterable[Record], *, durable: bool = False) -> IngestResult:
        """Verifies, stores and folds `records`. Also stores waiting records that can now be placed.

        When this returns, the stored records survive if the process is killed. With `durable`, they
        survive a power cut too.
        """
        verified = verify(self.select_unknown(records), self.state.neighbourhood)
        return self.ingest_verified(verified, IngestResult(), durable=durable)

    def parse(self, wires: Iterable[bytes], result: IngestResult) -> list[Record]:
        """Parses records. This is the first step of `ingest_wires`.

        Adds a refusal to `result.refused` for each malformed record.
        """
        records = []
        for wire in wires:
            try:
                records.append(envelope.parse(wire))
            except Refused as error:
                result.refused.append(Refusal.of(error))
        return records

    def select_unknown(self, records: Iterable[Record]) -> list[Record]:
        """Returns the records that are neither in the store nor in the pool of waiting records. If
        a record is given several times, returns it once. This is the second step of `ingest_wires`.
        """
        new: dict[bytes, Record] = {}
        for record in records:
            if record.id not in self.pool:
                new.setdefault(record.id, record)
        held = self.store.records.find_held(list(new))
        return [record for record in new.values() if record.id not in held]

    def ingest_verified(
        self, verified: Verified, result: IngestResult, *, durable: bool = False
    ) -> IngestResult:
        """Stores and folds the records that `verify` returned. This is the last step of
        `ingest_wires`.

        Skips records that came in another way while `verify` ran.
        """
        result.refused += verified.refused
        fresh = self.select_unknown(verified.genuine)
        # If no record is new, the waiting records are tried: an author may be a member by now.
        fresh = fresh or self._take_ready(0, set())
        if fresh:
            with self._all_or_nothing(durable=durable):
                self._store_and_fold(fresh, result)
        if result.stored:
            for listener in self.listeners:
                listener(result)
        return result

    def ingest_contents(self, items: Iterable[tuple[bytes, bytes]]) -> IngestResult:
        """Stores contents for records that are here without their content.

        `items` are pairs (record id, content). With the new contents, waiting records may become
        storable. The result tells what happened to these waiting records.
        """
        with self.store.transaction(durable=False):
            touched = Touched()
            has_acts = False
            for record_id, content in items:
                row = self._fill(record_id, content)
                if row is None:
                    continue
                has_acts = self.state.authority_fold.read(row) or has_acts
                touched.rows.add(row.n)
            if has_acts:
                touched.add(self.state.authority_fold.fold())
            self.state.thread_fold.fold_touched(touched)
        return self.ingest([])  # the contents may admit a device whose records wait

    def hold_keys(self, keys: Iterable[EpochKey]) -> None:
        """Keeps group keys that this home has received. Folds the threads that these keys open."""
        with self.store.transaction(durable=False):
            self.state.thread_fold.fold(self.state.epochs.hold(keys))
        for listener in self.listeners:
            listener(IngestResult())

    def missing_contents(self, after: int, limit: int) -> MissingContents:
        """Finds records without their content, except retracted records. Looks only in the rows
        above `after`, and finds at most `limit` records.

        One call reads only a few rows. So it may find fewer than `limit` records, although more
        records lack their content.
        """
        after = max(after, self._retention.released_row)
        most = _ROWS_FOR_EACH * limit
        rows = self.store.records.without_content(after, most)
        ids: list[bytes] = []
        for row in rows:
            if len(ids) == limit:
                return MissingContents(ids, after)
            after = row.n
            if not self.state.thread_fold.is_erased(row):
                ids.append(row.record.id)
        return MissingContents(ids, after if len(rows) == most else 0)

    @contextmanager
    def _all_or_nothing(self, *, durable: bool) -> Iterator[None]:
        """Runs the block of a `with` statement in a transaction. If the transaction fails, reads
        authority from the store again. Otherwise authority would contain records that are not
        stored.
        """
        try:
            with self.store.transaction(durable=durable):
                yield
        except BaseException:
            if not self.store.is_writing:
                self.state.authority_fold.read_again()
            raise

    def _fill(self, record_id: bytes, content: bytes) -> StoredRecord | None:
        """Stores the missing content of a record. Returns the record's row.

        Returns None if the content is not needed here, or if it does not match the record.
        """
        row = self.store.records.find(record_id)
        if row is None or row.record.content is not None or self.state.thread_fold.is_erased(row):
            return None
        try:
            envelope.check_content(row.record.header, content)
        except Refused as error:
            _LOG.info("content for %s: %s", record_id.hex(), error)
            return None
        self.store.records.set_content(record_id, content)
        return row._replace(record=row.record._replace(content=content))

    # -- the passes, one after another ------------------------------------------------------------

    def _store_and_fold(self, fresh: list[Record], result: IngestResult) -> None:
        """Places records, and then waiting records, until no more can be placed. Then folds the
        changed threads.
        """
        batch = Batch(result)
        placed = 0
        while fresh:
            placed += len(fresh)
            # A removed person's records beyond the cut are taken last (R-03.35d).
            for record in sorted(fresh, key=self._placement.is_late):
                self._placement.place(record, batch)
            self._prune_forks(batch)
            self._fold_authority(batch)
            fresh = [*batch.deferred, *self._take_ready(placed, batch.dropped_devices)]
            batch.deferred.clear()
        # The latest authority decides about retractions. So it is folded before they are applied.
        self._erase_retracted(batch)
        self._move_answers(batch)
        self.state.thread_fold.fold_touched(batch.touched, batch.begun)

    def move_in_steps(self) -> Iterator[None]:
        """Moves answers into the threads of records that have joined or left a thread, a few
        answers in each step. Folds the answers that have moved.
        """
        while self.store.moves.first() is not None:
            with self._all_or_nothing(durable=False):
                batch = Batch(IngestResult())
                self._note_moved(self.store.move_answers(_MOST_MOVED), batch)
                self.state.thread_fold.fold_touched(batch.touched)
            yield

    def has_awaited(self) -> bool:
        """Returns whether waiting records may have become due since the last call. A record waits
        if it claimed a time in the future, or if it was beyond a removed person's quota for a day.
        """
        today = self.state.now() // DAY_MS
        is_new_day = today != self._day
        self._day = today
        return self.state.clock_limit.take_awaited() or is_new_day

    def _take_ready(self, placed: int, dropped_devices: set[bytes]) -> list[Record]:
        """Takes from the pool of waiting records those that can now be placed. `placed` is the
        number of records that were placed earlier in this step. Records of `dropped_devices` stay
        in the pool until the next step.
        """

        def can_place(record: Record) -> bool:
            is_dropped = record.header.device in dropped_devices
            return not is_dropped and self._placement.can_place(record)

        if self.on_left is None:
            return self.pool.take_ready(can_place)
        ready = self.pool.take_ready(can_place, max(0, _MOST_PLACED - placed))
        if len(ready) + placed >= _MOST_PLACED and len(self.pool):
            self.on_left()
        return ready

    def _move_answers(self, batch: Batch) -> None:
        """Moves answers into the threads of records that have joined or left a thread. If there is
        a backlog, most answers are left to it.
        """
        while self.store.moves.first() is not None:
            self._note_moved(self.store.move_answers(_MOST_MOVED), batch)
            if self.on_left is not None:
                self.on_left()
                return

    def _note_moved(self, moved: Iterable[MovedRecord], batch: Batch) -> None:
        """Removes the views of records that have left a thread. Notes which threads must be
        folded.
        """
        left: dict[int, list[int]] = defaultdict(list)
        for record in moved:
            if record.before is not None:
                left[record.before].append(record.n)
            if record.root is not None:
                batch.touched.rows.add(record.n)
                batch.begun.pop(record.root, None)
        for root, rows in left.items():
            self.state.views.drop_records(root, rows)
            batch.touched.rows.add(root)
            batch.begun.pop(root, None)

    def _prune_forks(self, batch: Batch) -> None:
        """R-01.14: deletes records beyond a fork, except those that the rule keeps.

        The rule keeps the proof of the fork, records that others name as parents, and certain
        authority records.
        """
        if not batch.beyond_forks:
            return
        if self.on_left is not None:  # else all of these logs are pruned now
            places = {(record.header.device, record.header.seq) for record in batch.beyond_forks}
            parts = [(device, range(seq, seq + 1)) for device, seq in sorted(places)]
            while self._prune_parts(parts, batch):
                pass
        self._prune(batch)
        for record in batch.beyond_forks:
            # Read the row again: pruning may have deleted the record or changed its thread.
            row = self.store.records.find(record.id)
            if row is not None:
                self._placement.note_stored(row, batch)
            else:  # another record that keeps this one may be on its way
                batch.result.devices_with_gaps.add(record.header.device)
        batch.beyond_forks.clear()

    def _fold_authority(self, batch: Batch) -> None:
        """Folds authority once for all new authority records.

        If a device's records may no longer be stored, deletes the device's log, and puts the log's
        records into the pool of waiting records. If the quotas have changed, counts the use of all
        logs again.
        """
        if not batch.authority_is_stale:
            return
        before = self.state.authority
        ends = self._ends()
        batch.touched.add(self.state.authority_fold.fold())
        while self._end_logs(ends, batch) or self._drop_strangers(batch):
            ends = self._ends()
            batch.touched.add(self.state.authority_fold.fold())
        batch.authority_is_stale = False
        after = self.state.authority
        if before is None or after is None:
            return
        if quota.figures(before) != quota.figures(after):
            self._recount(batch)
        else:
            self._recount_logs(quota.changed_devices(before, after), batch)

    def _ends(self) -> Mapping[bytes, int]:
        """Returns the ends of logs. If a settled cut ends a log, the end is the first number beyond
        the cut (R-03.35).
        """
        return self.state.authority.settled.ends if self.state.authority is not None else {}

    def _end_logs(self, ends_before: Mapping[bytes, int], batch: Batch) -> bool:
        """R-03.35: ends logs at their settled cuts, and deletes the records beyond the cuts.
        Returns whether any record was deleted.

        `ends_before` are the ends before authority was folded. If a log no longer has an end, its
        records beyond the former end are placed again.
        """
        ends = self._ends()
        for device, number in ends_before.items():
            log = self.store.logs.find(device)
            if log is not None and log.fork == number < ends.get(device, number + 1):
                rows = self.store.reopen_log(device, number)
                for row in rows:
                    self.pool.add(row.record)
                batch.result.devices_with_gaps.add(device)
                self._forget(rows, batch)
        for device, number in ends.items():
            log = self.store.logs.find(device)
            if log is not None and self.store.end_log(device, number):
                batch.touched.logs.add(log.n)
                batch.begun.clear()
        # Authority says what is kept beyond an end or a fork, and authority has changed.
        return self._prune(batch) if self.store.logs.forks() else False

    def _drop_strangers(self, batch: Batch) -> bool:
        """Abandons the logs of devices whose records this home no longer stores. Returns whether
        there were such devices.

        When records of these logs are deleted, they go into the pool of waiting records.
        """
        strangers = self.state.authority_fold.strangers()
        for device in strangers:
            self.store.logs.abandon(device)
        if strangers:
            self._prune(batch)
        batch.dropped_devices.update(strangers)
        return bool(strangers)

    def _erase_retracted(self, batch: Batch) -> None:
        """Erases the content of retracted records (R-01.17)."""
        for record_id in batch.retractable:
            row = self.store.records.find(record_id)
            if (
                row is not None
                and row.record.content is not None
                and self.state.thread_fold.is_erased(row)
            ):
                self.store.records.set_content(record_id, None)
                batch.begun.clear()

    def _recount(self, batch: Batch) -> None:
        assert self.state.authority is not None, "its figures have changed"
        batch.begun.clear()
        self.store.set_note(_RECOUNT, 1)
        if self.on_left is not None:
            self.on_left()
            return
        batch.result.devices_with_gaps.update(*self.recount_in_steps())

    def _recount_logs(self, devices: Iterable[bytes], batch: Batch) -> None:
        """Counts the quota use of some devices' logs again, because their records now count for
        other days (R-03.15k).
        """
        logs = [log for device in sorted(devices) if (log := self.store.logs.find(device))]
        if any(log.head.seq > _MOST_PLACED for log in logs):
            self._recount(batch)
            return
        for log in logs:
            recount = quota.LogRecount(log.n)
            while not recount.is_done:
                assert self.state.authority is not None, "its days have changed"
                with self.store.quota_counts() as counts:
                    roots = recount.count_next(counts, self.state.authority)
                batch.touched.rows |= roots
                if roots:
                    batch.begun.clear()
            if recount.changed:
                batch.result.devices_with_gaps.add(recount.changed)

    def recount_in_steps(self) -> Iterator[set[bytes]]:
        """If the quotas have changed, counts the quota use of all logs again, some records in each
        step. If a record now goes above the quota or comes back below it, folds the record's
        thread.

        After each step, yields the devices whose logs now end at another number. This home may have
        refused later records of such a log, and other homes may have these records. If the node is
        killed or the quotas change meanwhile, the count begins again.
        """
        while self.store.read_note(_RECOUNT) is not None:
            with self.store.transaction(durable=False):
                self.store.set_note(_RECOUNT, 0)
                logs = [log.n for log in self.store.logs.all()]
            for recount in map(quota.LogRecount, logs):
                while not recount.is_done:
                    self._count_next(recount)
                    yield {recount.changed} if recount.changed else set()
            with self.store.transaction(durable=False):
                if self.store.read_note(_RECOUNT) == 0:
                    self.store.set_note(_RECOUNT, None)

    def _count_next(self, recount: quota.LogRecount) -> None:
        assert self.state.authority is not None, "its figures have changed"
        with self.store.transaction(durable=False):
            with self.store.quota_counts() as counts:
                roots = recount.count_next(counts, self.state.authority)
            self.state.thread_fold.fold(roots)

    def _prune(self, batch: Batch) -> bool:
        """Deletes the records of forked, ended and abandoned logs that R-01.14 does not keep. An
        abandoned log is from a device whose records this home no longer stores. Returns whether it
        has deleted any record now. If there is a backlog, the backlog deletes these records later,
        in steps.
        """
        if self.on_left is not None:
            self.store.set_note(_PRUNE, 1)
            self.on_left()
            return False
        has_pruned = False
        while self._prune_parts(self._parts_beyond_forks(), batch):
            has_pruned = True
        return has_pruned

    def prune_in_steps(self) -> Iterator[None]:
        """Deletes the records of forked logs that R-01.14 does not keep, a few in each step. The
        last records of a log are deleted first. Does nothing if there can be no such records.

        A record may have been kept only because a deleted record named it. So the logs are looked
        through again until nothing is deleted.
        """
        while self.store.read_note(_PRUNE) is not None:
            with self.store.transaction(durable=False):
                self.store.set_note(_PRUNE, 0)
            for part in self._parts_beyond_forks():
                self._prune_next(part)
                yield
            with self.store.transaction(durable=False):
                if self.store.read_note(_PRUNE) == 0:
                    self.store.set_note(_PRUNE, None)

    def _prune_next(self, part: tuple[bytes, range]) -> None:
        with self._all_or_nothing(durable=False):
            batch = Batch(IngestResult())
            if self._prune_parts([part], batch):
                self.store.set_note(_PRUNE, 1)
            self._fold_authority(batch)
            self._move_answers(batch)
            self.state.thread_fold.fold_touched(batch.touched)

    def _parts_beyond_forks(self) -> Iterator[tuple[bytes, range]]:
        """Yields the parts of logs that lie beyond a fork or an end, the last part of a log first.
        A part is a device and the numbers of a few records.
        """
        for device in self.store.logs.forks():
            stop = NO_END
            while True:
                log = self.store.logs.find(device)  # it may have changed since the last step
                if log is None or log.fork is None or log.fork >= stop:
                    break
                numbers = range(log.fork, stop)
                numbers = self.store.records.last_numbers(log.n, numbers, _MOST_DELETED)
                stop = numbers.start
                yield device, numbers

    def _prune_parts(self, parts: Iterable[tuple[bytes, range]], batch: Batch) -> bool:
        """Deletes from parts of logs the records that R-01.14 does not keep. Returns whether this
        has deleted any record.
        """
        authority = self.state.authority
        named = Named(
            # Asked again: authority may have kept a record only because of one that is now deleted.
            by_authority=self.state.authority_fold.kept_beyond_forks(),
            by_waiting=self.pool.parents(),
            ends=self._ends(),
            owners=authority.owners if authority is not None else {},
        )
        has_pruned = False
        for device, numbers in parts:
            log = self.store.logs.find(device)
            if log is None or log.fork is None:
                continue
            rows = self.store.prune(log, numbers, named)
            if log.fork == ABANDONED:
                self._end_abandoned(device, numbers, rows, batch)
            self._forget(rows, batch)
            has_pruned = has_pruned or bool(rows)
        return has_pruned

    def _end_abandoned(
        self, device: bytes, numbers: range, rows: list[StoredRecord], batch: Batch
    ) -> None:
        """Puts the deleted records `rows` of an abandoned log into the pool of waiting records. If
        the author is admitted again later, these records can then be placed. If no record of the
        log is left, deletes the log too.

        An abandoned log is from a device whose records this home no longer stores.
        """
        for row in rows:
            self.pool.add(row.record)
        if numbers.start == ABANDONED:
            self.store.logs.delete(device)
            batch.authority_is_stale = True
            if self.on_left is not None:
                self.on_left()

    def _forget(self, dropped: list[StoredRecord], batch: Batch) -> None:
        """Removes records from authority and from the views, because the store has deleted these
        records.
        """
        if dropped:
            batch.begun.clear()
        for row in dropped:
            if self.state.authority_fold.forget(row.record.id):
                batch.authority_is_stale = True
            if row.root is not None:
                self.state.views.drop_records(row.root, [row.n])
                batch.touched.rows.add(row.root)
        batch.touched.rows -= {row.n for row in dropped}
