"""Folds proxies and threads, and stores the views of threads. The specs call these steps strata 2
to 4.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

import trio

from meshcoop.fold import invalidation
from meshcoop.fold.authority_fold import AuthorityFold
from meshcoop.fold.clock_limit import ClockLimit
from meshcoop.fold.code_failures import describe_error
from meshcoop.fold.parts import Part, PartRows, Parts, divide_thread, strip_content
from meshcoop.fold.record_contents import RecordContents
from meshcoop.fold.slices import pause
from meshcoop.fold.touched import Touched
from meshcoop.fold.views import FoldedThread, FoldedView, Views
from meshcoop.store.disk_errors import StoreError
from meshcoop.store.postponed_threads import START, Sweep
from meshcoop.store.records import StoredRecord
from meshcoop.store.store import Store
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold import fold
from protocol.fold.proxies import ProxiesById, apply_proxy, proxies_by_id
from protocol.fold.registry import KINDS, is_newer
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import Tombstone, View
from protocol.kinds.people import Proxy
from protocol.record import envelope

MAX_RECORDS = 100  # records that are folded in one step, if threads may be put off
THREAD_COST = 2  # a thread takes as long as so many records, besides those that it has

# The disk or the machine has failed, and not the code that folds.
NOT_OF_CODE = (StoreError, MemoryError)

_AT_ONCE = 500  # threads folded before their views are written
_FOUND_AT_ONCE = 25  # records whose branches are found in one step
_ROWS_AT_ONCE = 50  # rows that are read before others may work
_LOG = logging.getLogger(__name__)
_NONE: Mapping[int, list[StoredRecord]] = MappingProxyType({})

OnPutOff = Callable[[Collection[int]], None]  # called with the rows of what is put off
Report = Callable[[int, int], None]  # called with the number of threads folded, and of all threads


class ThreadFold:
    """Folds threads into views. In calls, the row of a root record stands for its whole thread. The
    row of a changed record stands for the part of the thread that this change touches.
    """

    def __init__(
        self,
        store: Store,
        authority_fold: AuthorityFold,
        contents: RecordContents,
        clock_limit: ClockLimit,
        views: Views,
    ) -> None:
        self._store = store
        self._authority_fold = authority_fold
        self._contents = contents
        self._clock_limit = clock_limit
        self._views = views
        self.parts = Parts(store, self.entry)
        # The thread that is folded beside the loop now, as the row of its root. Meanwhile, its new
        # records are put off.
        self.busy_root: int | None = None
        self.proxies: ProxiesById = proxies_by_id(views.of_kind(Proxy))
        self._proxies_version = views.version_of_kind(Proxy)
        self._named = authority_fold.witnesses.follow()
        # Called with the rows of records that are put off. If it is None, nobody would fold them
        # later.
        self.on_put_off: OnPutOff | None = None

    def fold(
        self,
        rows: Iterable[int],
        begun: Mapping[int, list[StoredRecord]] = _NONE,
        *,
        at_once: bool = False,
    ) -> None:
        """Folds the records in the given rows and everything that depends on them. Replaces the
        views of these records. The row of a root stands for its whole thread.

        `begun` maps the root of each new thread to all records of this thread. A new thread was
        never folded before.

        If there are too many records, some threads are folded later. Everything is folded now if
        `at_once` is set, or if nobody would fold the other threads later (`on_put_off` is None).
        """
        if self._authority_fold.authority is None:
            return
        most: int | None = None
        if not at_once and self.on_put_off is not None:
            # To find the branches of many records takes long too. Whoever folds them later finds
            # them.
            most = _FOUND_AT_ONCE
            remaining = iter(rows)
            rows = list(islice(remaining, MAX_RECORDS))
            self._put_off(list(remaining))
        parts = self.find_parts(rows, most)
        self._fold_parts(parts if at_once else self._put_off_many(parts, begun), begun)
        self._fold_deputies(at_once=at_once)

    def fold_due(self, rows: Iterable[int]) -> None:
        """Folds records that were put off, and replaces the views of these records. If the proxies
        of a deputy change with them, the deputy's records are folded later.
        """
        if self._authority_fold.authority is None:
            return
        self._fold_parts(self.find_parts(rows))
        self._fold_deputies()

    def fold_touched(
        self, touched: Touched, begun: Mapping[int, list[StoredRecord]] = _NONE
    ) -> None:
        """Folds all records that a change has touched. If a log is long, folds only its first
        records now.

        The other records of the log are folded later. If nobody would fold them later, all records
        are folded now.
        """
        rows = touched.rows | self._take_named()
        for log_n in touched.logs:
            if self.on_put_off is None:
                rows |= self._store.records.roots_of_log(log_n)
            elif len(rows) < MAX_RECORDS:
                rows |= self.sweep(Sweep(log_n, START))
            else:
                self._store.sweeps.set(log_n, START)
        if self.on_put_off is not None and self._store.sweeps.first() is not None:
            self.on_put_off(())
        self.fold(rows, begun)

    def _take_named(self) -> set[int]:
        """Returns the rows of the records that witnesses have named since the last call. Returns
        only records that authority has cut off: beyond a fork, or after the end that a revocation
        or a removal has set. The naming can make such records count (R-24.11).
        """
        authority = self._authority_fold.authority
        held = self._store.records.find_held(list(self._named.take())) if authority else ()
        rows = [self._store.records.find(record_id) for record_id in held]
        return {
            row.n
            for row in rows
            if row is not None
            and authority is not None
            and not authority.stands(row.record.header.device, row.record.header.seq)
        }

    def sweep(self, sweep: Sweep) -> set[int]:
        """Continues the walk along a log. Returns the rows of the next records in the log. The
        caller folds these records.
        """
        rows, last = self._store.records.next_of_log(*sweep, MAX_RECORDS)
        if last is None:
            self._store.sweeps.end(sweep.log)
        else:
            self._store.sweeps.set(sweep.log, last)
        return rows

    def find_parts(self, rows: Iterable[int], most: int | None = None) -> list[Part]:
        """Returns the parts of threads that the given records touch, one part for each thread. A
        thread whose last fold failed is folded as a whole.

        Finds the branches of at most `most` records. The threads of the other records are folded as
        a whole.
        """
        parts = self.parts.find(rows) if most is None else self.parts.find(rows, most)
        return [
            Part(part.root, part.rows) if self._views.failure_of(part.root) else part
            for part in parts
        ]

    def fold_thread(self, root: int, extra: Iterable[Entry] = ()) -> Thread:
        """Folds one thread together with the new records `extra`, which are not posted yet. Stores
        no views.
        """
        authority = self._authority_fold.authority
        assert authority is not None, "a home without a charter has no threads"
        return fold.fold_thread([*self.entries_of(root), *extra], authority)

    def entries_of(self, root: int) -> list[Entry]:
        """Returns the records of one thread, with their open contents. Pauses between parts of a
        large thread.
        """
        entries: list[Entry] = []
        last = 0
        while rows := self._store.records.next_in_thread(root, last, _ROWS_AT_ONCE):
            entries += self.entries(rows)
            last = rows[-1].n
            pause()
        return entries

    def entry(self, row: StoredRecord) -> Entry | None:
        """Returns a stored record with its open content, as the fold takes it. Returns None if the
        record is dated too far ahead of this home's clock.
        """
        record = row.record
        fields = record.header
        if self._clock_limit.postpones(fields.time, row.n):
            return None
        authority = self._authority_fold.authority
        person = authority.person_of_device(fields.device) if authority else None
        fault: Refused | None = None
        kind: str | None = None
        values: dict[str, object] = {}
        if person is None:
            fault = Refused("R-03.5", "its device belongs to no member")
        else:
            try:
                kind, values, fault = self._contents.read(record)
            except Refused as refusal:
                fault = refusal.without_frames()
        if row.over and not _is_judged(kind):
            kind = None
            values = {}
            fault = fault or Refused("R-03.15", "it lies above its device's quota for the day")
        entry = Entry(
            record.id,
            fields.device,
            fields.seq,
            fields.time,
            record.about,
            person or b"",
            kind,
            values,
            fault,
            fields.is_lasting,
            fields.base_audience == envelope.EPOCH,
        )
        if authority is not None and not authority.stands(entry.device, entry.seq):
            seen = self._authority_fold.witnesses.has_seen(authority, entry)
            entry = entry._replace(is_seen=seen)
        return apply_proxy(entry, self.proxies, authority) if authority else entry

    def is_erased(self, row: StoredRecord) -> bool:
        """Returns whether a retraction of this record is in the store and counts (R-01.17)."""
        if row.record.header.is_lasting:
            return False
        # A retraction retracts only the record that it is about, not its further parents.
        answers = self._store.records.open_answers(row.record.id)
        target = self.entry(row) if answers else None
        return target is not None and any(self._erases(answer, target) for answer in answers)

    def entries(self, rows: Iterable[StoredRecord]) -> list[Entry]:
        """Returns stored records with their open contents, as the fold takes them. Leaves out
        records that are dated too far ahead.
        """
        return [entry for row in rows if (entry := self.entry(row))]

    def find_part_around(self, entry: Entry, about: StoredRecord) -> Part:
        """Returns the part of a thread that is folded together with a new record. The new record
        answers the record `about`, and is not signed yet.
        """
        part = self.parts.find_around(entry, about)
        return Part(part.root, part.rows) if self._views.failure_of(part.root) else part

    def entries_of_part(self, rows: PartRows) -> list[Entry]:
        """Returns the records that are needed to fold some branches, with their open contents."""
        return self.entries([*rows.folded, *rows.support, *map(strip_content, rows.headers)])

    def end_large(self, written: Iterable[View]) -> None:
        """Finishes the work after views of a large thread were written. Erases what was retracted.
        If a proxy has changed, folds the threads that this change touches.
        """
        self._erase_retracted(written)
        self._fold_deputies()
        if self._store.has_erased:
            self._views.purge()

    def note_failure(self, root: int, errors: Sequence[Exception]) -> str | None:
        """Logs the exceptions of a fold. If the thread failed with the same exception before, logs
        nothing. Returns the last exception as a line of text, or None if the fold did not fail.
        """
        if not errors:
            return None
        failure = describe_error(errors[-1])
        if self._views.failure_of(root) != failure:
            _LOG.error("a thread is left out, because code failed", exc_info=errors[-1])
        return failure

    def _put_off_many(
        self, parts: Iterable[Part], begun: Mapping[int, list[StoredRecord]]
    ) -> list[Part]:
        """Postpones the parts that would take too long now. Returns the other parts."""
        if self.on_put_off is None:
            return list(parts)
        room = MAX_RECORDS // 2  # the step also stores records and folds authority
        now: list[Part] = []
        later: list[int] = []
        for part in parts:
            count = room + 1
            is_busy = part.root == self.busy_root
            if room > 0 and not is_busy and len(later) < _AT_ONCE:  # else even a count is too long
                rows = begun.get(part.root)
                count = len(rows) if rows else self.parts.size(part)
            if count <= room:
                room -= count + THREAD_COST
                now.append(part)
            else:
                later += part.rows
        self._put_off(later)
        return now

    def _put_off(self, rows: Collection[int]) -> None:
        if rows and self.on_put_off is not None:
            self._clock_limit.put_off(rows)
            self.on_put_off(rows)

    def _fold_contained(
        self, part: Part, begun: Mapping[int, list[StoredRecord]] = _NONE
    ) -> FoldedThread:
        """Folds a part of a thread. Returns the parts of the result that will be stored.

        If the fold fails, other threads are folded as before (R-10.16a). The failed thread keeps a
        note of the failure until a fold of the thread succeeds. If a branch fails, the whole thread
        is folded, so that all its records fail or count together.
        """
        authority = self._authority_fold.authority
        assert authority is not None, "threads are folded under an authority"
        try:
            if part.is_whole:
                rows = begun.get(part.root) or self._store.records.in_thread(part.root)
                folded, errors = fold_entries(rows, self.entries(rows), authority)
            else:
                read = self.parts.read(part)
                folded, errors = fold_branches(read, self.entries_of_part(read), authority)
        except NOT_OF_CODE:
            raise
        except Exception as error:  # noqa: BLE001  # it is logged and noted
            folded, errors = FoldedThread(), [error]
        if errors and not part.is_whole:
            if self.on_put_off is None:
                return self._fold_contained(Part(part.root, part.rows))
            self._put_off([part.root])
            return FoldedThread(rows=())
        return folded._replace(failure=self.note_failure(part.root, errors))

    def _erase_retracted(self, views: Iterable[View]) -> None:
        # A retraction can take effect late: when it is due, or when its content arrives.
        for view in views:
            if isinstance(view, Tombstone):
                row = self._store.records.find(view.id)
                if row is not None and row.record.content is not None:
                    self._store.records.set_content(view.id, None)

    def _fold_parts(
        self, parts: Iterable[Part], begun: Mapping[int, list[StoredRecord]] = _NONE
    ) -> None:
        left = iter(parts)
        while next_parts := list(islice(left, _AT_ONCE)):
            threads = {part.root: self._fold_contained(part, begun) for part in next_parts}
            self._views.replace(threads, new=begun)
            for thread in threads.values():
                self._erase_retracted(folded.view for folded in thread.views.values())
        if self._store.has_erased:
            self._views.purge()

    def _fold_deputies(self, *, at_once: bool = False) -> None:
        """Folds the proxies (stratum 2). With a proxy, a deputy signs for another person. If a
        deputy's proxies have changed, folds all records of this deputy again.

        A deputy may have written much, and the present step has folded threads already. So these
        records are folded later, except with `at_once`, or if nobody would fold them later.
        """
        logs = self._logs_of_changed_deputies()
        if at_once or self.on_put_off is None:
            rows = {row for log_n in logs for row in self._store.records.roots_of_log(log_n)}
            if rows:
                self.fold(rows, at_once=True)
            return
        for log_n in logs:
            self._store.sweeps.set(log_n, START)
        if logs:
            self.on_put_off(())

    def _logs_of_changed_deputies(self) -> set[int]:
        """Reads the proxies again if any of them has changed. Returns the logs of the deputies
        whose proxies have changed.
        """
        version = self._views.version_of_kind(Proxy)
        if version == self._proxies_version:
            return set()
        self._proxies_version = version
        before = self.proxies
        self.proxies = proxies_by_id(self._views.of_kind(Proxy))
        signers = invalidation.changed_signers(before, self.proxies)
        authority = self._authority_fold.authority
        if not signers or authority is None:
            return set()
        devices = [device.key for device in authority.devices.values() if device.person in signers]
        logs = map(self._store.logs.find, devices)
        return {log.n for log in logs if log is not None}

    def _erases(self, answer: StoredRecord, target: Entry) -> bool:
        entry = self.entry(answer)
        authority = self._authority_fold.authority
        return (
            entry is not None
            and authority is not None
            and authority.stands(entry.device, entry.seq)
            and fold.retracts(entry, target)
        )


async def fold_beside(entries: list[Entry], authority: Authority) -> Thread:
    """Folds the records of one thread. If there are many records, folds them beside the loop."""
    if len(entries) <= MAX_RECORDS:
        return fold.fold_thread(entries, authority)
    return await trio.to_thread.run_sync(fold.fold_thread, entries, authority)


def fold_entries(
    rows: Iterable[StoredRecord], entries: list[Entry], authority: Authority
) -> tuple[FoldedThread, list[Exception]]:
    """Folds the records of a thread. Returns the parts of the result that will be stored. Also
    returns the exceptions that the code of kinds raised.

    `rows` are the stored records from which `entries` were read. Needs no database.
    """
    if all(entry.kind is None for entry in entries):
        return FoldedThread(), []  # no entry is readable, so there is no view
    rows = list(rows)
    folded, failures = _fold_rows(rows, entries, authority)
    return folded._replace(branches=divide_thread(rows, entries)), failures


def fold_branches(
    rows: PartRows, entries: list[Entry], authority: Authority
) -> tuple[FoldedThread, list[Exception]]:
    """Folds some branches of a thread in the same way as `fold_entries`."""
    folded, failures = _fold_rows(rows.folded, entries, authority)
    return folded._replace(rows=[row.n for row in rows.folded]), failures


def _fold_rows(
    rows: Collection[StoredRecord], entries: list[Entry], authority: Authority
) -> tuple[FoldedThread, list[Exception]]:
    thread = fold.fold_thread(entries, authority)
    beyond_core = fold.records_beyond_core(thread)
    views: dict[int, FoldedView] = {}
    for row in rows:
        view = thread.views.get(row.record.id)
        if view is not None:
            views[row.n] = FoldedView(view, thread.results[view.id], view.id not in beyond_core)
    newer_kinds = {entry.id: entry.kind for entry in entries if is_newer(entry)}
    newer = {row.n: kind for row in rows if (kind := newer_kinds.get(row.record.id))}
    return FoldedThread(views, newer), thread.failures


def _is_judged(kind: str | None) -> bool:
    return kind is not None and kind in KINDS and KINDS[kind].view_type.judged_by_authority
