"""Finds the part of a thread that must be folded again when some of its records are new or have
changed (R-03.40a).

A large thread has a trunk and branches. A branch is a record with all its answers, and most records
are in a branch. If a record of a branch is new or has changed, this branch is folded again,
together with the branches to which it is tied. So a new answer costs the same in a long thread as
in a short one. A changed record of the trunk makes the whole thread fold again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from meshcoop.store.records import StoredRecord
from meshcoop.store.store import Store
from meshcoop.store.view_tables.branch_rows import BranchRow, BranchRows, TieRow
from protocol.fold.branches import Ties, begins_branch, is_of_package, sways_others, ties_of
from protocol.fold.fold import MAX_A_DAY
from protocol.fold.thread import Entry
from protocol.record.envelope import DAY_MS

_MOST_BRANCHES = 500  # if a change touches more of them, the whole thread is folded

ReadEntry = Callable[[StoredRecord], Entry | None]


class Part(NamedTuple):
    """A thread, or some branches of it.

    The thread's root is in the row `root`. `rows` are the rows that have changed. `branches` are
    the branches whose views may change. If `branches` is None, the part is the whole thread.
    `support` are the trunk and the further branches on which these branches depend. `headers` are
    the rows of further records: the fold needs the headers of these records, but not their
    contents.
    """

    root: int
    rows: frozenset[int]
    branches: tuple[int, ...] | None = None
    support: tuple[int, ...] = ()
    headers: tuple[int, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the part is the whole thread."""
        return self.branches is None


class PartRows(NamedTuple):
    """The records that are needed to fold some branches.

    `folded` are the records whose views may change. `support` are the records on which these views
    depend. `headers` are further records: the fold needs their headers, but not their contents.
    """

    folded: list[StoredRecord]
    support: list[StoredRecord]
    headers: list[StoredRecord]


class ThreadBranches(NamedTuple):
    """The branches of a whole thread, and their ties. A tie makes branches fold together. A thread
    with only a trunk has neither.
    """

    rows: Sequence[BranchRow] = ()
    ties: Sequence[TieRow] = ()

    def parts(self, size: int) -> Iterator["ThreadBranches"]:
        """Yields these branches and ties in parts of at most `size` rows. The root comes last.
        Until the root is written, the thread counts as a thread without branches.
        """
        for start in range(0, len(self.ties), size):
            yield ThreadBranches((), self.ties[start : start + size])
        for start in range(0, len(self.rows), size):
            yield ThreadBranches(self.rows[start : start + size])


