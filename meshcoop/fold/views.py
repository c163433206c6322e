"""Stores the views of threads. Also stores a search table, the credits (minutes given and
received), and the answers that views wait for. All of these can be made again from the records at
any time.
"""

import hashlib
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple, TypeVar

import msgpack

from meshcoop.fold.parts import ThreadBranches
from meshcoop.fold.slices import pause
from meshcoop.store.failed_threads import FailedThread, FailedThreads
from meshcoop.store.store import Store
from meshcoop.store.view_tables.awaited_rows import AwaitedRow, AwaitedRows, FoundRow
from meshcoop.store.view_tables.branch_rows import BranchRows
from meshcoop.store.view_tables.credit_rows import CreditRows
from meshcoop.store.view_tables.newer_rows import NewerRows
from meshcoop.store.view_tables.relying_rows import RelyingRow, RelyingRows
from meshcoop.store.view_tables.view_rows import ViewPlace, ViewRow, ViewRows
from protocol.fold.balance import Balance
from protocol.fold.facets import Awaited, Credit, Crowd
from protocol.fold.fold import hash_view
from protocol.fold.kind import Kind
from protocol.fold.registry import names_of, view_of
from protocol.fold.thread import ViewResult
from protocol.fold.view import View
from protocol.spelling import query_terms, search_terms

V = TypeVar("V", bound=Kind)

_WRITTEN_AT_ONCE = 50  # views of a large thread
_BRANCHED_AT_ONCE = 500  # records whose branches are noted
_SORTED_AT_ONCE = 100  # rows that a search has matched


class FoldedView(NamedTuple):
    """A view, and the values that are stored with it. If `is_core` is False, this view is not part
    of the state hash.
    """

    view: View
    result: ViewResult
    is_core: bool = True

    @property
    def hash(self) -> bytes:
        """The hash of the packed view."""
        return hash_view(self.result.packed)


class FoldedThread(NamedTuple):
    """The parts of a folded thread that are stored. The keys of `views` and `newer` are rows of
    records.

    `newer` has the records whose kinds this program does not know, with the names of these kinds.
    If code failed during the fold, `failure` is the error as a line of text. `branches` are the
    thread's branches. If only some branches were folded, `rows` has the rows of their records.
    """

    views: Mapping[int, FoldedView] = {}
    newer: Mapping[int, str] = {}
    failure: str | None = None
    branches: ThreadBranches = ThreadBranches()
    rows: Sequence[int] | None = None


class Waiting(NamedTuple):
    """An answer that a view waits for, and the id of the view's record."""

    id: bytes
    awaited: Awaited


class Relying(NamedTuple):
    """A view that relies on a person. Holds the id of the view's record, the row of the thread's
    root, and this person.
    """

    id: bytes
    root: int
    person: bytes


class ViewChanges:
    """The views that have changed since the last call of `take`.

    If a transaction has failed, some of these views may in fact be unchanged.
    """

    def __init__(self) -> None:
        self.rows: set[int] = set()  # of the views' records
        self.is_cleared = False  # all views were removed, and may be made again

    def take(self) -> set[int]:
        """Returns the rows of the changed views. Then forgets these rows."""
        rows = self.rows
        self.rows = set()
        return rows


