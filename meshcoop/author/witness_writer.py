"""Signs records of the kind `witness`. In them, a witness's home names the records that it holds
(specs/24 R-24.2).
"""

import logging
from collections.abc import Collection, Iterator
from itertools import islice
from typing import NamedTuple

from meshcoop.author.author import Author
from meshcoop.author.folding import Folding
from meshcoop.store.records import StoredRecord
from protocol.authority.authority import Authority
from protocol.authority.terms import Term
from protocol.errors import Refused
from protocol.fold.registry import KINDS, declared_of
from protocol.fold.thread import Entry
from protocol.kinds.services.loop import parties_at
from protocol.kinds.witness import MOST_NAMED, Witness
from protocol.loops.matters import Matter

PAUSE_MS = 8 * 3_600_000  # between two times at which a home names what it holds
LEAST_WAIT_MS = 5 * 60_000  # news comes in one after the other
MOST_WAIT_MS = 24 * 60_000

_PAGE = 50  # records that are read in one step
_MOST_UNSEEN = 5000  # records that may wait to be seen
_READ = "witness_read"  # the store's note of the last row read
_SIGNED = "witness_signed"  # the store's note of the time of the last naming begins with this

_LOG = logging.getLogger(__name__)


def wait_after_news(person: bytes) -> int:
    """R-24.2d: returns how long (ms) a person's home waits before it names a record that has
    arrived.

    Some homes wait longer than others. If enough other homes have named a record meanwhile, the
    last homes need not name it.
    """
    spread = 1 + (MOST_WAIT_MS - LEAST_WAIT_MS) // 60_000
    return LEAST_WAIT_MS + person[0] % spread * 60_000


class _Unseen(NamedTuple):
    """A record that fewer than half of the witnesses have named. `service` is the root of its
    thread.
    """

    entry: Entry
    service: bytes


