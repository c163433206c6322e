"""The folded state of a home: authority, epoch keys, proxies, threads and views.

Records may be folded a few at a time, with the same result as a rebuild. If a record is dated ahead
of this home's clock, it is folded when its time has come.
"""

from collections.abc import Callable
from datetime import UTC

import protocol.kinds  # noqa: F401  # registers every kind before the first fold
from meshcoop.fold.authority_fold import ROOT, AuthorityFold
from meshcoop.fold.clock_limit import ClockLimit
from meshcoop.fold.code_failures import CodeFailures
from meshcoop.fold.fold_version import fold_version
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.record_contents import RecordContents
from meshcoop.fold.thread_fold import Report, ThreadFold
from meshcoop.fold.views import Views
from meshcoop.store.store import Store
from protocol.authority.authority import Authority
from protocol.local_clock import LocalClock
from protocol.time_zones import find_zone

_NOTE = "fold"  # in the store: the version that its views were folded with


class State:
    """The folded state of one neighbourhood at this home. Callers must hold a transaction of the
    store.
    """

    def __init__(
        self,
        store: Store,
        neighbourhood: bytes,
        ring: KeyRing,
        now: Callable[[], int],
        report: Report | None = None,
    ) -> None:
        """If another version of the program made the views, makes them again.

        `report` is called meanwhile with the number of threads done and the number of all threads.
        It is not called if the store holds no threads.
        """
        is_stale = store.read_note(_NOTE) != fold_version()
        self.store = store
        self.neighbourhood = neighbourhood
        self.ring = ring
        self.now = now
        self.failures = CodeFailures()
        self._clock_limit = ClockLimit(store, now)
        self.views = Views(store, stale=is_stale)
        self.contents = RecordContents(neighbourhood, ring)
        self.authority_fold = AuthorityFold(store, neighbourhood, ring, self._clock_limit)
        self.thread_fold = ThreadFold(
            store, self.authority_fold, self.contents, self._clock_limit, self.views
        )
        with store.transaction():
            self.authority_fold.fold()
            if is_stale:
                self.rebuild(report)

    @property
    def authority(self) -> Authority | None:
        """The authority from the latest fold, or None if this home has no charter."""
        return self.authority_fold.authority

    def clock_at(self, time: int) -> LocalClock:
        """Returns what the clocks of the neighbourhood show at a time (ms).

        The charter names their zone. If it names none, or one that this program does not know, they
        show UTC (R-10.17).
        """
        name = self.authority.charter.get("timezone") if self.authority else None
        return LocalClock(time, find_zone(name) or UTC)

    def fold_due(self) -> None:
        """Folds the postponed records whose time has come."""
        now = self.now()  # read once, so that a thread that becomes due meanwhile is not lost
        due = self._clock_limit.due(now)
        if due:
            with self.store.transaction(durable=False):
                self._clock_limit.forget_due(now)
                roots = self.authority_fold.fold()
                self.thread_fold.fold(roots.union(due) - {ROOT})

    def rebuild(self, report: Report | None = None) -> None:
        """Makes all views again from the records. `report` is called as for a new state."""
        with self.store.transaction():
            self.thread_fold.fold_all(report)
            self.store.set_note(_NOTE, fold_version())