class Parts:
    """Finds the parts of threads that must be folded again. Callers must hold a transaction of the
    store.
    """

    def __init__(self, store: Store, read_entry: ReadEntry) -> None:
        self._store = store
        self._rows = BranchRows(store)
        self._read_entry = read_entry
        self._answered: dict[bytes, StoredRecord | None] = {}  # by id, while parts are found

    def find(self, rows: Iterable[int], most: int = _MOST_BRANCHES) -> list[Part]:
        """Returns the parts to fold if the records in `rows` are new or have changed: one part for
        each thread.

        Finds the branches of at most `most` such records. For the other records, the part is the
        whole thread.
        """
        self._answered.clear()
        by_root: dict[int, set[int]] = defaultdict(set)
        for n, root in self._store.records.roots_of(list(rows)):
            by_root[root].add(n)
        parts: list[Part] = []
        for root, changed in sorted(by_root.items()):
            if root in changed or len(changed) > most:
                parts.append(Part(root, frozenset(changed)))
            else:
                parts.append(self._part(root, changed))
                most -= len(changed)
        return parts

    def size(self, part: Part) -> int:
        """Counts the records that are needed to fold a part."""
        if part.branches is None:
            return self._store.records.count_in_thread(part.root)
        return self._rows.count([*part.branches, *part.support])

    def read(self, part: Part) -> PartRows:
        """Reads the records that are needed to fold some branches."""
        folded, support, headers = self.row_numbers(part)
        records = self._store.records
        return PartRows(
            records.in_rows(folded),
            records.in_rows(support),
            records.in_rows(headers),
        )

    def row_numbers(self, part: Part) -> tuple[list[int], list[int], list[int]]:
        """Returns the rows of the records that are needed to fold some branches. The rows come in
        the three groups of `PartRows`.
        """
        assert part.branches is not None, "a whole thread is read by its root"
        folded = self._rows.rows_of(part.branches)
        support = self._rows.rows_of(part.support)
        read = [*part.branches, *part.support]
        # R-03.9b asks for the times of records that others name, and R-03.10c for the numbers of
        # records on one day.
        named = self._rows.rows_named_by(read)
        crowded = self._rows.full_days(part.root, read, MAX_A_DAY)
        headers = {*named, *crowded, *part.headers}
        return folded, support, sorted(headers - {*folded, *support})

    def find_around(self, entry: Entry, about: StoredRecord) -> Part:
        """Returns the part of a thread that is folded together with a new record before this record
        is signed. The new record answers the record `about`.
        """
        assert about.root is not None, "the author answers a record of a thread"
        root = about.root
        whole = Part(root, frozenset())
        branch = self._rows.find(about.n)
        is_lasting = about.record.header.is_lasting
        begins = begins_branch(entry, is_target_lasting=is_lasting)
        if branch is None or is_of_package(entry) or (branch == root and not begins):
            return whole
        ties = ties_of(entry)
        branches = {branch, *self._rows.branches_of(root, ties.named)}
        for tie in ties.shared:
            branches.update(self._rows.sharing(root, tie))
        branches.discard(root)
        of_day = self._rows.of_day(root, entry.device, entry.time // DAY_MS)
        headers = tuple(of_day) if len(of_day) >= MAX_A_DAY else ()
        return self._with_support(root, frozenset(), branches)._replace(headers=headers)

    def _part(self, root: int, changed: set[int]) -> Part:
        whole = Part(root, frozenset(changed))
        if self._rows.find(root) is None:
            return whole
        branches: set[int] = set()
        for n in sorted(changed):
            touched = self._branches_touched_by(root, n)
            branches |= touched
            if not touched or root in branches or len(branches) > _MOST_BRANCHES:
                return whole
        return self._with_support(root, frozenset(changed), branches)

    def _with_support(self, root: int, changed: frozenset[int], branches: set[int]) -> Part:
        """Returns the part of a thread that is folded to renew some branches. The part also has the
        trunk and the other branches on which these branches depend.
        """
        ordered = sorted(branches)
        support = {*self._rows.named_by(ordered), *self._rows.sharing_with(ordered)} - branches
        if len(support) > _MOST_BRANCHES or len(branches) > _MOST_BRANCHES:
            return Part(root, changed)
        return Part(root, changed, tuple(ordered), (root, *sorted(support - {root})))

    def _branches_touched_by(self, root: int, n: int) -> set[int]:
        """Returns the branches whose views may change because of a record. Returns an empty set if
        the whole thread must be folded and divided into branches again.
        """
        row = self._store.records.find_in_row(n)
        assert row is not None, "its thread was found"
        entry = self._read_entry(row)
        if is_of_package(entry):
            return set()
        ties = ties_of(entry)
        lost: set[bytes] = set()
        branch = self._rows.find(n)
        if branch is None:
            branch = self._place(row, entry)
            if branch is None:
                return set()
        elif branch == n and not self._begins_branch(row, entry):
            return set()  # this home could not read it before
        else:
            # What was tied to the record until now folds differently too. A record that was
            # retracted has no ties any more.
            lost = self._rows.shared_ties(n) - ties.shared
            self._rows.set_ties(n, _tie_rows(n, ties))
        touched = {branch, *self._rows.naming(root, row.record.id)}
        for tie in lost | ties.shared:
            touched.update(self._rows.sharing(root, tie))
        if ties.named:
            touched.update(self._rows.branches_of(root, ties.named) - {root})
        if sways_others(entry):
            touched.update(self._rows.naming_any_of(branch))
            touched.update(self._rows.sharing_with([branch]))
        touched.update(self._rows.later_in_full_day(n, MAX_A_DAY))
        return touched

    def _place(self, row: StoredRecord, entry: Entry | None) -> int | None:
        """Puts a new record into a branch, and returns this branch.

        If the answered record has left the thread, returns None: the new record will leave the
        thread too.
        """
        branch: int | None = None
        new: list[tuple[StoredRecord, Entry | None]] = []
        while branch is None:
            new.append((row, entry))
            above = self._find_answered(row)
            if above is None or above.root != row.root:
                return None
            row = above
            branch = self._rows.find(row.n)
            entry = self._read_entry(row) if branch is None else None
        root = row.root
        assert root is not None, "a record with a place is in a thread"
        for added, its_entry in reversed(new):
            if branch == root and self._begins_branch(added, its_entry):
                branch = added.n
            ties = _tie_rows(added.n, ties_of(its_entry))
            self._rows.add([_branch_row(added, root, branch)], ties)
        return branch

    def _begins_branch(self, row: StoredRecord, entry: Entry | None) -> bool:
        target = self._find_answered(row)
        if target is None:
            return False  # it was deleted, so the answer will leave the thread
        return begins_branch(entry, is_target_lasting=target.record.header.is_lasting)

    def _find_answered(self, row: StoredRecord) -> StoredRecord | None:
        """Returns the record that `row` answers. Remembers the answered record, because many
        records may answer it.
        """
        about = row.record.about or b""
        if about not in self._answered:
            self._answered[about] = self._store.records.find(about)
        return self._answered[about]


def divide_thread(rows: Iterable[StoredRecord], entries: Iterable[Entry]) -> ThreadBranches:
    """Divides a whole thread into its trunk and its branches. A branch is a record with all its
    answers, which can be folded alone. Needs no database.

    If code of an installed package has to read the thread, does not divide it.
    """
    entry_of = {entry.id: entry for entry in entries}
    if any(is_of_package(entry) for entry in entry_of.values()):
        return ThreadBranches()
    row_of = {row.record.id: row for row in rows}
    branches: dict[bytes, int] = {}
    for row in row_of.values():
        new: list[StoredRecord] = []
        current: StoredRecord | None = row
        while current is not None and current.record.id not in branches:
            new.append(current)
            current = row_of.get(current.record.about or b"")
        for added in reversed(new):
            branches[added.record.id] = _branch_of(added, entry_of, row_of, branches)
    if len(set(branches.values())) <= 1:
        return ThreadBranches()
    ordered = sorted(row_of.values(), key=lambda row: row.n == row.root)  # the root comes last
    return ThreadBranches(
        [_branch_row(row, row.root or row.n, branches[row.record.id]) for row in ordered],
        [tie for row in ordered for tie in _tie_rows(row.n, ties_of(entry_of.get(row.record.id)))],
    )


def strip_content(row: StoredRecord) -> StoredRecord:
    """Returns a record without its content."""
    return row._replace(record=row.record._replace(content=None))


def _branch_of(
    row: StoredRecord,
    entry_of: dict[bytes, Entry],
    row_of: dict[bytes, StoredRecord],
    branches: dict[bytes, int],
) -> int:
    target = row_of.get(row.record.about or b"")
    if target is None:
        return row.n  # the root
    above = branches[target.record.id]
    is_lasting = target.record.header.is_lasting
    if above == row.root and begins_branch(
        entry_of.get(row.record.id), is_target_lasting=is_lasting
    ):
        return row.n
    return above


def _branch_row(row: StoredRecord, root: int, branch: int) -> BranchRow:
    header = row.record.header
    return BranchRow(row.n, root, branch, header.device, header.time // DAY_MS)


def _tie_rows(n: int, ties: Ties) -> Collection[TieRow]:
    named = [TieRow(n, tie, False) for tie in ties.named]
    return [*named, *(TieRow(n, tie, True) for tie in ties.shared)]
