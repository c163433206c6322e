"""Views, credits and search in SQLite: what threads folded to, rebuilt at any time from records."""

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgpack

from protocol.fold import balance
from protocol.fold.balance import Balance, Credit
from protocol.fold.fold import view_hash
from protocol.fold.thread import View
from protocol.record import codec

# A view has the row number of its record. The words themselves are in the view's body: the search
# table keeps only where they are, and has to be told them again to forget them.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL, root INTEGER NOT NULL, kind TEXT NOT NULL,
    about BLOB, created INTEGER NOT NULL, state TEXT NOT NULL,
    body BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS views_by_root ON views (root);
CREATE INDEX IF NOT EXISTS views_by_kind ON views (kind, created);
CREATE INDEX IF NOT EXISTS views_by_state ON views (kind, state, created);
CREATE TABLE IF NOT EXISTS credits (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL, kind TEXT NOT NULL, created INTEGER NOT NULL,
    day TEXT, giver BLOB NOT NULL, receiver BLOB NOT NULL, minutes INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS credits_by_giver ON credits (giver, kind = 'thanks', minutes);
CREATE INDEX IF NOT EXISTS credits_by_receiver ON credits (receiver, kind = 'thanks', minutes);
CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5 (
    words, content = "", tokenize = "unicode61 remove_diacritics 2"
);
"""

_INSERT = """
INSERT INTO views (n, id, root, kind, about, created, state, body, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CREDIT = "id, kind, created, day, giver, receiver, minutes"
_SUMS = "SELECT {0}, kind = 'thanks', sum(minutes) FROM credits GROUP BY {0}, kind = 'thanks'"
_FORGET_WORDS = "INSERT INTO search (search, rowid, words) VALUES ('delete', ?, ?)"

_AT_ONCE = 500  # ids in one query
_NO_WORDS = frozenset(("kind", "state"))


Threads = Mapping[int, Mapping[int, View]]  # views by the row of their record, by that of the root


class _Fresh(NamedTuple):
    """A view to be written."""

    n: int
    root: int
    view: View
    packed: bytes
    hash: bytes

    @property
    def row(self) -> tuple[object, ...]:
        """As the table has it."""
        view = self.view
        place = (self.n, view["id"], self.root, view["kind"], view["about"])
        return (*place, view["created"], view["state"], self.packed, self.hash)


class Views:
    """The shared views of this home, in the store's own database and transactions."""

    def __init__(self, db: sqlite3.Connection, *, stale: bool = False) -> None:
        """`stale`: what is in the tables is of no use; they may have other columns."""
        self._db = db
        self._changes: dict[int, int] = {}
        self._cleared = 0
        if stale:
            self._drop()
        self._create()

    def replace(self, threads: Threads, *, new: Container[int] = ()) -> None:
        """Makes these the views of these threads. `new`: threads that had none before."""
        fresh: list[_Fresh] = []
        for root, views in threads.items():
            known = {} if root in new else self._hashes(root)
            for n, view in views.items():
                packed = codec.pack(view)
                hashed = view_hash(packed)
                if known.get(n) == hashed:
                    del known[n]
                else:
                    fresh.append(_Fresh(n, root, view, packed, hashed))
            for n in known:  # gone, or about to be written anew
                self._remove(n)
            self._changes[root] = self._changes.get(root, 0) + 1
        self._add(fresh)

    def drop(self, root: int) -> None:
        """Forgets the views of a thread that is no more."""
        self.replace({root: {}})

    def purge(self) -> None:
        """Leaves no word in the search table that is in no view any more; after an erasure."""
        self._db.execute("INSERT INTO search (search) VALUES ('optimize')")

    def clear(self) -> None:
        """Forgets everything, before a rebuild."""
        self._drop()
        self._create()
        self._cleared += 1

    def version(self, root: int) -> tuple[int, int]:
        """Another one whenever the views of a thread may have changed, while this home runs."""
        return self._cleared, self._changes.get(root, 0)

    def of_thread(self, root: int) -> list[View]:
        """The views of a thread."""
        rows = self._db.execute("SELECT body FROM views WHERE root = ?", (root,))
        return [_unpack(row[0]) for row in rows]

    def received(self) -> Iterator[tuple[bytes, str]]:
        """Who received something that both signed, and on which day."""
        return iter(
            self._db.execute(
                "SELECT receiver, day FROM credits WHERE kind = 'receipt' AND day NOT NULL"
            )
        )

    def get(self, record_id: bytes) -> View | None:
        """The view of one record."""
        row = self._db.execute(
            "SELECT body FROM views WHERE n = (SELECT n FROM records WHERE id = ?)", (record_id,)
        ).fetchone()
        return _unpack(row[0]) if row else None

    def of_kind(
        self, kind: str, *, about: bytes | None = None, limit: int | None = None
    ) -> list[View]:
        """Views of one kind, newest first; `about`: only those that answer this record."""
        found = self.newest(kind)
        return list(islice((one for one in found if about in {None, one["about"]}), limit))

    def newest(
        self, kind: str, *, state: str | None = None, root: int | None = None
    ) -> Iterator[View]:
        """Views of one kind, newest first, read as far as they are asked for. `state`: as stored;
        `root`: of the thread whose root is in this row.
        """
        where, values = "kind = ?", list[object]([kind])
        if root is not None:  # a thread is short: the plus keeps SQLite from going by the kind
            where, values = "root = ? AND +kind = ?", [root, kind]
        if state is not None:
            where, values = f"{where} AND state = ?", [*values, state]
        rows = self._db.execute(
            f"SELECT body FROM views WHERE {where} ORDER BY created DESC, id",  # noqa: S608
            values,
        )
        return (_unpack(row[0]) for row in rows)

    def several(self, ids: Sequence[bytes]) -> dict[bytes, View]:
        """The views of these records, as far as there are any."""
        found: dict[bytes, View] = {}
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            rows = self._db.execute(
                "SELECT id, body FROM views WHERE n IN (SELECT n FROM records WHERE id IN "  # noqa: S608
                f"({','.join('?' * len(some))}))",
                some,
            )
            found |= {record_id: _unpack(body) for record_id, body in rows}
        return found

    def latest(self, kind: str) -> dict[bytes, View]:
        """Each author's latest view of one kind: highest (time, id)."""
        rows = self._db.execute(
            "SELECT body FROM views WHERE kind = ? ORDER BY created, id", (kind,)
        )
        return {view["author"]: view for (body,) in rows for view in (_unpack(body),)}

    @property
    def writes(self) -> int:
        """Grows with whatever is written to the store: while it is the same, so is every view."""
        return self._db.total_changes

    def hashes(self, kinds: Sequence[str]) -> dict[int, bytes]:
        """The hash of every view of these kinds, by its row: what differs from before has changed."""
        marks = ", ".join("?" * len(kinds))
        rows = self._db.execute(f"SELECT n, hash FROM views WHERE kind IN ({marks})", kinds)  # noqa: S608
        return dict(rows)

    def at(self, n: int) -> View:
        """The view in a row."""
        (body,) = self._db.execute("SELECT body FROM views WHERE n = ?", (n,)).fetchone()
        return _unpack(body)

    def search(self, words: str, limit: int) -> list[View]:
        """Views that hold every word, or a beginning of it, best first."""
        plain = words.encode(errors="ignore").decode().replace('"', " ").replace("\0", " ")
        query = " ".join(f'"{word}"*' for word in plain.split())
        if not query:
            return []
        rows = self._db.execute(
            "SELECT body FROM search JOIN views ON views.n = search.rowid"
            " WHERE search MATCH ? ORDER BY rank, views.id LIMIT ?",
            (query, limit),
        )
        return [_unpack(row[0]) for row in rows]

    def balances(self) -> dict[bytes, Balance]:
        """Minutes given and received, by person."""
        sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for at, side in enumerate(("giver", "receiver")):
            for person, gift, minutes in self._db.execute(_SUMS.format(side)):
                sums[person][2 * gift + at] += minutes
        return {person: Balance(*four) for person, four in sums.items()}

    def credits_of(self, person: bytes) -> list[Credit]:
        """What a person gave and received, in the order in which it was written down."""
        rows = self._db.execute(
            f"SELECT {_CREDIT} FROM credits WHERE giver = ?1 OR receiver = ?1"  # noqa: S608
            " ORDER BY created, id",
            (person,),
        )
        return [Credit(*row) for row in rows]

    def state_hash(self) -> bytes:
        """R-03.16: equal on all homes that read the same records."""
        hasher = hashlib.sha256(b"meshcoop state 1\0")
        for (one,) in self._db.execute("SELECT hash FROM views ORDER BY id"):
            hasher.update(one)
        return hasher.digest()

    def _create(self) -> None:
        for statement in _SCHEMA.split(";"):  # one by one, or the transaction would end
            self._db.execute(statement)

    def _drop(self) -> None:
        for table in ("views", "credits", "search"):
            self._db.execute(f"DROP TABLE IF EXISTS {table}")

    def _hashes(self, root: int) -> dict[int, bytes]:
        return dict(self._db.execute("SELECT n, hash FROM views WHERE root = ?", (root,)))

    def _add(self, fresh: Sequence[_Fresh]) -> None:
        moved = ((one.n, balance.credit(one.view)) for one in fresh)
        self._db.executemany(_INSERT, [one.row for one in fresh])
        self._db.executemany(
            "INSERT INTO search (rowid, words) VALUES (?, ?)",
            [(one.n, words) for one in fresh if (words := _words(one.view))],
        )
        self._db.executemany(
            "INSERT INTO credits VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(n, *credit) for n, credit in moved if credit is not None],
        )

    def _remove(self, n: int) -> None:
        (body,) = self._db.execute("SELECT body FROM views WHERE n = ?", (n,)).fetchone()
        if words := _words(_unpack(body)):
            self._db.execute(_FORGET_WORDS, (n, words))
        self._db.execute("DELETE FROM views WHERE n = ?", (n,))
        self._db.execute("DELETE FROM credits WHERE n = ?", (n,))


def _unpack(body: bytes) -> View:
    view: View = msgpack.unpackb(body)
    return view


def _words(view: View) -> str:
    """All that people wrote in a view; ids and private fields are not text or not there."""
    found: list[str] = []
    for name, value in view.items():
        if type(value) is str:
            if name not in _NO_WORDS:
                found.append(value)
        elif type(value) is list:
            found += _texts(value)
    return "\n".join(found)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []
