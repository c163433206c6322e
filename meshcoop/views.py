"""Views, credits and search in SQLite: what threads folded to, rebuilt at any time from records."""

import hashlib
import sqlite3
from collections.abc import Iterable
from typing import Any

import msgpack

from protocol import balance, codec
from protocol.balance import Balance, Credit
from protocol.thread import View, view_hash

_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, root INTEGER NOT NULL, kind TEXT NOT NULL,
    about BLOB, author BLOB NOT NULL, created INTEGER NOT NULL, state TEXT NOT NULL,
    body BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS views_by_root ON views (root);
CREATE INDEX IF NOT EXISTS views_by_kind ON views (kind, created);
CREATE TABLE IF NOT EXISTS credits (
    receipt BLOB PRIMARY KEY, root INTEGER NOT NULL, giver BLOB NOT NULL, receiver BLOB NOT NULL,
    minutes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS credits_by_root ON credits (root);
CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5 (
    words, tokenize = "unicode61 remove_diacritics 2"
);
"""

_NO_WORDS = frozenset(("kind", "state"))


class Views:
    """The shared views of this home, in the store's own database and transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)

    def add(self, root: int, views: Iterable[View]) -> None:
        """Makes `views` the views of a thread that had none."""
        for view in views:
            packed = codec.pack(view)
            self._add(root, view, packed, view_hash(packed))
        self._add_credits(root, views)

    def replace(self, root: int, views: Iterable[View]) -> None:
        """Makes `views` the views of the thread whose root is in row `root`."""
        old = {
            row[0]: row[1:]
            for row in self._db.execute(
                "SELECT id, n, hash, kind FROM views WHERE root = ?", (root,)
            )
        }
        if any(kind == "receipt" for _, _, kind in old.values()):
            self._db.execute("DELETE FROM credits WHERE root = ?", (root,))
        for view in views:
            packed = codec.pack(view)
            fresh = view_hash(packed)
            n, known, _ = old.pop(view["id"], (None, None, None))
            if fresh != known:
                if n is not None:
                    self._remove(n)
                self._add(root, view, packed, fresh)
        for gone, _, _ in old.values():
            self._remove(gone)
        self._add_credits(root, views)

    def drop(self, root: int) -> None:
        """Forgets the views of a thread that is no more."""
        self.replace(root, ())

    def purge(self) -> None:
        """Leaves no word in the search table that is in no view any more; after an erasure."""
        self._db.execute("INSERT INTO search (search) VALUES ('optimize')")

    def clear(self) -> None:
        """Forgets everything, before a rebuild."""
        for table in ("views", "credits", "search"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608

    def get(self, record_id: bytes) -> View | None:
        """The view of one record."""
        row = self._db.execute("SELECT body FROM views WHERE id = ?", (record_id,)).fetchone()
        return _unpack(row[0]) if row else None

    def of_kind(
        self, kind: str, *, about: bytes | None = None, limit: int | None = None
    ) -> list[View]:
        """Views of one kind, newest first; `about`: only those that answer this record."""
        rows = self._db.execute(
            "SELECT body FROM views WHERE kind = ? AND (? IS NULL OR about = ?)"
            " ORDER BY created DESC, id LIMIT ?",
            (kind, about, about, -1 if limit is None else limit),
        )
        return [_unpack(row[0]) for row in rows]

    def latest(self, kind: str) -> dict[bytes, View]:
        """Each author's latest view of one kind: highest (time, id)."""
        rows = self._db.execute(
            "SELECT author, body FROM views WHERE kind = ? ORDER BY created, id", (kind,)
        )
        return {author: _unpack(body) for author, body in rows}

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
        rows = self._db.execute("SELECT receipt, giver, receiver, minutes FROM credits")
        return balance.balances(Credit(*row) for row in rows)

    def state_hash(self) -> bytes:
        """R-03.16: equal on all homes that read the same records."""
        hasher = hashlib.sha256(b"meshcoop state 1\0")
        for (one,) in self._db.execute("SELECT hash FROM views ORDER BY id"):
            hasher.update(one)
        return hasher.digest()

    def _add(self, root: int, view: View, packed: bytes, fresh: bytes) -> None:
        cursor = self._db.execute(
            "INSERT INTO views (id, root, kind, about, author, created, state, body, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                view["id"],
                root,
                view["kind"],
                view["about"],
                view["author"],
                view["created"],
                view["state"],
                packed,
                fresh,
            ),
        )
        words = _words(view)
        if words:
            self._db.execute(
                "INSERT INTO search (rowid, words) VALUES (?, ?)", (cursor.lastrowid, words)
            )

    def _remove(self, n: int) -> None:
        self._db.execute("DELETE FROM views WHERE n = ?", (n,))
        self._db.execute("DELETE FROM search WHERE rowid = ?", (n,))

    def _add_credits(self, root: int, views: Iterable[View]) -> None:
        for view in views:
            one = balance.credit(view)
            if one is not None:
                self._db.execute(
                    "INSERT INTO credits VALUES (?, ?, ?, ?, ?)",
                    (one.receipt, root, one.giver, one.receiver, one.minutes),
                )


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
