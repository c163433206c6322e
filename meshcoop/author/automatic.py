"""Posts records that a home's software signs by itself, without asking a person."""

import logging
from collections.abc import Iterator

from meshcoop.author.author import Author
from meshcoop.author.folding import Folding, fold_at_once
from meshcoop.author.signer import Signer
from meshcoop.store.records import StoredRecord
from protocol.authority.relays import ENDED, MAX_PACKED_ADDRESSES, MAX_PER_PERSON
from protocol.errors import Refused
from protocol.fold.kind import Kind
from protocol.fold.registry import declared_of, names_of
from protocol.fold.thread import Entry
from protocol.kinds.accept_and_close import Accept
from protocol.kinds.exchange.payments import Confirm, Correction, Receipt
from protocol.kinds.neighbourhood import Relay
from protocol.record.envelope import Record
from protocol.record.packed_addresses import pack_addresses
from protocol.record.peer_id import peer_id

_SETTLES_MS = 5000  # a relay's answer may be on its way for this long
_NAMED = 7  # the most parents that an accept has besides the charter
_PAGE = 100  # records that the countersigner reads at once
_MAX_WAITING = 1000  # the most records that may wait for their thread
_COUNTERSIGNED = "countersigned"  # the name of the store's note of the last row read

# A record that breaks one of these rules now can be signed later: the day's room is used up, or the
# device may not sign yet.
_FOR_NOW = frozenset({"R-03.15", "R-03.15j", "R-03.32"})

_LOG = logging.getLogger(__name__)


def accept_charter(author: Author) -> Folding[None]:
    """R-03.20: accepts the charter for the people of this home.

    Each member accepts the records that admitted them. If a member has not accepted some of these
    records, a device of this home signs for the member.
    """
    authority = author.state.authority
    if authority is None:
        return
    signers: list[Signer] = []
    for device in author.devices:
        person = authority.member_of_device(device)
        if person is not None and author.find_fault(device) is None:
            signers.append(author.signer_of(person))
    for signer in signers:
        yield from accept_as(author, signer)


def accept_as(author: Author, signer: Signer) -> Folding[None]:
    """R-03.20: accepts the charter for one person. The record of the kind `accept` names the
    records that admitted this person. If these records do not fit into one `accept`, writes
    several.

    If another task is accepting the charter for this person, does nothing. That task may still be
    waiting for the fold of the charter's thread, so its record may not be stored yet.
    """
    if signer.person in author.accepting:
        return
    author.accepting.add(signer.person)
    try:
        acts = _unaccepted_acts(author, signer.person)
        for at in range(0, len(acts), _NAMED):
            yield from author.writing(
                declared_of(Accept),
                {},
                about=author.state.neighbourhood,
                signer=signer,
                naming=acts[at : at + _NAMED],
                is_automatic=True,
            )
    finally:
        author.accepting.discard(signer.person)


def post_relay(
    author: Author,
    key: bytes,
    addresses: tuple[str, ...],
    state: str,
    *,
    is_automatic: bool = False,
) -> Record:
    """R-08.1: posts a record with which this home's person enrols a relay, or ends its enrolment.
    The argument `state` says which of the two.
    """
    packed = pack_addresses(addresses, MAX_PACKED_ADDRESSES)
    fields = {"key": key, "addresses": packed, "state": state}
    return author.write(declared_of(Relay), fields, is_automatic=is_automatic)


def check_may_enrol(author: Author, key: bytes) -> None:
    """Raises Refused if this person may not enrol another relay, because the limit is reached
    (R-08.2).
    """
    authority = author.state.authority
    relays = authority.relays.values() if authority else ()
    others = [relay for relay in relays if author.person in relay.people and relay.key != key]
    if len(others) >= MAX_PER_PERSON:
        raise Refused(
            "R-08.2",
            "you have enrolled {count} relays, and more do not count; end one with "
            "`meshcoop relay end`",
            count=len(others),
        )


def end_relays(author: Author, refusals: dict[str, int]) -> None:
    """R-08.7: ends the enrolment of relays that no longer serve the neighbourhood. Ends only those
    enrolments that this home's person made.

    `refusals` has an entry for each relay that has told this home "not served". The key is the
    relay's peer id. The value is the time (ms) of the relay's last such answer. The function
    empties this map.
    """
    authority = author.state.authority
    for key, relay in list(authority.relays.items()) if authority else []:
        refused_at = refusals.get(peer_id(key), 0)
        # A relay may have sent its answer before it was enrolled. Such an answer does not count.
        if refused_at > relay.carrier.time + _SETTLES_MS and author.person in relay.people:
            post_relay(author, key, relay.addresses, ENDED, is_automatic=True)
    refusals.clear()


