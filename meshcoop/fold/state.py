"""What this home makes of its records: authority, keys, threads and views (the four strata).

Incremental folding gives what a rebuild gives. A record that is ahead of this clock is left out
until its time has come.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import MappingProxyType

import protocol.kinds  # noqa: F401  # registers every kind before the first fold
from meshcoop.fold import invalidation as affected
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.open_records import act_of
from meshcoop.fold.views import Views
from meshcoop.store.disk_errors import enduring
from meshcoop.store.logs import Log
from meshcoop.store.postponed_threads import PostponedThreads
from meshcoop.store.records import Row
from meshcoop.store.store import Store
from protocol.authority import authority
from protocol.authority.authority import Authority
from protocol.authority.records import Act, Acts
from protocol.errors import Refused
from protocol.fold import fold as thread
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.fold.proxies import Standing, signed_for, standing
from protocol.fold.thread import Entry, Thread, View
from protocol.record import envelope as record
from protocol.record import sealing as seal
from protocol.record.envelope import Record

DRIFT_MS = 10 * 60_000  # how far ahead of this clock a record may be and fold at once

_FOLD_VERSION = 9  # raised when the same records give other tables of views: homes then rebuild
_AT_ONCE = 500  # threads folded before their views are written
_AUTHORITY = 0  # stands for stratum 1 among the rows of thread roots
_NONE: Mapping[int, list[Row]] = MappingProxyType({})


class State:
    """The folded state of one neighbourhood at this home. Callers hold the store's transaction."""

    def __init__(
        self, store: Store, neighbourhood: bytes, ring: KeyRing, now: Callable[[], int]
    ) -> None:
        self.store = store
        self.views = Views(store, stale=store.note("fold") != _FOLD_VERSION)
        self.neighbourhood = neighbourhood
        self.ring = ring
        self.now = now
        self.authority: Authority | None = None
        self.standing: Standing = {}
        self._postponed = PostponedThreads(store)
        self._read_acts()
        with store.transaction():
            self.fold_authority()
            if store.note("fold") != _FOLD_VERSION:
                self.rebuild()
        self.standing = standing(self.views.of_kind("proxy"))

    def _read_acts(self) -> None:
        self._acts = Acts()
        self._every = Acts()  # with those that are ahead of this clock
        self._early: dict[bytes, Act] = {}
        for row in self.store.records.with_open_audience():
            self.read_act(row)

    def read_again(self) -> None:
        """Makes authority anew of what the store holds: some of it was not stored after all."""
        self._read_acts()
        with enduring("authority cannot be folded"):
            self.authority = None
            self.fold_authority()

    def storable(self, device: bytes) -> bool:
        """Whether the records of this device are stored (R-03.19)."""
        return self.authority is not None and device in self.authority.storable

    def strangers(self) -> list[bytes]:
        """Devices with a log here that are not storable: an act that made them so was dropped."""
        if self.authority is None:
            return []
        known = self.authority.storable
        return [
            one.device
            for one in self.store.logs.all()
            if one.device not in known and (one.head.seq or one.fork)
        ]

    def acts(self, kind: str) -> list[Act]:
        """The authority's acts of one kind that are here, counting or not."""
        return self._acts.of(kind)

    def member(self, device: bytes) -> bool:
        """Whether the device belongs to a member."""
        return self.authority is not None and self.authority.author(device) is not None

    # -- stratum 1 --------------------------------------------------------------------------------

    def read_act(self, row: Row) -> bool:
        """Remembers an open record of authority; what is malformed is none. No quota leaves one
        out (R-03.15): what counts would hang on who counts.
        """
        act = act_of(row.record, self.neighbourhood)
        if act is not None:
            self._every.add(act)
            self._early[act.id] = act
        return act is not None

    def forget_act(self, record_id: bytes) -> None:
        """The record is no longer kept."""
        self._early.pop(record_id, None)
        self._acts.drop(record_id)
        self._every.drop(record_id)

    def beyond_forks(self) -> set[bytes]:
        """R-01.14: votes, removes and accepts that are kept wherever they stand in a forked log."""
        return self._every.beyond_forks(self._forks())

    def authority_with(self, more: Iterable[Act]) -> Authority | None:
        """Authority as it would be with these further acts, for a peer's proof of membership."""
        unknown = [act for act in more if self._acts.get(act.id) is None]
        # A home that has lost its charter knows by the id which one it was.
        shown = (act for act in unknown if act.id == self.neighbourhood)
        charter = self._acts.get(self.neighbourhood) or next(shown, None)
        if charter is None or not unknown:
            return self.authority
        return authority.fold(charter, Acts([*self._acts, *unknown]), self._forks())

    def fold_authority(self) -> set[int]:
        """Folds stratum 1; returns the threads whose facts may have changed with it."""
        for act in list(self._early.values()):
            if not self._ahead(act.time, _AUTHORITY):
                self._acts.add(self._early.pop(act.id))
        charter = self._acts.get(self.neighbourhood)
        if charter is None:
            return set()
        before = self.authority
        self.authority = authority.fold(charter, self._acts, self._forks())
        counting = self._epochs()
        counted = {act.id for act in counting}
        others = [act for act in self.acts("epoch") if act.id not in counted]
        if self.ring.learn(counting, others) and before is not None:
            return self.store.records.roots()
        if before is None:
            return set()
        changed = affected.devices(before, self.authority)
        logs = [known for one in changed if (known := self.store.logs.find(one))]
        decided = affected.decided(before, self.authority, self._acts)
        rows = [row for one in decided if (row := self.store.records.find(one))]
        return {
            *(root for known in logs for root in self.roots_of(known)),
            *(row.root for row in rows if row.root is not None),
        }

    def _epochs(self) -> list[Act]:
        """R-03.8: the epoch acts that count, in order: by standing devices, and of each number
        above 1 only where the one before it exists.
        """
        assert self.authority is not None
        found: list[Act] = []
        last = 0
        for act in sorted(self.acts("epoch"), key=lambda one: (one.fields["number"], one.id)):
            if act.fields["number"] > last + 1:
                break
            last = act.fields["number"]
            receivers = {self.authority.author(one[: seal.KEY]) for one in act.fields["seals"]}
            if self.authority.signer(act.device) and any(
                self.authority.counts(act, one) for one in receivers or {None}
            ):
                found.append(act)
        return found

    def seals(self) -> set[tuple[bytes, bytes]]:
        """Which devices (their keys) have been sent which epoch keys (their ids)."""
        return {
            (one[: seal.KEY], act.fields["key_id"])
            for act in self._epochs()
            for one in act.fields["seals"]
        }

    def statement(self, person: bytes) -> bytes | None:
        """The root statement with which somebody vouched for `person`."""
        found: list[bytes] = [act.fields["statement"] for act in self._acts.about("admit", person)]
        return min(found, default=None)

    def _forks(self) -> dict[bytes, int]:
        return self.store.logs.forks()

    # -- strata 3 and 4 ---------------------------------------------------------------------------

    def fold(self, roots: Iterable[int], begun: Mapping[int, list[Row]] = _NONE) -> None:
        """Folds these threads, by the row of their root, and replaces their views. `begun`: all
        records of those among them that were never folded before.
        """
        left = iter(roots if self.authority is not None else ())
        while some := list(islice(left, _AT_ONCE)):
            threads = {
                n: self._views(begun.get(n) or self.store.records.in_thread(n)) for n in some
            }
            self.views.replace(threads, new=begun)
            for views in threads.values():
                for one in views.values():
                    if one["kind"] == "retracted":
                        self._erase(one["id"])
            changed = self._fold_standing()
            if changed:
                self.fold(changed)
        if self.store.has_erased:
            self.views.purge()

    def _fold_standing(self) -> set[int]:
        """Folds stratum 2; returns the threads in which somebody signs by a proxy that changed."""
        before, self.standing = self.standing, standing(self.views.of_kind("proxy"))
        signers = affected.signers(before, self.standing)
        known = self.authority.devices.values() if signers and self.authority else ()
        logs = [
            log for one in known if one.person in signers and (log := self.store.logs.find(one.key))
        ]
        return {root for log in logs for root in self.roots_of(log)}

    def _views(self, rows: list[Row]) -> dict[int, View]:
        """The views of a thread, by the rows of their records."""
        assert self.authority is not None
        entries = self._entries(rows)
        if all(one.kind is None for one in entries):
            return {}  # nothing here can be read, and of that no view is made
        views = thread.fold(entries, self.authority).views
        return {row.n: view for row in rows if (view := views.get(row.record.id))}

    def _erase(self, record_id: bytes) -> None:
        """A retraction may have begun to hold only now: due, or its content come."""
        row = self.store.records.find(record_id)
        if row is not None and row.record.content is not None:
            self.store.records.set_content(record_id, None)

    def fold_due(self) -> None:
        """Folds what was ahead of this clock and no longer is."""
        limit = self.now() + DRIFT_MS
        due = self._postponed.due(limit)
        if due:
            with self.store.transaction(durable=False):
                self._postponed.forget_due(limit)
                touched = self.fold_authority()
                self.fold(touched | {root for root in due if root != _AUTHORITY})

    def rebuild(self) -> None:
        """Makes all views anew from the records."""
        with self.store.transaction():
            self.views.clear()
            self.fold(self.store.records.roots())
            self.store.set_note("fold", _FOLD_VERSION)

    def thread(self, root: int, extra: Iterable[Entry] = ()) -> Thread:
        """Folds the thread whose root is in row `root`, with `extra` entries not yet posted."""
        assert self.authority is not None
        entries = self._entries(self.store.records.in_thread(root))
        return thread.fold([*entries, *extra], self.authority)

    def _entries(self, rows: Iterable[Row]) -> list[Entry]:
        return [entry for row in rows if (entry := self.entry(row))]

    def roots_of(self, known: Log) -> set[int]:
        """The threads in which a log has records."""
        return self.store.records.roots_of_log(known.n)

    # -- opening records --------------------------------------------------------------------------

    def open(self, one: Record) -> bytes | None:
        """The plain content of a record, or None where it is not here or not for this home.

        Private records stay closed: what folds is what all homes of the neighbourhood see alike.
        """
        if one.content is None or one.fields.reach == record.PRIVATE:
            return None
        if one.fields.reach == record.OPEN:
            return one.content
        key = self.ring.get(seal.sealed_epoch_id(one.content))
        return seal.open_epoch(key, one.content, self.context(one)) if key else None

    def context(self, one: Record) -> bytes:
        """What sealed content of this record is bound to."""
        return seal.context(self.neighbourhood, one.fields.device, one.fields.seq)

    def entry(self, row: Row) -> Entry | None:
        """The record as threads read it; None while it is ahead of this clock."""
        one, fields = row.record, row.record.fields
        if self._ahead(fields.time, row.root or row.n):
            return None
        person = self.authority.signer(fields.device) if self.authority else None
        fault: Refused | None = None
        kind: str | None = None
        values: dict[str, object] = {}
        if person is None:
            fault = Refused("R-03.5", "its device belongs to no member")
        else:
            try:
                kind, values = self._read(one)
            except Refused as refusal:
                fault = refusal
        if row.over and not (kind in KINDS and KINDS[kind or ""].judged):
            kind, values = None, {}
            fault = fault or Refused("R-03.15", "it lies above its device's quota for the day")
        place = (one.id, fields.device, fields.seq, fields.time, one.about)
        entry = Entry(*place, person or b"", kind, values, fault, fields.lasting)
        return signed_for(entry, self.standing, self.authority) if self.authority else entry

    def erased(self, row: Row) -> bool:
        """Whether a retraction of this record is here and holds (R-01.17)."""
        answers = [
            one
            for one in self.store.records.children(row.record.id)
            # Only what a record is about is retracted; a further parent is merely named.
            if one.record.fields.reach == record.OPEN and one.record.about == row.record.id
        ]
        target = self.entry(row) if answers else None
        return target is not None and any(
            (entry := self.entry(one))
            and self.authority is not None
            and self.authority.stands(entry.device, entry.seq)
            and thread.retracts(entry, target)
            for one in answers
        )

    def _read(self, one: Record) -> tuple[str | None, dict[str, object]]:
        plain = self.open(one)
        if plain is None:
            return None, {}
        name, values = schema.read_content(plain)
        if name in KINDS and KINDS[name].audience_code != one.fields.audience:
            audience = record.AUDIENCES[KINDS[name].audience]
            lasting = " and lasts" if KINDS[name].relied_on else ""
            raise Refused("R-10.9", f"a {name} has the audience {audience}{lasting}")
        return name, values

    def _ahead(self, time: int, root: int) -> bool:
        """Whether a time is ahead of this clock; what it belongs to is then folded when it is due."""
        if time <= self.now() + DRIFT_MS:
            return False
        self._postponed.add(root, time)
        return True
