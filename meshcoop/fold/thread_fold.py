"""Folds strata 2 to 4: the proxies, the threads, and the stored views of threads."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

import trio

from meshcoop.fold import invalidation
from meshcoop.fold.authority_fold import AuthorityFold
from meshcoop.fold.clock_limit import ClockLimit
from meshcoop.fold.code_failures import describe_error
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

# The disk or the machine has failed, and not the code that folds.
NOT_OF_CODE = (StoreError, MemoryError)

_AT_ONCE = 500  # threads folded before their views are written
_ROWS_AT_ONCE = 50  # rows that are read before others may work
_LOG = logging.getLogger(__name__)
_NONE: Mapping[int, list[StoredRecord]] = MappingProxyType({})

Report = Callable[[int, int], None]  # called with the number of threads folded, and of all threads


class ThreadFold:
    """Folds threads into views. Callers name a thread by the row of its root record."""

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
        self.proxies: ProxiesById = proxies_by_id(views.of_kind(Proxy))
        self._proxies_version = views.version_of_kind(Proxy)
        # Called with the roots of threads that are put off. If it is None, nobody would fold them
        # later.
        self.on_put_off: Callable[[Collection[int]], None] | None = None

    def fold(
        self,
        roots: Iterable[int],
        begun: Mapping[int, list[StoredRecord]] = _NONE,
        *,
        at_once: bool = False,
    ) -> None:
        """Folds the threads with the given roots, and replaces their views.

        `begun` maps the root of each new thread to all records of this thread. A new thread was
        never folded before. If there are too many records, puts some threads off. Puts nothing off
        if `at_once` is set. Puts nothing off either if nobody would fold these threads later
        (`on_put_off` is None).
        """
        if self._authority_fold.authority is None:
            return
        left = iter(roots if at_once else self._put_off_many(roots, begun))
        while part := list(islice(left, _AT_ONCE)):
            threads = {root: self._fold_contained(root, begun.get(root)) for root in part}
            self._views.replace(threads, new=begun)
            for thread in threads.values():
                self._erase_retracted(folded.view for folded in thread.views.values())
            changed = self._fold_proxies()
            if changed.logs:
                self.fold_touched(changed, at_once=at_once)
        if self._store.has_erased:
            self._views.purge()

    def fold_touched(
        self,
        touched: Touched,
        begun: Mapping[int, list[StoredRecord]] = _NONE,
        *,
        at_once: bool = False,
    ) -> None:
        """Folds all threads that a change has touched. If a log is long, folds only the threads of
        its first records now.

        The other threads are put off under the same conditions as in `fold`.
        """
        roots = set(touched.roots)
        for log_n in touched.logs:
            if at_once or self.on_put_off is None:
                roots |= self._store.records.roots_of_log(log_n)
            elif len(roots) < MAX_RECORDS:
                roots |= self.sweep(Sweep(log_n, START))
            else:
                self._store.sweeps.set(log_n, START)
        if self.on_put_off is not None and self._store.sweeps.first() is not None:
            self.on_put_off(())
        self.fold(roots, begun, at_once=at_once)

    def sweep(self, sweep: Sweep) -> set[int]:
        """Goes on through a log. Returns the threads of its next records. The caller folds these
        threads.
        """
        roots, last = self._store.records.next_of_log(*sweep, MAX_RECORDS)
        if last is None:
            self._store.sweeps.end(sweep.log)
        else:
            self._store.sweeps.set(sweep.log, last)
        return roots

    def fold_thread(self, root: int, extra: Iterable[Entry] = ()) -> Thread:
        """Folds one thread together with the entries `extra`, which are not posted yet. Stores no
        views.
        """
        authority = self._authority_fold.authority
        assert authority is not None, "a home without a charter has no threads"
        return fold.fold_thread([*self.entries_of(root), *extra], authority)

    def entries_of(self, root: int) -> list[Entry]:
        """Returns the entries of one thread. Pauses between parts of a large thread."""
        entries: list[Entry] = []
        last = 0
        while rows := self._store.records.next_in_thread(root, last, _ROWS_AT_ONCE):
            entries += self.entries(rows)
            last = rows[-1].n
            pause()
        return entries

    def entry(self, row: StoredRecord) -> Entry | None:
        """Returns the record as an entry of its thread. Returns None if the record is dated too far
        ahead of this home's clock.
        """
        record = row.record
        fields = record.header
        if self._clock_limit.postpones(fields.time, row.root or row.n):
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
                fault = refusal
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
        return apply_proxy(entry, self.proxies, authority) if authority else entry

    def is_erased(self, row: StoredRecord) -> bool:
        """Returns whether a retraction in the store counts and retracts this record (R-01.17)."""
        # A retraction retracts only the record that it is about, not its further parents.
        answers = [
            child
            for child in self._store.records.children(row.record.id)
            if child.record.header.base_audience == envelope.OPEN
            and child.record.about == row.record.id
        ]
        target = self.entry(row) if answers else None
        return target is not None and any(self._erases(answer, target) for answer in answers)

    def entries(self, rows: Iterable[StoredRecord]) -> list[Entry]:
        """Returns the entries of the given records. Leaves out records that are dated too far
        ahead.
        """
        return [entry for row in rows if (entry := self.entry(row))]

    def end_large(self, written: Iterable[View]) -> None:
        """Finishes the work after some views of a large thread were written. Erases what was
        retracted. If a proxy has changed, folds the threads that this change touches.
        """
        self._erase_retracted(written)
        changed = self._fold_proxies()
        if changed.logs:
            self.fold_touched(changed)
        if self._store.has_erased:
            self._views.purge()

    def note_failure(self, root: int, errors: Sequence[Exception]) -> str | None:
        """Logs the exceptions of a fold. Logs nothing if the thread failed with the same exception
        before. Returns the last exception as a line of text, or None if there is none.
        """
        if not errors:
            return None
        failure = describe_error(errors[-1])
        if self._views.failure_of(root) != failure:
            _LOG.error("a thread is left out, because code failed", exc_info=errors[-1])
        return failure

    def _put_off_many(
        self, roots: Iterable[int], begun: Mapping[int, list[StoredRecord]]
    ) -> list[int]:
        """Puts off the threads that would take too long now. Returns the roots of all other
        threads.
        """
        if self.on_put_off is None:
            return list(roots)
        room = MAX_RECORDS
        now: list[int] = []
        later: list[int] = []
        for root in roots:
            count = room + 1
            if room > 0 and len(later) < _AT_ONCE:  # else it takes too long even to count
                rows = begun.get(root)
                count = len(rows) if rows else self._store.records.count_in_thread(root)
            if count <= room:
                room -= count
                now.append(root)
            else:
                later.append(root)
        if later:
            self._clock_limit.put_off(later)
            self.on_put_off(later)
        return now

    def _fold_contained(self, root: int, rows: list[StoredRecord] | None) -> FoldedThread:
        """Folds a thread. Returns the parts of the result that will be stored.

        If something fails, only this thread is lost: other threads are folded as before (R-10.16a).
        The thread keeps a note of the failure until it is folded again without a failure.
        """
        authority = self._authority_fold.authority
        assert authority is not None, "threads are folded under an authority"
        try:
            rows = rows or self._store.records.in_thread(root)
            folded, errors = fold_entries(rows, self.entries(rows), authority)
        except NOT_OF_CODE:
            raise
        except Exception as error:  # noqa: BLE001  # it is logged and noted
            folded, errors = FoldedThread(), [error]
        return folded._replace(failure=self.note_failure(root, errors))

    def _erase_retracted(self, views: Iterable[View]) -> None:
        # A retraction can take effect late: when it is due, or when its content arrives.
        for view in views:
            if isinstance(view, Tombstone):
                row = self._store.records.find(view.id)
                if row is not None and row.record.content is not None:
                    self._store.records.set_content(view.id, None)

    def _fold_proxies(self) -> Touched:
        """Folds the proxies (stratum 2). Returns the threads that must be folded again. Each of
        them has a record that a deputy signed, and this deputy's proxies have changed.
        """
        version = self._views.version_of_kind(Proxy)
        if version == self._proxies_version:
            return Touched()
        self._proxies_version = version
        before = self.proxies
        self.proxies = proxies_by_id(self._views.of_kind(Proxy))
        signers = invalidation.changed_signers(before, self.proxies)
        authority = self._authority_fold.authority
        touched = Touched()
        if not signers or authority is None:
            return touched
        for device in authority.devices.values():
            log = self._store.logs.find(device.key) if device.person in signers else None
            if log is not None:
                touched.logs.add(log.n)
        return touched

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
    """Folds the entries of one thread. If there are many, folds them beside the loop."""
    if len(entries) <= MAX_RECORDS:
        return fold.fold_thread(entries, authority)
    return await trio.to_thread.run_sync(fold.fold_thread, entries, authority)


def fold_entries(
    rows: Iterable[StoredRecord], entries: list[Entry], authority: Authority
) -> tuple[FoldedThread, list[Exception]]:
    """Folds the entries of a thread. Returns the parts of the result that will be stored. Also
    returns the exceptions that the code of kinds raised.

    `rows` are the records from which the entries were read. Needs no database.
    """
    if all(entry.kind is None for entry in entries):
        return FoldedThread(), []  # no entry is readable, so there is no view
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
