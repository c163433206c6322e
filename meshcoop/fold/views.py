"""The views that threads folded to, with credits and search: rebuilt at any time from records."""

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

Threads = Mapping[int, Mapping[int, View]]  # by the row of the root, views by that of their record

_NO_WORDS = frozenset(("kind", "state"))  # fields whose text is not a person's


class Views:
    """The shared views of this home, in the store's own database and transactions."""

    def __init__(self, store: Store, *, stale: bool = False) -> None:
        """`stale`: what is in the tables is of no use; they may have other columns."""
        self._store = store
        self._rows = ViewRows(store)
        self._credits = CreditRows(store)
        self._changes: dict[int, int] = {}  # by root, while this home runs
        self._clear_count = 0
        if stale:
            self._drop_tables()
        self._create_tables()

    # -- writing ----------------------------------------------------------------------------------

    def replace(self, threads: Threads, *, new: Container[int] = ()) -> None:
        """Makes these the views of these threads. `new`: threads that had none before."""
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
            for n in hashes:  # gone, or about to be written anew
                self._remove(n)
            self._changes[root] = self._changes.get(root, 0) + 1
        self._add(fresh)

    def drop_thread(self, root: int) -> None:
        """Forgets the views of a thread that is no more."""
        self.replace({root: {}})

    def purge(self) -> None:
        """Leaves no word in the search table that is in no view any more; after an erasure."""
        self._rows.purge_words()

    def clear(self) -> None:
        """Forgets everything, before a rebuild."""
        self._drop_tables()
        self._create_tables()
        self._clear_count += 1

    # -- views ------------------------------------------------------------------------------------

    def find(self, record_id: bytes) -> View | None:
        """The view of one record."""
        body = self._rows.body(record_id)
        return None if body is None else _unpack(body)

    def in_row(self, n: int) -> View:
        """The view of the record in row `n`, which has one."""
        return _unpack(self._rows.body_in_row(n))

    def find_several(self, ids: Sequence[bytes]) -> dict[bytes, View]:
        """The views of those of these records that have one, by id."""
        return {record_id: _unpack(body) for record_id, body in self._rows.bodies(ids)}

    def of_thread(self, root: int) -> list[View]:
        """The views of a thread."""
        return [_unpack(body) for body in self._rows.bodies_in_thread(root)]

    def of_kind(
        self, kind: str, *, about: bytes | None = None, limit: int | None = None
    ) -> list[View]:
        """Views of one kind, newest first; `about`: only those that answer this record."""
        views = (view for view in self.newest(kind) if about in {None, view["about"]})
        return list(islice(views, limit))

    def newest(
        self, kind: str, *, state: str | None = None, root: int | None = None
    ) -> Iterator[View]:
        """Views of one kind, newest first, each read when it is asked for. `state`: as stored;
        `root`: of the thread whose root is in this row.
        """
        bodies = self._rows.newest_bodies(kind, state=state, root=root)
        return (_unpack(body) for body in bodies)

    def latest_by_author(self, kind: str) -> dict[bytes, View]:
        """Each author's latest view of one kind: the one with the highest (time, id)."""
        views = (_unpack(body) for body in self._rows.oldest_bodies(kind))
        return {view["author"]: view for view in views}

    def search(self, words: str, limit: int) -> list[View]:
        """Views that hold every word, or a beginning of it, best first."""
        return [_unpack(body) for body in self._rows.search(words, limit)]

    # -- credits ----------------------------------------------------------------------------------

    def balances(self) -> dict[bytes, Balance]:
        """Minutes given and received, by person."""
        sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for person, is_gift, minutes in self._credits.sums("giver"):
            sums[person][2 * is_gift] += minutes
        for person, is_gift, minutes in self._credits.sums("receiver"):
            sums[person][2 * is_gift + 1] += minutes
        return {person: Balance(*four) for person, four in sums.items()}

    def credits_of(self, person: bytes) -> list[Credit]:
        """What a person gave and received, in the order in which it was written down."""
        return [Credit(*columns) for columns in self._credits.of_person(person)]

    def receipts(self) -> Iterator[tuple[bytes, str]]:
        """The receiver and the day of every receipt that both parties signed."""
        return self._credits.receipts()

    # -- changes ----------------------------------------------------------------------------------

    def version_of_thread(self, root: int) -> tuple[int, int]:
        """A value that differs whenever the views of a thread may have changed, while this home
        runs.
        """
        return self._clear_count, self._changes.get(root, 0)

    @property
    def change_count(self) -> int:
        """The number of rows written to the store so far: while it is the same, so is every view."""
        return self._store.change_count

    def hashes_of_kinds(self, kinds: Sequence[str]) -> dict[int, bytes]:
        """The hash of every view of these kinds, by row: a view whose hash differs has changed."""
        return self._rows.hashes_of_kinds(kinds)

    def state_hash(self) -> bytes:
        """R-03.16: equal on all homes that read the same records."""
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
        # The search table keeps no words, only where they are: to forget them, it has to be given
        # the very words again.
        words = _words(_unpack(self._rows.body_in_row(n)))
        self._rows.remove(n, words)
        self._credits.remove(n)


class _Fresh(NamedTuple):
    """A view to be written, of the record in row `n`."""

    n: int
    root: int
    view: View
    packed: bytes
    hash: bytes

    def row(self) -> ViewRow:
        """The row of the table."""
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
    """All that people wrote in a view; ids and private fields are not text or not there."""
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
