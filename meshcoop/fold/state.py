"""The folded state of a home: authority, epoch keys, proxies, threads and views.

A home may fold records a few at a time. The result is the same as after a rebuild. A record that is
dated ahead of this home's clock is folded when its date has come.
"""

from bisect import bisect_right
from collections.abc import Callable

import protocol.kinds  # noqa: F401  # registers every kind before the first fold
from meshcoop.fold.authority_fold import AuthorityFold
from meshcoop.fold.clock_limit import ClockLimit
from meshcoop.fold.code_failures import CodeFailures
from meshcoop.fold.epoch_fold import EpochFold
from meshcoop.fold.fold_version import fold_version
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.log_ends import LogEnds
from meshcoop.fold.record_contents import RecordContents
from meshcoop.fold.thread_fold import Report, ThreadFold
from meshcoop.fold.views import Views
from meshcoop.store.store import Store
from protocol.authority.authority import Authority
from protocol.local_clock import LocalClock
from protocol.time_zones import local_clock

# The store's notes: the version with which all its views were made; and, while they are made again,
# that version with the row of the last root that is done.
_NOTE = "fold"
_PROGRESS = "folding"

_PART = 500  # threads that one transaction folds, while all are folded


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
        """Makes all views again if another version of the program made them.

        During this work, calls `report` with two numbers: how many threads are done, and how many
        there are. If there are no threads, never calls `report`. If the process is killed, the next
        process continues this work where it stopped.
        """
        is_stale = store.read_note(_NOTE) != fold_version()
        done = _read_progress(store) if is_stale else None
        self.store = store
        self.neighbourhood = neighbourhood
        self.ring = ring
        self.now = now
        self.failures = CodeFailures()
        self.clock_limit = ClockLimit(store, now)
        self.views = Views(store, stale=is_stale and done is None)
        self.log_ends = LogEnds(store)
        self.contents = RecordContents(neighbourhood, ring)
        self.authority_fold = AuthorityFold(store, neighbourhood, ring)
        self.thread_fold = ThreadFold(
            store, self.authority_fold, self.contents, self.clock_limit, self.views
        )
        with store.transaction():
            self.authority_fold.fold()
        if is_stale:
            self._fold_after(done or 0, report)

    @property
    def authority(self) -> Authority | None:
        """The authority from the latest fold, or None if this home has no charter."""
        return self.authority_fold.authority

    @property
    def epochs(self) -> EpochFold:
        """The epochs. They tell which group keys this home holds, and which key seals new
        records.
        """
        return self.authority_fold.epochs

    def clock_at(self, time: int) -> LocalClock:
        """Returns the time on the neighbourhood's clocks at the moment `time` (ms).

        The charter names the time zone of these clocks. Without a charter, they show UTC.
        """
        name = self.authority.charter.get("timezone") if self.authority else None
        return local_clock(time, name)

    def fold_due(self) -> None:
        """Folds the postponed records whose time has come."""
        now = self.now()  # read once, so that a thread that becomes due meanwhile is not lost
        due = self.clock_limit.due(now)
        if due:
            with self.store.transaction(durable=False):
                self.clock_limit.forget_due(now)
                self.thread_fold.fold(due)

    def rebuild(self, report: Report | None = None) -> None:
        """Makes all views again from the records. Meanwhile, calls `report` with the progress."""
        with self.store.transaction():
            self.views.clear()
            self._note_progress(0)
        self._fold_after(0, report)

    def _fold_after(self, last: int, report: Report | None) -> None:
        """Folds all threads whose root is in a row above `last`, a few in each step.

        A step is one transaction, which also notes the last root. So if the process is killed, only
        the work of one step is lost.
        """
        roots = sorted(self.store.records.roots())
        for done in range(bisect_right(roots, last), len(roots), _PART):
            if report is not None:
                report(done, len(roots))
            part = roots[done : done + _PART]
            with self.store.transaction(durable=False):
                self.thread_fold.fold(part, at_once=True)
                self._note_progress(part[-1])
        with self.store.transaction():
            self.store.set_note(_NOTE, fold_version())
            self.store.set_note(_PROGRESS, None)
        if report is not None and roots:
            report(len(roots), len(roots))

    def _note_progress(self, last: int) -> None:
        self.store.set_note(_NOTE, None)
        self.store.set_note(_PROGRESS, f"{fold_version()} {last}")


def _read_progress(store: Store) -> int | None:
    """Returns the row of the last root that this version of the program has folded. Returns None if
    this version has made no views yet.
    """
    version, _, last = str(store.read_note(_PROGRESS) or "").partition(" ")
    return int(last) if version == fold_version() else None
