"""Folds strata 2 to 4: the proxies, the threads, and the stored views of threads."""

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType

from meshcoop.fold import invalidation
from meshcoop.fold.authority_fold import AuthorityFold
from meshcoop.fold.clock_limit import ClockLimit
from meshcoop.fold.record_contents import RecordContents
from meshcoop.fold.views import Views
from meshcoop.store.records import StoredRecord
from meshcoop.store.store import Store
from protocol.errors import Refused
from protocol.fold import fold
from protocol.fold.kind import KINDS
from protocol.fold.proxies import ProxiesById, apply_proxy, proxies_by_id
from protocol.fold.thread import Entry, Thread, View
from protocol.record import envelope

_AT_ONCE = 500  # threads folded before their views are written
_NONE: Mapping[int, list[StoredRecord]] = MappingProxyType({})


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
        self.proxies: ProxiesById = proxies_by_id(views.of_kind("proxy"))

    def fold(self, roots: Iterable[int], begun: Mapping[int, list[StoredRecord]] = _NONE) -> None:
        """Folds the threads with these roots and replaces their views.

        `begun` concerns threads that were never folded before. It maps the root of each to all
        records of the thread.
        """
        left = iter(roots if self._authority_fold.authority is not None else ())
        while part := list(islice(left, _AT_ONCE)):
            threads = {
                root: self._fold_rows(begun.get(root) or self._store.records.in_thread(root))
                for root in part
            }
            self._views.replace(threads, new=begun)
            for views in threads.values():
                self._erase_retracted(views.values())
            changed = self._fold_proxies()
            if changed:
                self.fold(changed)
        if self._store.has_erased:
            self._views.purge()

    def fold_all(self) -> None:
        """Removes all views and makes the views of all threads again."""
        self._views.clear()
        self.fold(self._store.records.roots())

    def fold_thread(self, root: int, extra: Iterable[Entry] = ()) -> Thread:
        """Folds one thread, together with `extra` entries that are not posted yet. Stores
        no views.
        """
        authority = self._authority_fold.authority
        assert authority is not None, "a home without a charter has no threads"
        entries = self._entries(self._store.records.in_thread(root))
        return fold.fold_thread([*entries, *extra], authority)

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
                kind, values = self._contents.read(record)
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
        )
        return apply_proxy(entry, self.proxies, authority) if authority else entry

    def is_erased(self, row: StoredRecord) -> bool:
        """Returns whether the store has a retraction of this record that counts (R-01.17)."""
        # A retraction retracts only the record that it is about, not its further parents.
        answers = [
            child
            for child in self._store.records.children(row.record.id)
            if child.record.header.base_audience == envelope.OPEN
            and child.record.about == row.record.id
        ]
        target = self.entry(row) if answers else None
        return target is not None and any(self._erases(answer, target) for answer in answers)

    def _fold_rows(self, rows: list[StoredRecord]) -> dict[int, View]:
        """Folds the records of a thread. Returns the views, each under the row of its record."""
        authority = self._authority_fold.authority
        assert authority is not None, "threads are folded under an authority"
        entries = self._entries(rows)
        if all(entry.kind is None for entry in entries):
            return {}  # no entry is readable, so there is no view
        views = fold.fold_thread(entries, authority).views
        return {row.n: view for row in rows if (view := views.get(row.record.id))}

    def _entries(self, rows: Iterable[StoredRecord]) -> list[Entry]:
        return [entry for row in rows if (entry := self.entry(row))]

    def _erase_retracted(self, views: Iterable[View]) -> None:
        # A retraction can take effect late: when it is due, or when its content arrives.
        for view in views:
            if view["kind"] == "retracted":
                row = self._store.records.find(view["id"])
                if row is not None and row.record.content is not None:
                    self._store.records.set_content(view["id"], None)

    def _fold_proxies(self) -> set[int]:
        """Folds the proxies (stratum 2). Returns the threads that must be folded again. These
        threads have a record that was signed by a deputy whose proxy has changed.
        """
        before = self.proxies
        self.proxies = proxies_by_id(self._views.of_kind("proxy"))
        signers = invalidation.changed_signers(before, self.proxies)
        authority = self._authority_fold.authority
        if not signers or authority is None:
            return set()
        roots: set[int] = set()
        for device in authority.devices.values():
            log = self._store.logs.find(device.key) if device.person in signers else None
            if log is not None:
                roots |= self._store.records.roots_of_log(log.n)
        return roots

    def _erases(self, answer: StoredRecord, target: Entry) -> bool:
        entry = self.entry(answer)
        authority = self._authority_fold.authority
        return (
            entry is not None
            and authority is not None
            and authority.stands(entry.device, entry.seq)
            and fold.retracts(entry, target)
        )


def _is_judged(kind: str | None) -> bool:
    return kind is not None and kind in KINDS and KINDS[kind].judged_by_authority
