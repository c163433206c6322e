"""The inbox: the only way in. Verify, store, fold, announce.

Whatever brought a record (a person here, gossip, sync, a join), it comes through `take`. What
cannot be placed yet waits in a bounded pool outside the store; what a rule forbids is refused by
name. Merging in any order gives one store and one set of views.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from meshcoop.fold.state import State
from meshcoop.ingest import admission_gate as certificates
from meshcoop.ingest import quota
from meshcoop.ingest.signatures import Verified, verify
from meshcoop.ingest.waiting_pool import Pool
from meshcoop.store.logs import Log
from meshcoop.store.records import Row
from protocol.errors import Refused
from protocol.record import envelope as record
from protocol.record import log
from protocol.record.envelope import Record

_LOG = logging.getLogger(__name__)


@dataclass
class Taken:
    """What became of some records: those stored now; refusals, a line each; logs (by device) with
    a gap or with another history than ours, for which a round of sync is due.
    """

    stored: list[Record] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unplaced: set[bytes] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)  # rows of the roots of threads to fold
    # Of these threads, those that began here just now, whole: they need not be read back.
    begun: dict[int, list[Row]] = field(default_factory=dict)


class Inbox:
    """Takes records into a state. Listeners hear of what was stored, after it is safe."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.store = state.store
        self.pool = Pool()
        self._stale = False  # authority has acts that it was not folded with
        self._absent_after = 0
        self.room: int | None = None  # bytes that a relay still has for this; None: no limit
        self.let_go = 0  # the last row whose sealed content a relay no longer keeps
        self.listeners: list[Callable[[Taken], None]] = []

    def take_wires(self, wires: Iterable[bytes]) -> Taken:
        """Takes records as they came from a peer."""
        taken = Taken()
        records = self.unknown(self.parse(wires, taken))
        return self.take_verified(verify(records, self.state.neighbourhood), taken)

    def take(self, records: Iterable[Record], *, durable: bool = False) -> Taken:
        """Verifies, stores and folds `records`, and what they make placeable in the pool.

        When it returns, what it calls stored survives a killed process; with `durable` also a
        power cut.
        """
        verified = verify(self.unknown(records), self.state.neighbourhood)
        return self.take_verified(verified, Taken(), durable=durable)

    def parse(self, wires: Iterable[bytes], taken: Taken) -> list[Record]:
        """The first step of `take_wires`: the form of records."""
        records = []
        for wire in wires:
            try:
                records.append(record.parse(wire))
            except Refused as refusal:
                taken.refused.append(str(refusal))
        return records

    def unknown(self, records: Iterable[Record]) -> list[Record]:
        """The second step: those not here yet, each once."""
        new: dict[bytes, Record] = {}
        for one in records:
            if one.id not in self.pool:
                new.setdefault(one.id, one)
        held = self.store.records.find_held(list(new))
        return [one for one in new.values() if one.id not in held]

    def take_verified(self, verified: Verified, taken: Taken, *, durable: bool = False) -> Taken:
        """The last step: what `verify` made of unknown records, of which some may have come
        meanwhile by another way.
        """
        taken.refused += verified.refused
        fresh = self.unknown(verified.genuine)
        # What waits here counts as come again: time may have made its author a member meanwhile.
        fresh = fresh or self.pool.ready(self._placeable)
        if fresh:
            with self._all_or_nothing(durable=durable):
                while fresh:
                    for one in fresh:
                        self._place(one, taken)
                    self._fold_stale(taken)
                    fresh = self.pool.ready(self._placeable)
                self.state.thread_fold.fold(taken.touched, taken.begun)
            taken.begun = {}
        if taken.stored:
            for listener in self.listeners:
                listener(taken)
        return taken

    @contextmanager
    def _all_or_nothing(self, *, durable: bool) -> Iterator[None]:
        """A transaction; where it comes to nothing, what was made of it in memory goes as well."""
        try:
            with self.store.transaction(durable=durable):
                yield
        except BaseException:
            if not self.store.is_writing:
                self.state.authority_fold.read_again()
            raise

    def take_contents(self, items: Iterable[tuple[bytes, bytes]]) -> Taken:
        """Takes content for records that are held without it; what was stored because of that."""
        with self.store.transaction(durable=False):
            touched = set()
            for record_id, content in items:
                row = self.store.records.find(record_id)
                if (
                    row is None
                    or row.record.content is not None
                    or self.state.thread_fold.is_erased(row)
                ):
                    continue
                try:
                    record.check_content(row.record.fields, content)
                except Refused as refusal:
                    _LOG.info("content for %s: %s", record_id.hex(), refusal)
                    continue
                self.store.records.set_content(record_id, content)
                whole = Row(row.n, row.root, row.over, row.record._replace(content=content))
                if self.state.authority_fold.read(whole):
                    touched |= self.state.authority_fold.fold()
                if row.root is not None:
                    touched.add(row.root)
            self.state.thread_fold.fold(touched)
        return self.take([])  # an admission may have come to light, for which others wait

    def absent(self, limit: int) -> list[bytes]:
        """Records whose content is missing here though nobody took it back; each call goes on
        where the last one ended, so that what was taken back does not hide the rest.
        """
        rows = self.store.records.without_content(max(self._absent_after, self.let_go), 4 * limit)
        self._absent_after = rows[-1].n if rows else 0
        return [row.record.id for row in rows if not self.state.thread_fold.is_erased(row)][:limit]

    def _placeable(self, one: Record) -> bool:
        """Whether a pooled record's turn has come."""
        if not certificates.storable(self.state, one):
            return False
        known = self.store.logs.find(one.fields.device)
        head = known.head.seq if known else 0
        return one.fields.seq <= head + 1 or (known is not None and known.fork is not None)

    # -- store ------------------------------------------------------------------------------------

    def _place(self, one: Record, taken: Taken) -> None:
        device, seq = one.fields.device, one.fields.seq
        if not self.state.authority_fold.is_storable(device):
            self._fold_stale(taken)
        if not certificates.storable(self.state, one) and one.id != self.state.neighbourhood:
            self._wait(one, taken)
            return
        known = self.store.logs.find_or_add(device)
        if known.ended is not None and seq > known.ended:
            taken.refused.append("the log ended when it passed twice its quota (R-03.15)")
        elif known.fork is not None and seq >= known.fork:
            self._place_beyond(one, known, taken)
        elif seq <= known.head.seq:
            self._fork(one, known, taken)
        elif seq > known.head.seq + 1:
            self._wait(one, taken)
        else:
            self._append(one, known, taken)

    def _wait(self, one: Record, taken: Taken) -> None:
        self.pool.add(one)
        taken.unplaced.add(one.fields.device)

    def _append(self, one: Record, known: Log, taken: Taken) -> None:
        try:
            log.follows(known.head, one)
        except Refused as refusal:
            taken.refused.append(str(refusal))
            if refusal.rule == "R-01.12":
                taken.unplaced.add(known.device)
            return
        if not self._fits(one):
            taken.refused.append("there is no room for what this neighbourhood sends (R-08.8)")
            return
        share = quota.share(self.state.authority, one.fields, known)
        row = self.store.append(one, known, over=share.over, ended=share.ends)
        self._stored(row, taken)

    def _fits(self, one: Record) -> bool:
        """R-08.8: whether there is room. What authority is made of comes in all the same: its
        authors' quotas bound it, and without it nobody could be told from a stranger.
        """
        if self.room is None or one.fields.reach == record.OPEN:
            return True
        return self.room > 0

    def _fork(self, one: Record, known: Log, taken: Taken) -> None:
        """Another record at a number that the log has passed: the log is forked there."""
        _LOG.warning("device %s forked its log at %d", known.device.hex(), one.fields.seq)
        self.store.fork_log(known.device, one.fields.seq)
        taken.begun.clear()
        taken.touched |= self.store.records.roots_of_log(known.n)
        self._place_beyond(one, self.store.logs.find_or_add(known.device), taken)
        for (
            row
        ) in self.store.records.with_open_audience():  # from a fork on no quota leaves anything out
            if row.record.fields.device == known.device:
                self.state.authority_fold.read(row)
        self._fold_authority(taken)

    def _place_beyond(self, one: Record, known: Log, taken: Taken) -> None:
        """R-01.14: from a fork on, only proof and what others have named is kept."""
        row = self.store.insert(one, known.n, over=False)
        self._stale = (
            self.state.authority_fold.read(row) or self._stale
        )  # a vote is kept for what it says
        self._forget(self._prune(), taken)
        kept = self.store.records.find(one.id)  # if it is kept, and in the thread that is left
        if kept is not None:
            self._stored(kept, taken)
        else:  # what would keep it may be on its way
            taken.unplaced.add(known.device)

    def _forget(self, dropped: list[Row], taken: Taken) -> None:
        """What is no longer kept leaves authority and views as well."""
        if dropped:
            taken.begun.clear()
        for row in dropped:
            self.state.authority_fold.forget(row.record.id)
            if row.root == row.n:
                self.state.views.drop(row.n)
            elif row.root is not None:
                taken.touched.add(row.root)
        taken.touched -= {row.n for row in dropped}

    def _fold_stale(self, taken: Taken) -> None:
        """Folds authority once for many acts: before somebody unknown is judged, and at the end."""
        if self._stale:
            self._fold_authority(taken)

    def _fold_authority(self, taken: Taken) -> None:
        """Folds authority; a log whose author's admission is not kept any more waits again."""
        self._stale = False
        before = quota.figures(self.state.authority)
        taken.touched |= self.state.authority_fold.fold()
        while strangers := self.state.authority_fold.strangers():
            for device in strangers:
                rows = self.store.drop_log(device)
                for row in rows:
                    self.pool.add(row.record)
                self._forget([*rows, *self._prune()], taken)
            taken.touched |= self.state.authority_fold.fold()
        if before and before != quota.figures(self.state.authority):
            self._recount(taken)

    def _recount(self, taken: Taken) -> None:
        assert self.state.authority is not None
        with self.store.quota_counts() as counts:
            threads, longer = quota.recount(counts, self.state.authority)
        taken.touched |= threads
        taken.unplaced |= longer  # what comes after is to be had from others
        taken.begun.clear()

    def _prune(self) -> list[Row]:
        return self.store.prune_forks(
            self.pool.named() | self.state.authority_fold.kept_beyond_forks()
        )

    def _stored(self, row: Row, taken: Taken) -> None:
        one = row.record
        taken.stored.append(one)
        named = self.store.parents.has(one.id)  # mostly not, and then nothing waited for it
        self._join_thread(row, taken, named=named)
        self._stale = self.state.authority_fold.read(row) or self._stale
        if named:
            self._erase(row, taken)
        if one.about is not None and one.fields.reach == record.OPEN:
            target = self.store.records.find(one.about)
            if target is not None:
                self._erase(target, taken)

    def _erase(self, row: Row, taken: Taken) -> None:
        if row.record.content is not None and self.state.thread_fold.is_erased(row):
            self.store.records.set_content(row.record.id, None)
            taken.begun.clear()

    def _join_thread(self, row: Row, taken: Taken, *, named: bool) -> None:
        """Notes the record's thread, and gives it to the answers that waited for this one."""
        if row.root is None:
            return
        taken.touched.add(row.root)
        if not named:
            if row.root == row.n:
                taken.begun[row.n] = [row]
            elif row.root in taken.begun:
                taken.begun[row.root].append(row)
            return
        taken.begun.pop(row.root, None)
        waited = [row.record.id]
        while waited:
            for answer in self.store.records.waiting_for(waited.pop()):
                self.store.records.set_root(answer.n, row.root)
                waited.append(answer.record.id)