class Countersigner:
    """R-13.15: countersigns records of the kind `confirm`, so that these records are kept.

    A person of this home may have written a receipt or a correction. If the other party confirms
    the receipt or correction by a record of the kind `confirm`, the countersigner signs a confirm
    of that record. The countersigner does so once for each receipt or correction (R-13.15c).

    The countersigner reads each record in the store once, and notes the last row that it has read.
    If the thread of a record is not complete here yet, the countersigner reads this record again
    later.
    """

    def __init__(self, author: Author) -> None:
        self._author = author
        self._store = author.inbox.store
        self._done = int(str(self._store.read_note(_COUNTERSIGNED) or 0))  # the last row looked at
        self._waiting: dict[int, None] = {}  # rows whose thread is not known, oldest first

    def run(self) -> None:
        """Reads the records that arrived since the last run. Reads again the earlier records that
        wait for their thread.
        """
        for look in self.looks():
            fold_at_once(self._author.state, look)

    def looks(self) -> Iterator[Folding[None]]:
        """Yields a small step of work for each record. The caller runs each step before it takes
        the next one.

        Many records may have arrived. So the caller may let other tasks work between two steps.
        """
        before = (self._done, len(self._waiting))
        for number in list(self._waiting):
            row = self._store.records.find_in_row(number)
            if row is None:
                # A fork removed the record. It may come again, in a new row.
                del self._waiting[number]
            else:
                yield self._look(row)
        while rows := self._store.records.lasting_answers(self._done, _PAGE):
            for row in rows:
                yield self._look(row)
                self._done = row.n
        if before != (self._done, len(self._waiting)):
            # After a restart, reading begins with the oldest row that waits.
            self._store.set_note(
                _COUNTERSIGNED, min([self._done, *(number - 1 for number in self._waiting)])
            )

    def _look(self, row: StoredRecord) -> Folding[None]:
        self._waiting.pop(row.n, None)
        if row.root is None:
            self._wait(row)
            return
        person = self._confirmed_author(row)
        if person is None:
            return
        try:
            signer = self._author.signer_of(person)
            yield from self._author.writing(
                declared_of(Confirm), {}, about=row.record.id, signer=signer, is_automatic=True
            )
        except Refused as refusal:
            if refusal.rule in _FOR_NOW:
                self._wait(row)
            _LOG.info("a confirm is not countersigned: %s", refusal)

    def _wait(self, row: StoredRecord) -> None:
        """Notes that a record must be read again. If too many records wait, forgets the oldest."""
        self._waiting[row.n] = None
        if len(self._waiting) > _MAX_WAITING:
            del self._waiting[next(iter(self._waiting), row.n)]

    def _confirmed_author(self, row: StoredRecord) -> bytes | None:
        """Returns the person of this home who has to countersign a record, or None.

        The record must confirm a receipt or a correction that this person wrote. The person must
        not have countersigned another confirm of this receipt or correction.
        """
        state = self._author.state
        entry = state.thread_fold.entry(row)
        if entry is None or entry.about is None or not _is_of(entry, Confirm):
            return None
        above = self._store.records.find(entry.about)
        confirmed = state.thread_fold.entry(above) if above else None
        if confirmed is None or not _is_of(confirmed, Receipt, Correction):
            return None
        person = confirmed.person
        if person not in self._author.people or self._has_countersigned(confirmed.id, person):
            return None
        return person

    def _has_countersigned(self, confirmed: bytes, person: bytes) -> bool:
        """R-13.15c: returns whether a person has already countersigned a confirm of this receipt or
        correction.

        Without this check, the other party could confirm one receipt many times, and this home
        would sign each time.
        """
        state = self._author.state
        entries = map(state.thread_fold.entry, self._store.records.second_answers(confirmed))
        return any(
            entry is not None and entry.person == person and _is_of(entry, Confirm)
            for entry in entries
        )


def _unaccepted_acts(author: Author, person: bytes) -> list[bytes]:
    """Returns the ids of the records that admitted a person, without those that this person has
    accepted.
    """
    authority = author.state.authority
    assert authority is not None, "the person is a member by it"
    admits = authority.members[person].admits
    return [act for act in admits if person not in authority.accepts.get(act, {})]


def _is_of(entry: Entry, *view_types: type[Kind]) -> bool:
    """Returns whether the kind of a record has one of the given view classes."""
    return entry.kind in names_of(*view_types)
