"""An index of the open records that authority reads: it finds records by kind and subject.

The index adds new records, and forgets records that the store no longer keeps. The order in which
records came does not change what a fold computes from the index.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from protocol.authority.kind_names import (
    ACCEPT,
    ADMIT,
    CHARTER,
    DEVICE,
    EPOCH,
    GIVEN_KEYS,
    HIDE,
    PART,
    PROPOSAL,
    RELAY,
    REMOVE,
    RENEWAL,
    VOTE,
    WANT_KEYS,
)
from protocol.errors import Refused
from protocol.record import root_statement
from protocol.record.root_statement import Certificate, Leave, Revocation, RootStatement

AUTHORITY_KINDS = frozenset({
    CHARTER, ADMIT, ACCEPT, DEVICE, EPOCH, WANT_KEYS, GIVEN_KEYS, RENEWAL, PART, PROPOSAL, VOTE,
    REMOVE, HIDE, RELAY,
})  # fmt: skip
# Homes read these for the group keys in them. Authority is the same with them and without them.
KEY_KINDS = frozenset({EPOCH, WANT_KEYS, GIVEN_KEYS})


class AuthorityRecord(NamedTuple):
    """An open record, with the parts of it that authority reads.

    `fields` are the fields of its kind. `time` is in milliseconds. `digest` is the hash of its
    content.
    """

    id: bytes
    device: bytes
    seq: int
    time: int
    kind: str
    fields: dict[str, Any]
    parents: tuple[bytes, ...] = ()
    digest: bytes = b""

    @property
    def about(self) -> bytes | None:
        """The id of the record that this record answers. None if this record begins a thread."""
        return self.parents[0] if self.parents else None

    @property
    def subject(self) -> bytes | None:
        """The key by which the index finds this record.

        For an `admit` or `remove`, the key is the person. For a `renewal`, it is the parent term.
        For a `part`, it is the hash of the part's content. For any other kind, it is the id of the
        record that this record answers.
        """
        if self.kind in {ADMIT, REMOVE}:
            return bytes(self.fields["person"])
        if self.kind == RENEWAL:
            return bytes(self.fields["parent"])
        return self.digest if self.kind == PART else self.about


# Returns True if a root statement in a record may certify or revoke a device here.
TakesStatement = Callable[[AuthorityRecord, RootStatement], bool]


class AuthorityIndex:
    """Finds open records by id, by kind and by subject. Also keeps the statements of root keys in
    these records.
    """

    def __init__(self, records: Iterable[AuthorityRecord] = ()) -> None:
        self._by_id: dict[bytes, AuthorityRecord] = {}
        self._by_kind: dict[str, dict[bytes, AuthorityRecord]] = {}
        self._by_subject: dict[str, dict[bytes, dict[bytes, AuthorityRecord]]] = {}
        self._statements: dict[bytes, RootStatement] = {}
        for record in records:
            self.add(record)

    def __iter__(self) -> Iterator[AuthorityRecord]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, record_id: bytes) -> AuthorityRecord | None:
        """Returns the record with this id, or None if the index does not have it."""
        return self._by_id.get(record_id)

    def add(self, record: AuthorityRecord) -> None:
        """Adds a record. If the index has this record already, nothing changes."""
        if record.id in self._by_id:
            return
        self._by_id[record.id] = record
        self._by_kind.setdefault(record.kind, {})[record.id] = record
        if record.subject is not None:
            by_subject = self._by_subject.setdefault(record.kind, {})
            by_subject.setdefault(record.subject, {})[record.id] = record
        if "statement" in record.fields:
            # If a record carries bytes that are not a valid statement, they certify nothing.
            with suppress(Refused):
                self._statements[record.id] = root_statement.read_statement(
                    record.fields["statement"]
                )

    def drop(self, record_id: bytes) -> None:
        """Removes a record from the index, because the store no longer keeps it."""
        record = self._by_id.pop(record_id, None)
        if record is None:
            return
        del self._by_kind[record.kind][record_id]
        self._statements.pop(record_id, None)
        if record.subject is not None:
            alike = self._by_subject[record.kind][record.subject]
            del alike[record_id]
            if not alike:
                del self._by_subject[record.kind][record.subject]

    def of_kinds(self, *kinds: str) -> list[AuthorityRecord]:
        """Returns the records of these kinds, in order of time and id."""
        records = [record for kind in kinds for record in self._by_kind.get(kind, {}).values()]
        return sorted(records, key=lambda record: (record.time, record.id))

    def with_subject(self, kind: str, subject: bytes) -> Collection[AuthorityRecord]:
        """Returns the records of one kind with this subject, in any order.

        An example of a subject is the person that an `admit` lets in. Use this method where the
        order does not matter, such as for a set of voters.
        """
        return self._by_subject.get(kind, {}).get(subject, {}).values()

    def with_subject_in_order(self, kind: str, subject: bytes) -> list[AuthorityRecord]:
        """Returns the records of one kind with this subject, sorted by id.

        An example of a subject is the person that an `admit` lets in. Use this method where the
        order changes the result.
        """
        return sorted(self.with_subject(kind, subject), key=lambda record: record.id)

    def subjects(self, kind: str) -> list[bytes]:
        """Returns the subjects that the records of one kind have, sorted.

        An example of a subject is the person that an `admit` lets in.
        """
        return sorted(self._by_subject.get(kind, {}))

    def statement_of(self, record: AuthorityRecord) -> RootStatement | None:
        """Returns the root statement in a record, or None if the record has none."""
        return self._statements.get(record.id)

    def count_restorations(self, key: bytes | None) -> int:
        """Counts the proposals to restore a removed person, or to show a record's hidden words.

        `key` is the person, or the id of the record. In a change `[what, key, n, value]`, an even
        number `n` restores the person or shows the words (R-03.25).
        """
        proposals = self._by_kind.get(PROPOSAL, {}).values()
        changes = [record.fields.get("change") for record in proposals]
        return sum(
            change is not None and change[1] == key and change[2] % 2 == 0 for change in changes
        )

    def kept_beyond_forks(
        self, forks: Mapping[bytes, int], takes_statement: TakesStatement
    ) -> set[bytes]:
        """Returns the ids of records that come after a log's fork, and that authority keeps anyway.

        Without this, an author could withdraw these records by forking their own log (R-01.14,
        R-03.23). `forks` maps each device to the number at which its log forks, or at which a
        settled cut ends it. `takes_statement` tells which statements of root keys concern
        authority.
        """
        return (
            self._kept_votes(forks)
            | self._kept_renewals(forks)
            | self._kept_statements(forks, takes_statement)
        )

    def _kept_votes(self, forks: Mapping[bytes, int]) -> set[bytes]:
        """Returns the votes, accepts, removes and hides that are kept (R-01.14d to R-01.14g,
        R-01.14n).

        Votes and accepts are kept if they are about a proposal or renewal. A `remove` or `hide`
        names a register and a new number. The record is kept if the register could ever reach this
        number. If a device signs several records of one kind with the same subject, number and
        choice, only the record with the lowest id is kept.
        """
        # A no and a yes are kept apart, because a no must not take the place of a yes.
        kept: dict[tuple[object, ...], bytes] = {}
        for kind in (VOTE, ACCEPT, REMOVE, HIDE):
            for record in self._by_kind.get(kind, {}).values():
                if _is_before_fork(record, forks) or not self._may_count(record, forks):
                    continue
                what = record.fields.get("n", record.fields.get("choice"))
                key = (record.device, kind, record.subject, what)
                kept[key] = min(record.id, kept.get(key, record.id))
        return set(kept.values())

    def _kept_renewals(self, forks: Mapping[bytes, int]) -> set[bytes]:
        """Returns the renewals, and the parts of renewals, that must be kept because a kept renewal
        names them (R-01.14k, R-01.14o).

        A vote or an accept names a renewal as a parent. The store itself keeps a renewal that is
        named in this way.
        """
        kept: set[bytes] = set()
        renewals = self._by_kind.get(RENEWAL, {})
        ahead = [renewal for renewal in renewals.values() if self._is_grounded(renewal, forks)]
        seen = {renewal.id for renewal in ahead}
        while ahead:
            renewal = ahead.pop()
            parent = renewals.get(renewal.fields["parent"])
            if parent is not None and parent.id not in seen:
                seen.add(parent.id)
                kept.add(parent.id)
                ahead.append(parent)
            for digest in renewal.fields.get("parts") or ():
                alike = self.with_subject_in_order(PART, digest)
                if alike and not any(_is_before_fork(part, forks) for part in alike):
                    kept.add(alike[0].id)
        return kept

    def _kept_statements(
        self, forks: Mapping[bytes, int], takes_statement: TakesStatement
    ) -> set[bytes]:
        """Returns the records at or beyond a fork that are kept because they carry a statement of a
        root key. If a record before a fork carries the same statement, no further record is kept
        for it (R-01.14l, R-01.14p).

        For each device and person, one certificate is kept. For each device, one revocation is
        kept. For each person and number, one leave is kept.
        """
        carried: set[object] = set()
        last: dict[bytes, int] = {}  # device → the last number that a revocation lets count
        lowest: dict[bytes, bytes] = {}  # device → the carrier of that revocation
        kept: set[bytes] = set()
        records = self.of_kinds(ADMIT, DEVICE)
        # Records before a fork come first: what they carry needs no other carrier.
        for record in sorted(records, key=lambda record: not _is_before_fork(record, forks)):
            statement = self._statements.get(record.id)
            if statement is None or not takes_statement(record, statement):
                continue
            if isinstance(statement, Revocation):
                if statement.after < last.get(statement.device, statement.after + 1):
                    last[statement.device] = statement.after
                    lowest[statement.device] = record.id
            elif _subject_of(statement) not in carried:
                carried.add(_subject_of(statement))
                kept.add(record.id)
        beyond = {record.id for record in records if not _is_before_fork(record, forks)}
        return beyond & (kept | set(lowest.values()))

    def _is_grounded(self, target: AuthorityRecord, forks: Mapping[bytes, int]) -> bool:
        """Returns True if a record comes before its log's fork, or if another device supports the
        record.

        The other device names the record in a vote or accept, before the fork of its own log.
        """
        return _is_before_fork(target, forks) or any(
            other.device != target.device and _is_before_fork(other, forks)
            for kind in (VOTE, ACCEPT)
            for other in self.with_subject(kind, target.id)
        )

    def _may_count(self, record: AuthorityRecord, forks: Mapping[bytes, int]) -> bool:
        """Returns True if a record beyond the fork of its log may still count at some time. The
        record is a vote, an `accept`, a `remove` or a `hide`.
        """
        if record.kind in {REMOVE, HIDE}:
            return bool(record.fields["n"] <= 1 + 2 * self.count_restorations(record.subject))
        target = self._by_id.get(record.about or b"")
        if target is None or target.kind not in {PROPOSAL, RENEWAL}:
            return False
        # If a vote is kept, its target is kept too. If the target is in the same forked log,
        # another device must vote on it or accept it too. Otherwise the vote and the target would
        # keep each other, but only on homes that received these two before the rest of the fork.
        return target.device != record.device or self._is_grounded(target, forks)


def _subject_of(statement: Certificate | Leave) -> object:
    """Returns what a statement is about. If the statements of several records have the same
    subject, the statement of one of these records is enough.
    """
    if isinstance(statement, Certificate):
        return statement.person, statement.device
    return statement.person, statement.n


def _is_before_fork(record: AuthorityRecord, forks: Mapping[bytes, int]) -> bool:
    """Returns True if the record comes before the fork of its log, or if its log has no fork."""
    return record.seq < forks.get(record.device, record.seq + 1)
