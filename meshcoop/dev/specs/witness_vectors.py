"""Makes test vectors of witnesses. They show when records were seen, and at which time each record
stands (specs/24).
"""

from collections.abc import Collection, Sequence

from meshcoop.dev.specs.authority_vectors import Rolls
from meshcoop.dev.specs.vectors import START_MS, Document, KeySet, keys_of, seed_of
from meshcoop.fold.witness_fold import find_witnesses, read_witness_record
from protocol.authority.witnesses import HOUR_MS, WitnessIndex
from protocol.record import root_statement
from protocol.record.envelope import Record

_ANA, _BEN, _CAI, _DEE, _ELI = (keys_of(name) for name in ("Ana", "Ben", "Cai", "Dee", "Eli"))
_FOUNDERS = [_ANA, _BEN, _CAI, _DEE, _ELI]
_FOUR = [_ANA, _BEN, _CAI, _DEE]
_REPORT = seed_of("report")
_DAY = 24  # hours
_NOW = 60 * _DAY


def make_documents() -> Document:
    """Makes the vector file of this module. Returns a map from the file's name in specs/vectors/ to
    the file's content.
    """
    return {
        "witnesses": [
            _without_list(),
            _with_half(),
            _with_short_settle_time(),
            _with_claims_of_witnesses(),
            _with_next_term(),
            _with_liars(),
            _with_rival(),
            _with_gap(),
            _with_silent_end(),
            _with_revoked_device(),
        ]
    }


class _Street:
    """A neighbourhood with five founders. All times are hours after the charter."""

    def __init__(self, settle_hours: int = 72) -> None:
        self._rolls = Rolls(_FOUNDERS, vouchers=1, settle_hours=settle_hours)
        self._records: list[Record] = []
        self._asked: list[tuple[bytes, int, KeySet | None, Sequence[KeySet]]] = []

    @property
    def place(self) -> bytes:
        """The id of the neighbourhood."""
        return self._rolls.place

    def sign(
        self, author: KeySet, hour: int, kind: str, fields: Document, about: bytes | None = None
    ) -> Record:
        time = START_MS + hour * HOUR_MS
        signed = self._rolls.sign(author, self._records, kind, fields, about=about, time=time)
        self._records.append(signed)
        return signed

    def renew(
        self,
        parent: bytes,
        witnesses: Collection[KeySet],
        hour: int,
        *,
        voters: Sequence[KeySet] = (_CAI, _DEE, _ELI),
        number: int = 1,
    ) -> bytes:
        """Begins the term that follows the term `parent`. Returns the new term's id."""
        fields = {
            **self._rolls.renewal_fields(parent=parent),
            "round": number,
            "witnesses": sorted(keys.person for keys in witnesses),
        }
        renewal = self.sign(voters[-1], hour, "renewal", fields).id
        for voter in voters:
            self.sign(voter, hour, "vote", {"choice": "yes"}, renewal)
        return renewal

    def name(self, witnesses: Sequence[KeySet], hour: int, term: bytes, *ids: bytes) -> None:
        """Lets the witnesses sign `witness` records of the term `term`. Each record names all of
        the given ids.
        """
        for keys in witnesses:
            self.sign(keys, hour, "witness", {"term": term, "ids": list(ids)})

    def ask(
        self,
        hour: int,
        author: KeySet | None = _ELI,
        parties: Sequence[KeySet] = (),
        record_id: bytes = _REPORT,
    ) -> None:
        """Notes a question for the vectors: when does this record stand? The record claims the hour
        `hour`.
        """
        self._asked.append((record_id, START_MS + hour * HOUR_MS, author, parties))

    def describe(self, name: str) -> Document:
        """Describes the records, and the answers to the questions that `ask` has noted."""
        read = [read_witness_record(record) for record in self._records]
        index = WitnessIndex(record for record in read if record is not None)
        witnesses = find_witnesses(self._rolls.fold(self._records), index)
        now = START_MS + _NOW * HOUR_MS
        asked: list[Document] = []
        for record_id, claimed, author, parties in self._asked:
            people = [keys.person for keys in parties]
            person = author.person if author else None
            times = witnesses.times_of(record_id, claimed, person, people)
            asked.append(
                {
                    "record": record_id.hex(),
                    "claimed": claimed,
                    "author": person.hex() if person else None,
                    "parties": [party.hex() for party in people],
                    "seen": times.seen,
                    "unwitnessed": times.is_unwitnessed,
                    "stands": times.stands_at(now),
                }
            )
        return {**self._rolls.describe_records(name, self._records), "now": now, "asked": asked}


def _begin(street: _Street) -> bytes:
    """Begins a term whose witnesses are four of the five founders. Returns the id of this term."""
    term = street.renew(street.place, _FOUR, _DAY)
    street.name(_FOUR, _DAY + 1, term, term)
    return term


def _without_list() -> Document:
    street = _Street()
    street.ask(0)
    street.ask(50 * _DAY)
    street.ask(_NOW + 1)
    return street.describe("no term has a list: everything stands at its claimed time")


