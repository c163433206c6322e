"""Folds authority from open records. Authority says who belongs to the neighbourhood, and what the
neighbourhood has decided. A home folds authority first; the specs call it stratum 1.
"""

from collections.abc import Iterable, Mapping

from meshcoop.fold import invalidation
from meshcoop.fold.epoch_fold import EpochFold
from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.open_records import read_authority_record
from meshcoop.fold.touched import Touched
from meshcoop.fold.witness_fold import WitnessFold
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.store.records import StoredRecord
from meshcoop.store.store import Store
from protocol.authority import authority
from protocol.authority.authority import Authority
from protocol.authority.evidence import collect_evidence
from protocol.authority.record_index import KEY_KINDS, AuthorityIndex, AuthorityRecord
from protocol.fold.kind import Kind
from protocol.fold.registry import declared_of, names_of
from protocol.kinds.neighbourhood import Admit
from protocol.record.root_statement import PLACE_SIZE, Leave, RootStatement


class AuthorityFold:
    """Holds authority, and the authority records from which authority is folded.

    An authority record counts even if it is dated ahead of the clock (R-03.18e).
    """

    def __init__(self, store: Store, neighbourhood: bytes, ring: KeyRing) -> None:
        self._store = store
        self._neighbourhood = neighbourhood
        self.epochs = EpochFold(store, neighbourhood, ring)
        self.witnesses = WitnessFold()
        self.authority: Authority | None = None  # None without a charter
        self._index = AuthorityIndex()
        # Whether the index has changed in what authority is folded from, since the last fold.
        self._is_stale = True
        self._forks: Mapping[bytes, int] = {}  # with which authority was folded last
        self._read_all()

    # -- authority records ------------------------------------------------------------------------

    def read(self, row: StoredRecord) -> bool:
        """Reads an open record. Returns whether the record is a well-formed authority record.

        Also reads records of a device that has exceeded its daily quota (R-03.15). If homes skipped
        these records, they would not agree on which records count.
        """
        act = read_authority_record(row.record, self._neighbourhood)
        if act is not None:
            self._index.add(act)
            self._note_changed(act)
        else:
            self.witnesses.read(row)
        return act is not None

    def forget(self, record_id: bytes) -> bool:
        """Forgets a record that the store no longer holds. Returns whether it was an authority
        record.
        """
        act = self._index.get(record_id)
        if act is not None:
            self._note_changed(act)
        self._index.drop(record_id)
        self.witnesses.forget(record_id)
        return act is not None

    def read_again(self) -> None:
        """Reads all authority records from the store again, and folds them. Callers use this after
        a database transaction has failed.
        """
        self._index = AuthorityIndex()
        self._is_stale = True
        self.epochs.read_again()
        self.witnesses.read_again()
        self._read_all()
        with log_disk_errors("authority cannot be folded"):
            self.authority = None
            self.fold()

    def records_of(self, *view_types: type[Kind]) -> list[AuthorityRecord]:
        """Returns the authority records whose kinds have the given view classes. Includes records
        that do not count.
        """
        return self._index.of_kinds(*names_of(*view_types))

    def kept_beyond_forks(self) -> set[bytes]:
        """R-01.14: returns the ids of authority records that homes keep although they lie beyond
        the end of their log. A log ends at a fork or at a settled cut.
        """
        forks = self._store.logs.forks()
        kept = self._index.kept_beyond_forks(forks, self._takes_statement)
        return kept | self.witnesses.kept_beyond_forks(forks)

    def _takes_statement(self, carrier: AuthorityRecord, carried: RootStatement) -> bool:
        # A record that counts must let the person in. If the carrier itself did, it would keep
        # itself, but only at homes that had it before the fork.
        is_here = carried.place == self._neighbourhood[:PLACE_SIZE]
        if not is_here or self.authority is None or carried.person not in self.authority.people:
            return False
        if isinstance(carried, Leave):
            return True
        order = (carrier.time, carrier.id)
        return self.authority.takes_device(carried.person, carried.device, order)

    def _note_changed(self, act: AuthorityRecord) -> None:
        self._is_stale = self._is_stale or act.kind not in KEY_KINDS

    def _read_all(self) -> None:
        for row in self._store.records.with_open_audience():
            self.read(row)

    # -- authority --------------------------------------------------------------------------------

    def fold(self) -> Touched:
        """Folds authority, if anything has changed in what it is folded from. Then reads the group
        keys. Returns what must be folded again because of these changes.
        """
        charter = self._index.get(self._neighbourhood)
        if charter is None:
            return Touched()
        before = self.authority
        forks = self._store.logs.forks()
        if self.authority is None or self._is_stale or forks != self._forks:
            self.authority = authority.fold_authority(charter, self._index, forks)
            self._is_stale = False
            self._forks = forks
        newly_readable = self.epochs.learn(self.authority, self._index)
        if before is None:
            return Touched()
        touched = Touched()
        if self.authority is not before:
            touched = self._touched_by(before, self.authority)
        touched.rows |= newly_readable
        return touched

    def fold_with(self, further: Iterable[AuthorityRecord]) -> Authority | None:
        """Returns the authority that would follow from this home's records together with the
        records `further`. A peer sends such records to prove its membership.
        """
        unknown = [act for act in further if self._index.get(act.id) is None]
        # A home that has lost its charter recognises the charter by its id.
        shown = (act for act in unknown if act.id == self._neighbourhood)
        charter = self._index.get(self._neighbourhood) or next(shown, None)
        if charter is None or not unknown:
            return self.authority
        acts = AuthorityIndex([*self._index, *unknown])
        return authority.fold_authority(charter, acts, self._store.logs.forks())

    def is_storable(self, device: bytes) -> bool:
        """Returns whether this home may store the records of a device (R-03.19)."""
        return self.authority is not None and device in self.authority.storable_devices

    def strangers(self) -> list[bytes]:
        """Returns the devices that have a log in the store, but whose new records this home does
        not store. A record once let the device in, but was later lost or no longer counted.
        """
        if self.authority is None:
            return []
        storable = self.authority.storable_devices
        return [
            log.device
            for log in self._store.logs.all()
            if log.device not in storable and (log.head.seq or log.fork)
        ]

    def evidence_of(self, device: bytes) -> list[bytes]:
        """Returns the ids of the records that prove that a device is a member's or a relay's
        (R-05.3, R-08.3).
        """
        if self.authority is None:
            return []
        return collect_evidence(self.authority, self._index, device)

    def is_member(self, device: bytes) -> bool:
        """Returns whether a device belongs to a member."""
        return self.authority is not None and self.authority.member_of_device(device) is not None

    def statement(self, person: bytes) -> bytes | None:
        """Returns the statement that a person's root key signed when the person joined: the
        certificate in the record that admits the person. Returns None if no record admits the
        person.
        """
        statements: list[bytes] = [
            act.fields["statement"]
            for act in self._index.with_subject(declared_of(Admit).name, person)
        ]
        return min(statements, default=None)

    def _touched_by(self, before: Authority, after: Authority) -> Touched:
        touched = Touched()
        for device in invalidation.changed_devices(before, after):
            log = self._store.logs.find(device)
            if log is not None:
                touched.logs.add(log.n)
        for decision in invalidation.changed_decisions(before, after, self._index):
            row = self._store.records.find(decision)
            if row is not None and row.root is not None:
                touched.rows.add(row.n)
        return touched