class WitnessWriter:
    """Signs `witness` records for each person of this home who is a witness. These `witness`
    records name the records that this home holds.

    The writer reads each record in the store once. After a restart, it begins with the oldest
    record that too few witnesses have named.
    """

    def __init__(self, author: Author) -> None:
        self._author = author
        self._state = author.state
        self._store = author.state.store
        self._done = int(str(self._store.read_note(_READ) or 0))  # the last row read
        self._unseen: dict[int, _Unseen] = {}  # by row, the oldest first
        self._matters: list[tuple[Matter, frozenset[bytes]]] = []  # with the parties of each
        self._news_since: int | None = None  # when the first record came that is not named yet

    def looks(self) -> Iterator[None]:
        """Reads the records that have come since the last call, in steps. The caller may let other
        tasks work between two steps.
        """
        before = self._done
        while rows := self._store.records.page(self._done, _PAGE):
            for row in rows:
                self._done = row.n
                unseen = self._read(row)
                if unseen is not None:
                    self._unseen[row.n] = unseen
            for number in list(self._unseen)[:-_MOST_UNSEEN]:
                del self._unseen[number]
            yield
        if self._done != before:
            self._store.set_note(_READ, min([self._done, *(row - 1 for row in self._unseen)]))

        for start in range(0, len(self._unseen), _PAGE):
            self._forget_seen(list(self._unseen)[start : start + _PAGE])
            yield

    def note_matters(self, now: int) -> None:
        """Notes the matters that are open at the time `now` (ms). This computes the state of every
        service, so the caller lets other tasks run meanwhile.
        """
        self._matters = [
            (matter, parties_at(followed.party_since, matter.opened))
            for followed in self._author.loops.all_followed(now)
            for matter in followed.matters
            if matter.closed is None
        ]

    def may_sign(self) -> bool:
        """Returns whether some witness of this home may sign again: the pause after the last
        `witness` record of this witness is over.
        """
        authority = self._state.authority
        if authority is None:
            return False
        now = self._author.now()
        witnesses = self._state.authority_fold.witnesses.witnesses(authority)
        return any(
            witnesses.term_of(person, now) is not None and self._has_paused(person, now)
            for person in self._author.people
        )

    def sign_due(self) -> Folding[None]:
        """Signs a `witness` record for each person of this home who has something to name now
        (R-24.2).
        """
        authority = self._state.authority
        if authority is None:
            return
        now = self._author.now()
        for person in sorted(self._author.people):
            witnesses = self._state.authority_fold.witnesses.witnesses(authority)
            term = witnesses.term_of(person, now)
            if term is None or not self._has_paused(person, now):
                continue
            ids = list(self._unnamed(authority, person, term))
            if ids and self._news_since is None:
                self._news_since = now
            if ids and now - (self._news_since or now) >= wait_after_news(person):
                yield from self._name(person, term, ids)

    def _read(self, row: StoredRecord) -> _Unseen | None:
        """Returns a record with the service to which it belongs. Returns None if witnesses do not
        name records of its kind (R-24.2a).
        """
        root = self._store.records.find_in_row(row.root) if row.root is not None else None
        if root is None or not self._is_witnessed(root) or not self._is_witnessed(row):
            return None
        entry = self._state.thread_fold.entry(row)
        if entry is None:
            return None
        return _Unseen(entry, root.record.id)

    def _is_witnessed(self, row: StoredRecord) -> bool:
        entry = self._state.thread_fold.entry(row)
        kind = KINDS.get(entry.kind or "") if entry is not None else None
        return kind is not None and kind.view_type.witnessed

    def _forget_seen(self, rows: list[int]) -> None:
        """Forgets the records in `rows` that enough witnesses have named."""
        authority = self._state.authority
        if authority is None:
            return
        witnesses = self._state.authority_fold.witnesses.witnesses(authority)
        for row in rows:
            unseen = self._unseen[row]
            entry = unseen.entry
            parties = self._parties(unseen)
            times = witnesses.times_of(entry.id, entry.time, entry.person, parties)
            if times.seen is not None:
                del self._unseen[row]

    def _unnamed(self, authority: Authority, person: bytes, term: Term) -> Iterator[bytes]:
        """Yields the ids of records that too few witnesses have named, and that a person's home has
        not named in a term.
        """
        fold = self._state.authority_fold.witnesses
        witnesses = fold.witnesses(authority)
        entries = [unseen.entry for unseen in self._unseen.values()]
        candidates = [
            entry.id
            for entry in entries
            if entry.person != person and authority.stands(entry.device, entry.seq)
        ]
        candidates += [renewal.id for renewal in witnesses.unseen_renewals()]
        candidates += [
            matter.id
            for matter, parties in self._matters
            if witnesses.times_of(matter.id, matter.opened, parties=parties).seen is None
        ]
        own = [device.key for device in authority.devices_of(person)]
        for record_id in candidates:
            namings = fold.index.namings_of(record_id)
            if not any(naming.device in own and naming.term == term.id for naming in namings):
                yield record_id

    def _parties(self, unseen: _Unseen) -> Collection[bytes]:
        followed = self._author.loops.loops_for(unseen.service, self._author.now())
        return parties_at(followed.party_since, unseen.entry.time) if followed is not None else ()

    def _has_paused(self, person: bytes, now: int) -> bool:
        last = self._store.read_note(f"{_SIGNED} {person.hex()}")
        return last is None or now - int(str(last)) >= PAUSE_MS

    def _name(self, person: bytes, term: Term, ids: list[bytes]) -> Folding[None]:
        """Signs as many `witness` records as are needed to name all ids."""
        signer = self._author.signer_of(person)
        self._news_since = None
        self._store.set_note(f"{_SIGNED} {person.hex()}", self._author.now())
        waiting = iter(ids)
        while part := list(islice(waiting, MOST_NAMED)):
            try:
                yield from self._author.writing(
                    declared_of(Witness),
                    {"term": term.id, "ids": part},
                    signer=signer,
                    is_automatic=True,
                )
            except Refused as refusal:
                _LOG.info("what this home holds is not named: %s", refusal)
                return