class Views:
    """The shared views of this home, in its database. Callers must hold a transaction
    of the store.
    """

    def __init__(self, store: Store, *, stale: bool = False) -> None:
        """`stale` is True if an older version of the program filled the tables. If so, drops the
        tables and makes them again.
        """
        self._store = store
        self._rows = ViewRows(store)
        self._credits = CreditRows(store)
        self._awaited = AwaitedRows(store)
        self._relying = RelyingRows(store)
        self._newer = NewerRows(store)
        self._branches = BranchRows(store)
        self._failed = FailedThreads(store)
        self._changes: dict[int, int] = {}  # by root; counted since this home started
        self._clear_count = 0
        self._kept_hash: tuple[tuple[int, ...], bytes] | None = (
            None  # with the version of all views
        )
        self._kind_changes: Counter[str] = Counter()  # counted since this home started
        self._followers: list[ViewChanges] = []
        if stale:
            self._drop_tables()
        self._create_tables()

    # -- writing ----------------------------------------------------------------------------------

    def replace(self, threads: Mapping[int, FoldedThread], *, new: Container[int] = ()) -> None:
        """Replaces the views of the given threads. The key of a thread is the row of its root.
        `new` are the roots of threads that had no views before.
        """
        fresh: list[_Fresh] = []
        for root, thread in threads.items():
            stored = {} if root in new else self._stored_hashes(root, thread)
            changed, gone = _differences(root, thread, stored)
            self._remove_all([*gone, *(row.n for row in changed if row.n in stored)])
            fresh += changed
            if root not in new:
                deque(self._remove_rest(root, thread), 0)
            self._add_rest(root, thread.views.items())
            self._branches.add(*thread.branches)
            self._note_folded(root, thread)
        self._add(fresh)

    def replace_in_steps(self, root: int, thread: FoldedThread) -> Iterator[list[View]]:
        """Replaces the views of one large thread, or of some of its branches, in steps.

        The caller runs each step in a transaction of its own. A step yields the views that it has
        written.
        """
        stored = self._stored_hashes(root, thread)
        changed, gone = _differences(root, thread, stored)
        for start in range(0, len(gone), _WRITTEN_AT_ONCE):
            self._remove_all(gone[start : start + _WRITTEN_AT_ONCE])
            yield []
        for start in range(0, len(changed), _WRITTEN_AT_ONCE):
            part = changed[start : start + _WRITTEN_AT_ONCE]
            self._remove_all(row.n for row in part if row.n in stored)
            self._add(part)
            yield [row.folded.view for row in part]
        for _ in self._remove_rest(root, thread):
            yield []
        views = list(thread.views.items())
        for start in range(0, len(views), _WRITTEN_AT_ONCE):
            self._add_rest(root, views[start : start + _WRITTEN_AT_ONCE])
            yield []
        for branches in thread.branches.parts(_BRANCHED_AT_ONCE):
            self._branches.add(*branches)
            yield []
        self._note_folded(root, thread)
        yield []

    def drop_records(self, root: int, rows: Sequence[int]) -> None:
        """Removes everything that is stored about the given records, which have left a thread."""
        self.replace({root: FoldedThread(rows=rows)})
        self._branches.remove(rows)

    def purge(self) -> None:
        """Removes the words of deleted views from the search table. Callers use this after content
        was erased.
        """
        self._rows.purge_words()

    def clear(self) -> None:
        """Removes all views and credits, so that they can be made again."""
        self._drop_tables()
        self._create_tables()
        self._clear_count += 1
        for changes in self._followers:
            changes.rows.clear()
            changes.is_cleared = True

    # -- views ------------------------------------------------------------------------------------

    def find(self, record_id: bytes) -> View | None:
        """Returns the view of one record. Returns None if the record has no view."""
        body = self._rows.body(record_id)
        return None if body is None else _unpack(body)

    def in_row(self, n: int) -> View:
        """Returns the view of the record in row `n`. The record must have a view."""
        return _unpack(self._rows.body_in_row(n))

    def find_several(self, ids: Sequence[bytes]) -> dict[bytes, View]:
        """Returns the views of the records in `ids`, by id. Leaves out records without a view."""
        views: dict[bytes, View] = {}
        for record_id, body in self._rows.bodies(ids):
            pause()
            views[record_id] = _unpack(body)
        return views

    def of_thread(self, root: int) -> list[View]:
        """Returns the views of a thread."""
        views: list[View] = []
        for body in self._rows.bodies_in_thread(root):
            pause()
            views.append(_unpack(body))
        return views

    def of_thread_by_row(self, root: int) -> dict[int, View]:
        """Returns the views of a thread, by the rows of their records."""
        views: dict[int, View] = {}
        for n, body in self._rows.bodies_by_row(root):
            pause()
            views[n] = _unpack(body)
        return views

    def find_in_rows(self, rows: Sequence[int]) -> dict[int, View]:
        """Returns the views of the records in the given rows. The keys of the result are these
        rows.
        """
        views: dict[int, View] = {}
        for n in rows:
            body = self._rows.find_body_in_row(n)
            if body is not None:
                views[n] = _unpack(body)
        return views

    def of_kind(
        self, view_type: type[V], *, about: bytes | None = None, limit: int | None = None
    ) -> list[V]:
        """Returns at most `limit` views of one class, the newest first. If `about` is given,
        returns only the views that answer that record.

        For a base class, such as the class of all offers and requests, returns the views of all its
        kinds.
        """
        views = (view for view in self.newest(view_type) if about in {None, view.about})
        return list(islice(views, limit))

    def newest(
        self, view_type: type[V], *, state: str | None = None, root: int | None = None
    ) -> Iterator[V]:
        """Yields the views of one class, the newest first. Reads a view from the database only when
        the caller asks for the next one.

        If `state` is given, yields only the views that are stored with this state. If `root` is
        given, yields only the views of the thread whose root record is in the row `root`.
        """
        return merge(
            *(
                _read(view_type, self._rows.newest_bodies(name, state=state, root=root))
                for name in names_of(view_type)
            ),
            key=lambda view: (-view.created, view.id),
        )

    def latest_by_author(self, view_type: type[V]) -> dict[bytes, V]:
        """Returns the latest view of one class for each author. The latest view has the highest
        (time, id).
        """
        by_kind = (_read(view_type, self._rows.oldest_bodies(name)) for name in names_of(view_type))
        return {view.author: view for view in merge(*by_kind, key=lambda view: view.order)}

    def count(self, view_type: type[Kind], *, root: int | None = None) -> int:
        """Returns the number of views of one class. If `root` is given, counts only the views of
        the thread whose root record is in this row.
        """
        return sum(self._rows.count(name, root) for name in names_of(view_type))

    def search(self, words: str) -> list[int]:
        """Returns the rows of the views that match all of the given words (R-06.13). The best match
        comes first.

        A view matches a word if one of the view's own words begins with the given word. Some
        scripts write no spaces between words. In these scripts, the given word may also be inside a
        longer word.
        """
        matches = self._rows.matches(query_terms(words))
        runs: list[list[tuple[float, bytes, int]]] = []
        while run := sorted(islice(matches, _SORTED_AT_ONCE)):
            pause()
            runs.append(run)
        ranked: list[int] = []
        for _, _, n in merge(*runs):
            pause()
            ranked.append(n)
        return ranked

    def in_rows(self, rows: Sequence[int]) -> Iterator[View]:
        """Yields the views in the given rows, in the order of `rows`. Leaves out rows without a
        view. Reads a view from the database only when the caller asks for the next one.
        """
        for body in self._rows.bodies_in_rows(rows):
            pause()
            yield _unpack(body)

    # -- credits ----------------------------------------------------------------------------------

    def balances(self) -> dict[bytes, Balance]:
        """Returns for each person the minutes that the person gave, and those that the person
        received.
        """
        sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for person, is_gift, minutes in self._credits.sums("giver"):
            sums[person][2 * is_gift] += minutes
        for person, is_gift, minutes in self._credits.sums("receiver"):
            sums[person][2 * is_gift + 1] += minutes
        return {person: Balance(*four) for person, four in sums.items()}

    def credits_of(self, person: bytes) -> list[Credit]:
        """Returns the credits of a person: the minutes that the person gave or received. The
        earliest credit comes first.
        """
        rows = map(Credit._make, self._credits.of_person(person))
        return [credit._replace(is_gift=bool(credit.is_gift)) for credit in rows]

    def receipts(self) -> Iterator[tuple[bytes, str]]:
        """Yields the receiver and the day of each credit that comes from a receipt. A credit comes
        from a receipt if it names a day and is no gift.
        """
        return self._credits.receipts()

    # -- awaited answers --------------------------------------------------------------------------

    def awaited_of(self, person: bytes) -> Iterator[Waiting]:
        """Yields the views that wait for an answer of this person."""
        return (_waiting(person, row) for row in self._awaited.of_person(person))

    def awaited_of_crowd(self, crowd: Crowd) -> Iterator[Waiting]:
        """Yields the views that wait for an answer of a crowd: the voters or the moderators."""
        return (_waiting(crowd, row) for row in self._awaited.of_crowd(crowd))

    def relying_views(self, person: bytes) -> Iterator[Relying]:
        """Yields the views that a person wrote, and the views that rely on this person. If a view
        relies on several people, it is yielded once for each of them.
        """
        return map(Relying._make, self._relying.concerning(person))

    # -- what this program does not understand ----------------------------------------------------

    def newer_counts(self) -> dict[str, int]:
        """Counts the records of kinds that this program does not know. Returns a count for each
        such kind.
        """
        return self._newer.counts()

    def failed_threads(self) -> list[FailedThread]:
        """Returns the threads that this program failed to fold."""
        return self._failed.all()

    def failure_of(self, root: int) -> str | None:
        """Returns the error with which a thread failed. Returns None if the thread did not fail."""
        return self._failed.find(root)

    # -- changes ----------------------------------------------------------------------------------

    def version_of_thread(self, root: int) -> tuple[int, int]:
        """Returns a version of the thread's views. If a later call returns another version, the
        views may have changed. Do not store a version: it is valid only while this process runs.
        """
        return self._clear_count, self._changes.get(root, 0)

    def version_of_kind(self, view_type: type[Kind]) -> tuple[int, ...]:
        """Returns a version of all views of one class. If a later call returns another version,
        some of these views may have changed. Do not store a version: it is valid only while this
        process runs.
        """
        changes = (self._kind_changes[name] for name in names_of(view_type))
        return self._clear_count, self._store.failure_count, *changes

    @property
    def change_count(self) -> int:
        """The number of rows written to the store so far. While this number stays the same, no view
        has changed.
        """
        return self._store.change_count

    def follow(self) -> ViewChanges:
        """Returns an object that from now on notes which views have changed."""
        changes = ViewChanges()
        self._followers.append(changes)
        return changes

    def places_after(self, n: int, names: Sequence[str], limit: int) -> list[ViewPlace]:
        """Returns where the next views of the named kinds are, in order: at most `limit` places,
        all in rows above `n`.
        """
        return self._rows.places_after(n, names, limit)

    def places_in_rows(self, rows: Sequence[int]) -> list[ViewPlace]:
        """Returns a place for each view in the given rows. Leaves out rows without a view."""
        return self._rows.places_in_rows(rows)

    def state_hash(self) -> bytes:
        """R-03.16: returns the hash of all views of core kinds. Homes that can read the same
        records get the same hash. Views of kinds that a plug-in adds are left out.
        """
        # Programs that wait for a hash ask often. If others write meanwhile, the version is past.
        version = (self._clear_count, self._store.failure_count, self.change_count)
        if self._kept_hash is None or self._kept_hash[0] != version:
            hasher = hashlib.sha256(b"meshcoop state 1\0")
            for hashes in self._rows.core_hashes():
                pause()
                hasher.update(hashes)
            self._kept_hash = version, hasher.digest()
        return self._kept_hash[1]

    def _create_tables(self) -> None:
        self._rows.create()
        self._credits.create()
        self._awaited.create()
        self._relying.create()
        self._newer.create()
        self._branches.create()
        self._failed.create()

    def _drop_tables(self) -> None:
        self._rows.drop()
        self._credits.drop()
        self._awaited.drop()
        self._relying.drop()
        self._newer.drop()
        self._branches.drop()
        self._failed.drop()

    def _note_changes(self, rows: Sequence[int]) -> None:
        for changes in self._followers:
            changes.rows.update(rows)

    def _stored_hashes(self, root: int, thread: FoldedThread) -> dict[int, tuple[bytes, bool]]:
        """Returns the hashes of those stored views that a folded thread replaces."""
        if thread.rows is None:
            return self._rows.hashes_in_thread(root)
        return self._rows.hashes_in_rows(thread.rows)

    def _remove_rest(self, root: int, thread: FoldedThread) -> Iterator[None]:
        """Removes what is stored beside the views of a folded thread, such as credits. Credits can
        change although no view changes. If there is much to remove, the removal takes several
        steps.
        """
        for table in (self._awaited, self._relying, self._newer):
            if thread.rows is None:
                table.remove_thread(root)
            else:
                table.remove_rows(thread.rows)
        yield
        if thread.rows is None:
            yield from self._branches.remove_thread(root)

    def _add_rest(self, root: int, views: Collection[tuple[int, FoldedView]]) -> None:
        """Stores everything that is stored beside the views of a thread, such as credits and
        awaited answers.
        """
        self._awaited.add(
            _awaited_row(n, root, awaited)
            for n, folded in views
            for awaited in folded.result.awaited
        )
        self._relying.add(
            RelyingRow(n, root, folded.view.author, person)
            for n, folded in views
            for person in folded.result.relies
        )

    def _note_folded(self, root: int, thread: FoldedThread) -> None:
        self._newer.add(root, thread.newer.items())
        self._failed.note(root, thread.failure)
        self._changes[root] = self._changes.get(root, 0) + 1

    def _add(self, fresh: Sequence["_Fresh"]) -> None:
        self._note_changes([row.n for row in fresh])
        self._kind_changes.update(row.folded.view.kind for row in fresh)
        words = [(row.n, text) for row in fresh if (text := _words(row.folded.result.texts))]
        self._rows.add([row.row() for row in fresh], words)
        self._credits.add(
            [(row.n, *credit) for row in fresh for credit in row.folded.result.credits]
        )

    def _remove_all(self, rows: Iterable[int]) -> None:
        for n in rows:
            # The search table keeps only the places of words. To delete an entry, it needs the same
            # words again.
            view = _unpack(self._rows.body_in_row(n))
            self._kind_changes[view.kind] += 1
            self._rows.remove(n, _words(view.texts()))
            self._credits.remove(n)
            self._note_changes([n])


