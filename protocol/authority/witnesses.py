"""Says when witnesses saw a record, and at which time the record counts (specs/24-witnesses.md).

A claimed time proves nothing. So each term has a list of witnesses. Their homes sign `witness`
records, which name the ids of the records that they hold. A record is seen once half of the
witnesses of a term have named it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from protocol.authority.terms import Signers, Term

HOUR_MS = 3_600_000
_DAY_MS = 24 * HOUR_MS
_FEW_HOURS_MS = 5 * 3_600_000  # where the hours of homes begin in four hours, many are late
_FEWEST_DAYS = 3
OVERLAP_MS = 72 * HOUR_MS  # witnesses count for so long after they have seen the next renewal


class WitnessRecord(NamedTuple):
    """A `witness` record. Its device had the records `ids` at `time` (ms), in the term `term`."""

    id: bytes
    device: bytes
    time: int
    term: bytes
    ids: tuple[bytes, ...]


class RecordTimes(NamedTuple):
    """When a record claims to be written, and when witnesses saw it, in milliseconds.

    `seen` is None if too few witnesses have named the record. If a term leaves no witness for the
    record, `seen` comes from the claimed time, and `is_unwitnessed` is True.
    """

    claimed: int
    seen: int | None
    is_unwitnessed: bool
    settle_ms: int

    @property
    def is_late(self) -> bool:
        """True if witnesses saw the record so late that its claimed time does not count
        (R-24.6).
        """
        return self.seen is not None and self.seen - self.claimed > self.settle_ms

    def stands_at(self, now: int) -> int | None:
        """Returns the time that counts for the record at the time `now`, or None if no time counts
        (ms).

        An unseen record counts at its claimed time for `settle_ms`, and after that at no time
        (R-24.7).
        """
        if self.seen is None:
            return self.claimed if now <= self.claimed + self.settle_ms else None
        return self.seen if self.is_late else self.claimed


class WitnessIndex:
    """Finds `witness` records by the ids that they name. The order in which the records came
    changes nothing.
    """

    def __init__(self, records: Iterable[WitnessRecord] = ()) -> None:
        self._by_id: dict[bytes, WitnessRecord] = {}
        self._named_in: dict[bytes, list[WitnessRecord]] = defaultdict(list)
        self._first_times: dict[bytes, dict[bytes, int]] | None = None
        self.named_twice: set[bytes] = set()  # the ids that two devices have named
        for record in records:
            self.add(record)

    def add(self, record: WitnessRecord) -> bool:
        """Adds a record. Returns False if the index already has the record."""
        if record.id in self._by_id:
            return False
        self._by_id[record.id] = record
        for named in record.ids:
            self._named_in[named].append(record)
            if self._named_in[named][0].device != record.device:
                self.named_twice.add(named)
        if self._first_times is not None:
            _note_first(self._first_times, record)
        return True

    def drop(self, record_id: bytes) -> WitnessRecord | None:
        """Forgets a record that the store no longer holds. Returns the record, or None if the index
        does not have it.
        """
        record = self._by_id.pop(record_id, None)
        for named in record.ids if record is not None else ():
            self._named_in[named] = [
                other for other in self._named_in[named] if other.id != record_id
            ]
            if len({other.device for other in self._named_in[named]}) <= 1:
                self.named_twice.discard(named)
        self._first_times = None
        return record

    @property
    def named(self) -> Collection[bytes]:
        """The ids that `witness` records name."""
        return self._named_in.keys()

    def of_devices(self, devices: Collection[bytes]) -> Iterable[WitnessRecord]:
        """Yields the `witness` records that these devices signed."""
        return (record for record in self._by_id.values() if record.device in devices)

    def since(self, time: int) -> Iterable[WitnessRecord]:
        """Yields the records that claim this time (ms) or a later one."""
        return (record for record in self._by_id.values() if record.time >= time)

    def namings_of(self, record_id: bytes) -> Sequence[WitnessRecord]:
        """Returns the `witness` records that name a record."""
        return self._named_in.get(record_id, ())

    def first_times(self, term: bytes) -> Mapping[bytes, int]:
        """Returns the time of each device's first `witness` record in a term."""
        if self._first_times is None:
            self._first_times = {}
            for record in self._by_id.values():
                _note_first(self._first_times, record)
        return self._first_times.get(term, {})


class Witnesses:
    """The witnesses of the terms of a chain, and what they have seen."""

    def __init__(
        self,
        terms: Sequence[Term],
        passed: Iterable[Term],
        signers: Signers,
        index: WitnessIndex,
        settle_ms: int,
    ) -> None:
        """`terms` are the terms of the chain in order. `passed` are all terms that passed, each
        after its parent. `settle_ms` is the charter's settle time.
        """
        self._terms = terms
        # Each term that passed → its place in the chain. A term outside the chain has the place of
        # the last term before it in the chain.
        self._places = {term.id: place for place, term in enumerate(terms)}
        for term in passed:
            if term.id not in self._places and term.parent in self._places:
                self._places[term.id] = self._places[term.parent]
        self._signers = signers
        self._index = index
        self._settle_ms = settle_ms
        self._rosters: dict[tuple[bytes | None, frozenset[bytes]], _Roster] = {}
        self._begun = [self._find_begin(place) for place in range(len(terms))]
        # When each term's witnesses saw the renewal that follows it, and when each term began.
        self._seen_renewals: list[int | None] = [None] * len(terms)
        self._starts = [0] * len(terms)
        self._see_renewals()

    @property
    def basis(self) -> object:
        """Everything on which the times of records depend, except for the `witness` records that
        name them.

        As long as this value stays equal, the times of a record change only if a new `witness`
        record names it.
        """
        ids = [(term.id, term.witnesses) for term in self._terms]
        return (ids, self._begun, self._seen_renewals, self._settle_ms, self._signers)

    def times_of(
        self,
        record_id: bytes,
        claimed: int,
        author: bytes | None = None,
        parties: Collection[bytes] = (),
    ) -> RecordTimes:
        """Returns the times of a record (R-24.3 to R-24.7).

        `author` is the person who wrote the record, or None for a matter, which nobody writes.
        `parties` are the people who hold a part of the record's service.
        """
        roster = self._roster_for(author, frozenset(parties))
        at_claim = self._see_without_witnesses(roster, claimed)
        times = [] if at_claim is None else [at_claim]
        for place, namings in self._namings_by_term(record_id).items():
            seen = self._see_in_term(place, roster.left[place], namings, claimed)
            if seen is not None:
                times.append(seen)
        seen = min(times, default=None)
        return RecordTimes(claimed, seen, seen is not None and seen == at_claim, self._settle_ms)

    def seen_at(self, matter: bytes, parties: Collection[bytes]) -> int | None:
        """Returns when half of the witnesses of a term had named the id of a matter, or None.

        A matter has no author and claims no time. `parties` do not count among the witnesses.
        """
        roster = self._roster_for(None, frozenset(parties))
        times = [
            self._see_in_term(place, roster.left[place], namings, 0)
            for place, namings in self._namings_by_term(matter).items()
        ]
        return min((time for time in times if time is not None), default=None)

    def term_of(self, person: bytes, now: int) -> Term | None:
        """Returns the term in whose name a person's home signs as a witness now, or None (R-24.2).

        It is the latest term that lists the person as a witness. If the list of this term has
        ended, the result is None.
        """
        for place in range(len(self._terms) - 1, -1, -1):
            if person in self._terms[place].witnesses:
                return self._terms[place] if self._is_open(place, now) else None
        return None

    def unseen_renewals(self) -> list[Term]:
        """Returns those terms of the chain that the witnesses of the preceding term have not seen
        yet.
        """
        return [
            follower
            for place, follower in enumerate(self._terms[1:])
            if self._terms[place].witnesses and self._seen_renewals[place] is None
        ]

    def _see_in_term(
        self, place: int, left: Collection[bytes], namings: Mapping[bytes, int], claimed: int
    ) -> int | None:
        """Returns when half of the people in `left` had named a record. Returns None if too few of
        them have named the record.

        `left` are witnesses of a term. `namings` maps each person to the time at which this person
        named the record.
        """
        earliest = max(claimed, self._starts[place])
        times = sorted(max(time, earliest) for person, time in namings.items() if person in left)
        needed = _half_of(left)
        return times[needed - 1] if 0 < needed <= len(times) else None

    def _see_without_witnesses(self, roster: "_Roster", claimed: int) -> int | None:
        """Returns when a record counts as seen without witnesses, or None (R-24.5).

        If a term leaves no witness for the record, the record counts as seen at any time from the
        beginning of this term until half of the next term's witnesses have begun (R-24.5a,
        R-24.5c).
        """
        for start, end in roster.gaps:
            if end is None or claimed < end:
                return max(start, claimed)
        return None

    def _namings_by_term(self, record_id: bytes) -> dict[int, dict[bytes, int]]:
        """Maps the place of each term in the chain to that term's namings of a record. A naming is
        a person who named the record, and the time (ms).
        """
        by_term: dict[int, dict[bytes, int]] = {}
        for record in self._index.namings_of(record_id):
            for place in self._places_of(record):
                namings = by_term.setdefault(place, {})
                for person in self._signers.get(record.device, ()):
                    namings[person] = min(record.time, namings.get(person, record.time))
        return by_term

    def _places_of(self, record: WitnessRecord) -> Iterable[int]:
        """Yields the terms for which a `witness` record counts, by their places in the chain.

        Begins with the record's own term, and goes back through the earlier terms. Stops before a
        term whose list of witnesses has ended (R-24.3c, R-24.3d).
        """
        for place in range(self._places.get(record.term, -1), -1, -1):
            if not self._is_open(place, record.time):
                return
            yield place

    def _is_open(self, place: int, time: int) -> bool:
        """Returns True if the witnesses of a term still count at `time` (R-24.4)."""
        seen = self._seen_renewals[place]
        return seen is None or time <= seen + OVERLAP_MS

    def _find_begin(self, place: int) -> int | None:
        """Returns the time at which half of a term's witnesses had signed a first record in this
        term or in a later term. Returns None if fewer than half have signed such a record.
        """
        people = self._terms[place].witnesses
        times: dict[bytes, int] = {}
        for term, at in self._places.items():
            for device, time in self._index.first_times(term).items() if at >= place else ():
                for person in self._signers.get(device, frozenset()) & people:
                    times[person] = min(time, times.get(person, time))
        needed = _half_of(people)
        return sorted(times.values())[needed - 1] if 0 < needed <= len(times) else None

    def _see_renewals(self) -> None:
        """Notes when each term's witnesses saw the renewal that follows it (R-24.4).

        The next term begins at that time. So even if liars are the witnesses of the next term, they
        can move no record to an earlier time.
        """
        for place, follower in enumerate(self._terms[1:]):
            namings = self._namings_by_term(follower.id).get(place, {})
            people = self._terms[place].witnesses
            seen = self._see_in_term(place, people, namings, follower.since)
            self._seen_renewals[place] = seen
            self._starts[place + 1] = max(self._starts[place], seen or 0)

    def _roster_for(self, author: bytes | None, parties: frozenset[bytes]) -> "_Roster":
        key = (author, parties)
        if key not in self._rosters:
            self._rosters[key] = self._make_roster(author, parties)
        return self._rosters[key]

    def _make_roster(self, author: bytes | None, parties: frozenset[bytes]) -> "_Roster":
        left = [term.witnesses - parties - {author} for term in self._terms]
        gaps: list[tuple[int, int | None]] = []
        for place, people in enumerate(left):
            if people:
                continue
            later = [at for at in range(place + 1, len(left)) if left[at]]
            start = self._starts[place]
            if place and left[place - 1] and self._seen_renewals[place - 1] is None:
                start = self._terms[place].since
            gaps.append((start, self._begun[later[0]] if later else None))
        return _Roster(left, gaps)


class _Roster(NamedTuple):
    """The witnesses of each term, without the author of a record and the parties of its service.

    `left` has the witnesses that are left in each term. `gaps` are the times when no witness is
    left, each with its beginning and its end. The end is None if that time still goes on.
    """

    left: list[frozenset[bytes]]
    gaps: list[tuple[int, int | None]]


def share_few_hours(records: Iterable[WitnessRecord]) -> bool:
    """Returns True if all homes that signed these records run in the same few hours of the day
    (R-24.15).

    Returns False also if the records are of one device, or of fewer than three days.
    """
    signed = list(records)
    devices = {record.device for record in signed}
    days = {record.time // _DAY_MS for record in signed}
    if len(devices) <= 1 or len(days) < _FEWEST_DAYS:
        return False
    times = sorted(record.time % _DAY_MS for record in signed)
    gaps = [later - earlier for earlier, later in pairwise([*times, times[0] + _DAY_MS])]
    return max(gaps) >= _DAY_MS - _FEW_HOURS_MS


def _half_of(people: Collection[bytes]) -> int:
    """Returns the smallest number of people that is at least half of `people`."""
    return (len(people) + 1) // 2


def _note_first(first_times: dict[bytes, dict[bytes, int]], record: WitnessRecord) -> None:
    of_term = first_times.setdefault(record.term, {})
    of_term[record.device] = min(record.time, of_term.get(record.device, record.time))
