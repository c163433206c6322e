"""Stratum 1: who belongs to the neighbourhood and what it has decided, folded of open records."""

from collections.abc import Iterable

from meshcoop.fold import invalidation
from meshcoop.fold.clock_limit import ClockLimit
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.open_records import read_authority_record
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.store.records import StoredRecord
from meshcoop.store.store import Store
from protocol.authority import authority
from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.record.sealing import KEY_SIZE

ROOT = 0  # stands for authority among the rows of the roots of threads that are postponed


class AuthorityFold:
    """Authority, and the authority records that it is folded of. One that is ahead of this clock is
    known, and left out until it is due.
    """

    def __init__(
        self, store: Store, neighbourhood: bytes, ring: KeyRing, clock_limit: ClockLimit
    ) -> None:
        self._store = store
        self._neighbourhood = neighbourhood
        self._ring = ring
        self._clock_limit = clock_limit
        self.authority: Authority | None = None  # None without a charter
        self._index = AuthorityIndex()
        self._index_with_early = AuthorityIndex()
        self._unfolded: dict[
            bytes, AuthorityRecord
        ] = {}  # by id: those that came since the last fold
        self._read_all()

    # -- authority records ------------------------------------------------------------------------

    def read(self, row: StoredRecord) -> bool:
        """Takes in an open record; returns whether it is an authority record. What is malformed is
        none.

        No quota leaves one out (R-03.15): which of them count would hang on who counts.
        """
        act = read_authority_record(row.record, self._neighbourhood)
        if act is not None:
            self._index_with_early.add(act)
            self._unfolded[act.id] = act
        return act is not None

    def forget(self, record_id: bytes) -> None:
        """Forgets a record that is no longer kept."""
        self._unfolded.pop(record_id, None)
        self._index.drop(record_id)
        self._index_with_early.drop(record_id)

    def read_again(self) -> None:
        """Makes authority anew of what the store holds: some of it was not stored after all."""
        self._index = AuthorityIndex()
        self._index_with_early = AuthorityIndex()
        self._unfolded = {}
        self._read_all()
        with log_disk_errors("authority cannot be folded"):
            self.authority = None
            self.fold()

    def records_of_kind(self, kind: str) -> list[AuthorityRecord]:
        """The authority records of one kind that are here, whether they count or not."""
        return self._index.of_kinds(kind)

    def kept_beyond_forks(self) -> set[bytes]:
        """R-01.14: votes, removes and accepts that are kept wherever they stand in a forked log."""
        return self._index_with_early.kept_beyond_forks(self._store.logs.forks())

    def _read_all(self) -> None:
        for row in self._store.records.with_open_audience():
            self.read(row)

    # -- authority --------------------------------------------------------------------------------

    def fold(self) -> set[int]:
        """Folds authority; returns the roots of the threads whose views may change with it."""
        for act in list(self._unfolded.values()):
            if not self._clock_limit.postpones(act.time, ROOT):
                self._index.add(self._unfolded.pop(act.id))
        charter = self._index.get(self._neighbourhood)
        if charter is None:
            return set()
        before = self.authority
        self.authority = authority.fold_authority(charter, self._index, self._store.logs.forks())
        has_other_keys = self._learn_keys()
        if before is None:
            return set()
        if has_other_keys:
            return self._store.records.roots()
        return self._changed_roots(before, self.authority)

    def fold_with(self, further: Iterable[AuthorityRecord]) -> Authority | None:
        """Authority as it would be with further records, for a peer's proof of membership."""
        unknown = [act for act in further if self._index.get(act.id) is None]
        # A home that has lost its charter knows by the id which one it was.
        shown = (act for act in unknown if act.id == self._neighbourhood)
        charter = self._index.get(self._neighbourhood) or next(shown, None)
        if charter is None or not unknown:
            return self.authority
        acts = AuthorityIndex([*self._index, *unknown])
        return authority.fold_authority(charter, acts, self._store.logs.forks())

    def is_storable(self, device: bytes) -> bool:
        """Whether the records of this device are stored (R-03.19)."""
        return self.authority is not None and device in self.authority.storable_devices

    def strangers(self) -> list[bytes]:
        """Devices that have a log here and are not storable: the record that made them so is gone."""
        if self.authority is None:
            return []
        storable = self.authority.storable_devices
        return [
            log.device
            for log in self._store.logs.all()
            if log.device not in storable and (log.head.seq or log.fork)
        ]

    def is_member(self, device: bytes) -> bool:
        """Whether the device belongs to a member."""
        return self.authority is not None and self.authority.member_of_device(device) is not None

    def statement(self, person: bytes) -> bytes | None:
        """The root statement with which somebody vouched for a person."""
        statements: list[bytes] = [
            act.fields["statement"] for act in self._index.with_subject("admit", person)
        ]
        return min(statements, default=None)

    def _changed_roots(self, before: Authority, after: Authority) -> set[int]:
        roots: set[int] = set()
        for device in invalidation.changed_devices(before, after):
            log = self._store.logs.find(device)
            if log is not None:
                roots |= self._store.records.roots_of_log(log.n)
        for decision in invalidation.changed_decisions(before, after, self._index):
            row = self._store.records.find(decision)
            if row is not None and row.root is not None:
                roots.add(row.root)
        return roots

    # -- epoch keys -------------------------------------------------------------------------------

    def seals(self) -> set[tuple[bytes, bytes]]:
        """Which devices (their keys) have been sent which epoch keys (their ids)."""
        return {
            (seal[:KEY_SIZE], act.fields["key_id"])
            for act in self._counting_epochs()
            for seal in act.fields["seals"]
        }

    def _learn_keys(self) -> bool:
        counting = self._counting_epochs()
        counted_ids = {act.id for act in counting}
        others = [act for act in self.records_of_kind("epoch") if act.id not in counted_ids]
        return self._ring.learn(counting, others)

    def _counting_epochs(self) -> list[AuthorityRecord]:
        """R-03.8: the epoch records that count, in order: by standing devices, and of each number
        above 1 only where the one before it exists.
        """
        assert self.authority is not None, "keys are learnt after authority was folded"
        counting: list[AuthorityRecord] = []
        last_number = 0
        for act in sorted(self.records_of_kind("epoch"), key=_epoch_order):
            if act.fields["number"] > last_number + 1:
                break
            last_number = act.fields["number"]
            if self._counts(act, self.authority):
                counting.append(act)
        return counting

    def _counts(self, epoch: AuthorityRecord, authority: Authority) -> bool:
        if not authority.person_of_device(epoch.device):
            return False
        receivers = {authority.member_of_device(seal[:KEY_SIZE]) for seal in epoch.fields["seals"]}
        return any(authority.counts(epoch, receiver) for receiver in receivers or {None})


def _epoch_order(act: AuthorityRecord) -> tuple[int, bytes]:
    return act.fields["number"], act.id
