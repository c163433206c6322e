"""Folds `witness` records. They say when other records were seen. From this follows at which time
each record stands (specs/24-witnesses.md).
"""

from collections.abc import Collection, Mapping

from meshcoop.store.records import StoredRecord
from protocol.authority.authority import Authority
from protocol.authority.witnesses import (
    HOUR_MS,
    Witnesses,
    WitnessIndex,
    WitnessRecord,
    share_few_hours,
)
from protocol.errors import Refused
from protocol.fold.content import read_content
from protocol.fold.registry import declared_of
from protocol.fold.thread import Entry
from protocol.kinds.witness import Witness
from protocol.record.envelope import DAY_MS, OPEN, Record

_LATELY_MS = 14 * DAY_MS


class Newly:
    """The ids of the records that `witness` records have named since the last call of `take`."""

    def __init__(self) -> None:
        self._named: set[bytes] = set()

    def add(self, ids: Collection[bytes]) -> None:
        """Notes the ids that a `witness` record names. Called when this `witness` record has come
        or gone.
        """
        self._named.update(ids)

    def take(self) -> set[bytes]:
        """Returns the ids that were noted, and forgets them."""
        named = self._named
        self._named = set()
        return named


class WitnessFold:
    """The `witness` records of this home, and the times at which witnesses have seen other
    records.
    """

    def __init__(self) -> None:
        self.index = WitnessIndex()
        self.change_count = 0
        self._followers: list[Newly] = []
        self._kept: tuple[int, Authority, Witnesses] | None = None
        self._few_hours: tuple[tuple[int, int], bool] | None = None  # by change count and day

    def follow(self) -> Newly:
        """Returns an object that from now on notes which records `witness` records name."""
        newly = Newly()
        self._followers.append(newly)
        return newly

    def read(self, row: StoredRecord) -> bool:
        """Reads an open record. Returns whether it is a `witness` record."""
        record = read_witness_record(row.record)
        if record is not None and self.index.add(record):
            self._note(record)
        return record is not None

    def forget(self, record_id: bytes) -> None:
        """Forgets a record that the store no longer holds."""
        record = self.index.drop(record_id)
        if record is not None:
            self._note(record)

    def read_again(self) -> None:
        """Forgets all `witness` records. The caller reads them again."""
        for newly in self._followers:
            newly.add(self.index.named)
        self.index = WitnessIndex()
        self.change_count += 1

    def witnesses(self, authority: Authority) -> Witnesses:
        """Returns the witnesses of all terms, and what they have seen."""
        kept = self._kept
        if kept is not None and kept[0] == self.change_count and kept[1] is authority:
            return kept[2]
        witnesses = find_witnesses(authority, self.index)
        self._kept = (self.change_count, authority, witnesses)
        return witnesses

    def are_on_in_few_hours(self, now: int) -> bool:
        """Returns whether the homes that signed `witness` records lately all run in the same few
        hours of the day (R-24.15). `now` is in ms.
        """
        key = (self.change_count, now // DAY_MS)
        if self._few_hours is None or self._few_hours[0] != key:
            self._few_hours = (key, share_few_hours(self.index.since(now - _LATELY_MS)))
        return self._few_hours[1]

    def has_seen(self, authority: Authority, entry: Entry) -> bool:
        """Returns whether half of the witnesses of a term named a record. The record's author is
        not counted among the witnesses.
        """
        if not self.index.namings_of(entry.id):
            return False
        times = self.witnesses(authority).times_of(entry.id, entry.time, entry.person)
        return times.seen is not None and not times.is_unwitnessed

    def kept_beyond_forks(self, forks: Mapping[bytes, int]) -> set[bytes]:
        """R-24.10a, R-24.11a: returns the ids of records that homes keep although they lie beyond
        the end of their log.

        In each forked log, homes keep the first `witness` record of every six hours. They also keep
        the records that two devices have named.
        """
        first: dict[tuple[bytes, int], bytes] = {}
        for record in self.index.of_devices(forks):
            slot = (record.device, record.time // (6 * HOUR_MS))
            first[slot] = min(record.id, first.get(slot, record.id))
        return self.index.named_twice | set(first.values())

    def _note(self, record: WitnessRecord) -> None:
        self.change_count += 1
        for newly in self._followers:
            newly.add(record.ids)


def find_witnesses(authority: Authority, index: WitnessIndex) -> Witnesses:
    """Returns the witnesses of the terms of a neighbourhood, and what they have seen."""
    return Witnesses(
        authority.chain.terms,
        authority.terms.values(),
        authority.signers,
        index,
        authority.charter["settle_hours"] * HOUR_MS,
    )


def read_witness_record(record: Record) -> WitnessRecord | None:
    """Reads an open record. Returns None if it is not a `witness` record."""
    if record.content is None or record.header.base_audience != OPEN:
        return None
    kind = declared_of(Witness)
    try:
        name, values = read_content(record.content)
    except Refused:
        return None
    if name != kind.name or not kind.fits_audience(record.header.audience):
        return None
    return WitnessRecord(
        record.id,
        record.header.device,
        record.header.time,
        values["term"],
        tuple(values["ids"]),
    )