class _Fresh(NamedTuple):
    """A view that must be written to the database. Its record is in row `n`."""

    n: int
    root: int
    folded: FoldedView

    def row(self) -> ViewRow:
        """Returns the view as a row of the table of views."""
        view = self.folded.view
        return ViewRow(
            self.n,
            view.id,
            self.root,
            view.kind,
            view.about,
            view.created,
            str(view.state),
            self.folded.is_core,
            self.folded.result.packed,
            self.folded.hash,
        )


def _differences(
    root: int, thread: FoldedThread, stored: Mapping[int, tuple[bytes, bool]]
) -> tuple[list[_Fresh], list[int]]:
    """Compares a folded thread with the stored views. Returns two things: the views that are new or
    have changed, and the rows of views that are gone.
    """
    changed = [
        _Fresh(n, root, folded)
        for n, folded in thread.views.items()
        if stored.get(n) != (folded.hash, folded.is_core)
    ]
    return changed, sorted(stored.keys() - thread.views.keys())


def _unpack(body: bytes) -> View:
    return view_of(msgpack.unpackb(body))


def _read(view_type: type[V], bodies: Iterator[bytes]) -> Iterator[V]:
    """Unpacks the views in `bodies`. All of these views have the given class."""
    for body in bodies:
        pause()
        view = _unpack(body)
        assert isinstance(view, view_type), "the name of a kind stands for its class"
        yield view


def _awaited_row(n: int, root: int, awaited: Awaited) -> AwaitedRow:
    who = awaited.who
    return AwaitedRow(
        n,
        root,
        None if isinstance(who, Crowd) else who,
        str(who) if isinstance(who, Crowd) else None,
        awaited.kind,
        awaited.about,
        awaited.since,
        awaited.until,
    )


def _waiting(who: bytes | Crowd, row: FoundRow) -> Waiting:
    view, answer, about, since, until = row
    return Waiting(view, Awaited(who, answer, about, since, until))


def _words(texts: Iterable[str]) -> str:
    """Returns one text with the search terms of a view. Spaces separate the terms. `texts` are the
    texts of the view.
    """
    return " ".join(search_terms("\n".join(texts)))
