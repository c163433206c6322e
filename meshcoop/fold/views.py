"""Stores the views of threads, a search table, and the credits (the minutes given and received).
All of this can be rebuilt from records at any time.
"""

import hashlib
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgpack

from meshcoop.store.credit_rows import CreditRows
from meshcoop.store.store import Store
from meshcoop.store.view_rows import ViewRow, ViewRows
from protocol.fold import balance
from protocol.fold.balance import Balance, Credit
from protocol.fold.fold import hash_view
from protocol.fold.thread import View
from protocol.record import codec

# Maps the row of each thread's root to the views of the thread, by the row of their record.
Threads = Mapping[int, Mapping[int, View]]

_NO_WORDS = frozenset(("kind", "state"))  # fields whose text is not a person's


class Views:
    """The shared views of this home, stored in its database. Callers must hold a transaction of the
    store.
    """

    def __init__(self, store: Store, *, stale: bool = False) -> None:
        """If `stale`, drops the tables and makes them again, because an older version of the
        program filled them.
        """
        self._store = store
        self._rows = ViewRows(store)
        self._credits = CreditRows(store)
        self._changes: dict[int, int] = {}  # by root; counted since this home started
        self._clear_count = 0
        if stale:
            self._drop_tables()
        self._create_tables()

    # -- writing ----------------------------------------------------------------------------------

    def replace(self, threads: Threads, *, new: Container[int] = ()) -> None:
        """Replaces the views of these threads. `new` are the roots of threads that had no views
        before.
        """
        fresh: list[_Fresh] = []
        for root, views in threads.items():
            hashes = {} if root in new else self._rows.hashes_in_thread(root)
            for n, view in views.items():
                packed = codec.pack(view)
                hash_now = hash_view(packed)
                if hashes.get(n) == hash_now:
                    del hashes[n]
                else:
                    fresh.append(_Fresh(n, root, view, packed, hash_now))
            for n in hashes:  # gone, or about to be replaced
                self._remove(n)
            self._changes[root] = self._changes.get(root, 0) + 1
        self._add(fresh)

    def drop_thread(self, root: int) -> None:
        """Removes the views of a thread that is gone from the store."""
        self.replace({root: {}})

    def purge(self) -> None:
        """Removes the words of deleted views from the search table. Callers use this after content
        was erased.
        """
        self._rows.purge_words()

    def clear(self) -> None:
        """Removes all views and credits before a rebuild."""
        self._drop_tables()
        self._create_tables()
        self._clear_count += 1

    # -- views ------------------------------------------------------------------------------------

    def find(self, record_id: bytes) -> View | None:
        """Returns the view of one record, or None if the record has no view."""
        body = self._rows.body(record_id)
        return None if body is None else _unpack(body)

    def in_row(self, n: int) -> View:
        """Returns the view of the record in row `n`. The record must have a view."""
        return _unpack(self._rows.body_in_row(n))

    def find_several(self, ids: Sequence[bytes]) -> dict[bytes, View]:
        """Returns the views of the records in `ids`, by id. Leaves out records without a view."""
        return {record_id: _unpack(body) for record_id, body in self._rows.bodies(ids)}

    def of_thread(self, root: int) -> list[View]:
        """Returns the views of a thread."""
        return [_unpack(body) for body in self._rows.bodies_in_thread(root)]

    def of_kind(
        self, kind: str, *, about: bytes | None = None, limit: int | None = None
    ) -> list[View]:
        """Returns at most `limit` views of one kind, the newest first. If `about` is given, returns
        only the views about that record.
        """
        views = (view for view in self.newest(kind) if about in {None, view["about"]})
        return list(islice(views, limit))

    def newest(
        self, kind: str, *, state: str | None = None, root: int | None = None
    ) -> Iterator[View]:
        """Yields the views of one kind, the newest first. Each view is read from the database only
        when the caller asks for it.

        If `state` is given, yields only the views that are stored with this state. If `root` is
        given, yields only the views of one thread, whose root record is in the row `root`.
        """
        bodies = self._rows.newest_bodies(kind, state=state, root=root)
        return (_unpack(body) for body in bodies)

    def latest_by_author(self, kind: str) -> dict[bytes, View]:
        """Returns the latest view of one kind for each author: the view with the highest (time,
        id).
        """
        views = (_unpack(body) for body in self._rows.oldest_bodies(kind))
        return {view["author"]: view for view in views}

    def search(self, words: str, limit: int) -> list[View]:
        """Returns at most `limit` views that have all the words, the best match first.

        A view has a word if one of its own words begins with that word.
        """
        return [_unpack(body) for body in self._rows.search(words, limit)]

    # -- credits ----------------------------------------------------------------------------------

    def balances(self) -> dict[bytes, Balance]:
        """Returns the minutes that each person gave and received."""
        sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for person, is_gift, minutes in self._credits.sums("giver"):
            sums[person][2 * is_gift] += minutes
        for person, is_gift, minutes in self._credits.sums("receiver"):
            sums[person][2 * is_gift + 1] += minutes
        return {person: Balance(*four) for person, four in sums.items()}

    def credits_of(self, person: bytes) -> list[Credit]:
        """Returns what a person gave and received, the earliest first."""
        return [Credit(*columns) for columns in self._credits.of_person(person)]

    def receipts(self) -> Iterator[tuple[bytes, str]]:
        """Yields the receiver and the day of every receipt that both parties signed."""
        return self._credits.receipts()

    # -- changes ----------------------------------------------------------------------------------

    def version_of_thread(self, root: int) -> tuple[int, int]:
        """Returns a version of the thread's views. If the version is new, the views may have
        changed. Versions are valid only while this process runs.
        """
        return self._clear_count, self._changes.get(root, 0)

    @property
    def change_count(self) -> int:
        """The number of rows written to the store so far. While this number stays the same, no view
        has changed.
        """
        return self._store.change_count

    def hashes_of_kinds(self, kinds: Sequence[str]) -> dict[int, bytes]:
        """Returns the hash of every view of these kinds, by row. If a hash is new, the view has
        changed.
        """
        return self._rows.hashes_of_kinds(kinds)

    def state_hash(self) -> bytes:
        """R-03.16: returns the hash of all views. Homes that can read the same records get the same
        hash.
        """
        hasher = hashlib.sha256(b"meshcoop state 1\0")
        for hash_of_view in self._rows.hashes():
            hasher.update(hash_of_view)
        return hasher.digest()

    def _create_tables(self) -> None:
        self._rows.create()
        self._credits.create()

    def _drop_tables(self) -> None:
        self._rows.drop()
        self._credits.drop()

    def _add(self, fresh: Sequence["_Fresh"]) -> None:
        words = [(view.n, text) for view in fresh if (text := _words(view.view))]
        self._rows.add([view.row() for view in fresh], words)
        moved = ((view.n, balance.credit_of(view.view)) for view in fresh)
        self._credits.add([(n, *credit) for n, credit in moved if credit is not None])

    def _remove(self, n: int) -> None:
        # The search table keeps only the places of words. To delete an entry, it needs the same
        # words again.
        words = _words(_unpack(self._rows.body_in_row(n)))
        self._rows.remove(n, words)
        self._credits.remove(n)


class _Fresh(NamedTuple):
    """A view that will be written to the database. Its record is in row `n`."""

    n: int
    root: int
    view: View
    packed: bytes
    hash: bytes

    def row(self) -> ViewRow:
        """Makes the row for the table of views."""
        view = self.view
        return ViewRow(
            self.n,
            view["id"],
            self.root,
            view["kind"],
            view["about"],
            view["created"],
            view["state"],
            self.packed,
            self.hash,
        )


def _unpack(body: bytes) -> View:
    view: View = msgpack.unpackb(body)
    return view


def _words(view: View) -> str:
    """Returns all text that people wrote in a view. Leaves out ids and private fields."""
    texts: list[str] = []
    for name, value in view.items():
        if type(value) is str:
            if name not in _NO_WORDS:
                texts.append(value)
        elif type(value) is list:
            texts += _texts(value)
    return "\n".join(texts)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return []