def _with_half() -> Document:
    street = _Street()
    term = _begin(street)
    street.name([_ANA], 101, term, _REPORT)
    street.name([_BEN], 105, term, _REPORT)
    street.name([_CAI], 180, term, _REPORT)
    street.ask(100)
    street.ask(100, author=_ANA)
    street.ask(100, author=None)
    street.ask(100, parties=[_BEN])
    street.ask(100, author=_ANA, parties=[_BEN])
    street.ask(100, author=_ANA, parties=[_BEN, _CAI])
    street.ask(100, author=_ANA, parties=[_BEN, _CAI, _DEE])
    street.ask(100, record_id=seed_of("another report"))
    street.ask(23)
    return street.describe("half of those left see it: without its author, without parties")


def _with_short_settle_time() -> Document:
    street = _Street(settle_hours=24)
    term = _begin(street)
    street.name([_ANA, _BEN], 124, term, _REPORT)
    street.ask(100)
    street.ask(99)
    street.ask(_NOW - 24, record_id=seed_of("another report"))
    street.ask(_NOW - 25, record_id=seed_of("another report"))
    return street.describe("it stands at its claimed time up to the settle time, and then later")


def _with_claims_of_witnesses() -> Document:
    street = _Street()
    term = _begin(street)
    street.name([_ANA, _BEN], 90, term, _REPORT)
    street.name([_ANA, _ELI], 120, term, _REPORT)
    street.name([_ANA, _BEN], 121, seed_of("no term"), seed_of("another report"))
    street.ask(100)
    street.ask(80)
    street.ask(100, record_id=seed_of("another report"))
    return street.describe("named before it claims to be written, twice, in no term")


def _with_next_term() -> Document:
    street = _Street()
    first = _begin(street)
    second = street.renew(first, [_CAI, _DEE, _ELI], 20 * _DAY)
    street.name([_CAI, _DEE], 21 * _DAY, second, second)
    street.name([_ANA, _BEN], 21 * _DAY + 72, first, _REPORT)
    street.name([_ANA, _BEN], 21 * _DAY + 73, first, seed_of("another report"))
    street.name([_CAI, _DEE], 30 * _DAY, second, seed_of("a third report"))
    street.ask(21 * _DAY, author=_ELI)
    street.ask(21 * _DAY + 72, record_id=seed_of("another report"))
    street.ask(30 * _DAY, author=_ANA, record_id=seed_of("a third report"))
    street.ask(10 * _DAY, author=_ANA, record_id=seed_of("a third report"))
    return street.describe("a list sees the next renewal, and then counts for 72 hours")


def _with_liars() -> Document:
    street = _Street()
    first = street.renew(street.place, [_ANA, _BEN, _CAI], _DAY)
    street.name([_ANA, _BEN, _CAI], _DAY + 1, first, first)
    street.name([_ANA, _BEN], 21 * _DAY, first, seed_of("later"))
    second = street.renew(first, [_DEE, _ELI], 20 * _DAY)
    street.name([_DEE, _ELI], 20 * _DAY, second, _REPORT)
    street.name([_ANA, _BEN], 22 * _DAY, first, second)
    street.ask(10 * _DAY, author=_CAI)
    street.ask(20 * _DAY, author=_CAI)
    street.ask(10 * _DAY, author=_DEE)
    return street.describe("a list of liars sees nothing before the list before it saw its renewal")


def _with_rival() -> Document:
    street = _Street()
    first = _begin(street)
    rival = street.renew(first, [_ANA, _ELI], 20 * _DAY)
    second = street.renew(first, [_CAI, _DEE], 20 * _DAY, number=2)
    refused = street.renew(first, [_ANA, _ELI], 20 * _DAY, voters=[_ELI], number=3)
    street.name([_ANA], 20 * _DAY + 1, rival, _REPORT, second)
    street.name([_BEN], 20 * _DAY + 2, second, _REPORT, second)
    street.name([_ANA, _BEN], 20 * _DAY + 3, refused, seed_of("another report"))
    street.ask(20 * _DAY)
    street.ask(20 * _DAY, record_id=seed_of("another report"))
    street.ask(20 * _DAY, author=None, record_id=second)
    return street.describe("named in a term beside the chain, and in a term that did not pass")


def _with_gap() -> Document:
    street = _Street()
    first = _begin(street)
    second = street.renew(first, [_ELI], 20 * _DAY)
    street.name([_CAI, _DEE], 20 * _DAY + 2, first, second)
    third = street.renew(second, [_ANA, _BEN], 40 * _DAY)
    street.name([_ANA], 40 * _DAY + 5, third, _REPORT)
    street.name([_BEN], 40 * _DAY + 9, third, third)
    street.ask(30 * _DAY)
    street.ask(10 * _DAY)
    street.ask(40 * _DAY + 4)
    street.ask(40 * _DAY + 5)
    street.ask(30 * _DAY, author=_ANA)
    return street.describe("a term leaves nobody, until half of the next list has begun")


def _with_silent_end() -> Document:
    street = _Street()
    first = _begin(street)
    street.renew(first, [], 20 * _DAY)
    street.ask(20 * _DAY + 1)
    street.ask(20 * _DAY - 1)
    street.ask(10 * _DAY)
    return street.describe("no witness has seen the renewal to a term without a list")


def _with_revoked_device() -> Document:
    street = _Street()
    term = _begin(street)
    street.name([_ANA, _BEN], 101, term, _REPORT)
    place = street.place[: root_statement.PLACE_SIZE]
    revocation = root_statement.revoke_device(_ANA.root_seed, _ANA.device, 1, place)
    street.sign(_BEN, 200, "device", {"statement": revocation})
    street.ask(100)
    return street.describe("a revocation of a witness's device undoes nothing that it named")
