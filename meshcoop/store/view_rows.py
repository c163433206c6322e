"""The tables of views: a packed view in the row of its record, and the words to search it by."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from meshcoop.store.database import Database

# The words themselves are in the view's body: the search table keeps only where they are, and has
# to be told them again to forget them.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL, root INTEGER NOT NULL, kind TEXT NOT NULL,
    about BLOB, created INTEGER NOT NULL, state TEXT NOT NULL,
    body BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS views_by_root ON views (root);
CREATE INDEX IF NOT EXISTS views_by_kind ON views (kind, created);
CREATE INDEX IF NOT EXISTS views_by_state ON views (kind, state, created);
CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5 (
    words, content = "", tokenize = "unicode61 remove_diacritics 2"
);
"""

_INSERT = """
INSERT INTO views (n, id, root, kind, about, created, state, body, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_MOST_VALUES = 500  # in one query


class ViewRow(NamedTuple):
    """A view as it is stored. `n` is the row of its record, `root` that of its thread's root;
    `body` is the packed view and `hash` that of the body.
    """

    n: int
    id: bytes
    root: int
    kind: str
    about: bytes | None
    created: int
    state: str
    body: bytes
    hash: bytes


class ViewRows:
    """The stored views of a home, in the store's own transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Makes the tables, where they are missing."""
        for statement in _SCHEMA.split(";"):  # one by one, or the transaction would end
            self._db.execute(statement)

    def drop(self) -> None:
        """Removes the tables with all that is in them; they may have other columns than ours."""
        self._db.execute("DROP TABLE IF EXISTS views")
        self._db.execute("DROP TABLE IF EXISTS search")

    # -- reading ----------------------------------------------------------------------------------

    def body(self, record_id: bytes) -> bytes | None:
        """The packed view of a record, if it has one."""
        row = self._db.execute(
            "SELECT body FROM views WHERE n = (SELECT n FROM records WHERE id = ?)", (record_id,)
        ).fetchone()
        return row[0] if row else None

    def body_in_row(self, n: int) -> bytes:
        """The packed view of the record in row `n`, which has one."""
        body: bytes = self._db.execute("SELECT body FROM views WHERE n = ?", (n,)).fetchone()[0]
        return body

    def bodies(self, ids: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The id and the packed view of those of these records that have one."""
        for start in range(0, len(ids), _MOST_VALUES):
            part = ids[start : start + _MOST_VALUES]
            marks = ",".join("?" * len(part))
            where = f"n IN (SELECT n FROM records WHERE id IN ({marks}))"  # noqa: S608
            yield from self._db.execute(f"SELECT id, body FROM views WHERE {where}", part)  # noqa: S608

    def bodies_in_thread(self, root: int) -> Iterator[bytes]:
        """The packed views of a thread."""
        rows = self._db.execute("SELECT body FROM views WHERE root = ?", (root,))
        return (row[0] for row in rows)

    def newest_bodies(
        self, kind: str, *, state: str | None = None, root: int | None = None
    ) -> Iterator[bytes]:
        """The packed views of a kind, newest first; `state`, `root`: only those in this state, only
        those in this thread. A row is read when it is asked for.
        """
        where = "kind = ?"
        values: list[object] = [kind]
        if root is not None:  # a thread is short: the plus keeps SQLite from going by the kind
            where = "root = ? AND +kind = ?"
            values = [root, kind]
        if state is not None:
            where += " AND state = ?"
            values.append(state)
        rows = self._db.execute(
            f"SELECT body FROM views WHERE {where} ORDER BY created DESC, id",  # noqa: S608
            values,
        )
        return (row[0] for row in rows)

    def oldest_bodies(self, kind: str) -> Iterator[bytes]:
        """The packed views of a kind, oldest first."""
        rows = self._db.execute(
            "SELECT body FROM views WHERE kind = ? ORDER BY created, id", (kind,)
        )
        return (row[0] for row in rows)

    def search(self, text: str, limit: int) -> list[bytes]:
        """The packed views that hold every word of `text`, or a beginning of it, best first."""
        plain = text.encode(errors="ignore").decode().replace('"', " ").replace("\0", " ")
        query = " ".join(f'"{word}"*' for word in plain.split())
        if not query:
            return []
        rows = self._db.execute(
            "SELECT body FROM search JOIN views ON views.n = search.rowid"
            " WHERE search MATCH ? ORDER BY rank, views.id LIMIT ?",
            (query, limit),
        )
        return [row[0] for row in rows]

    def hashes(self) -> Iterator[bytes]:
        """The hashes of all views, in the order of the ids."""
        rows = self._db.execute("SELECT hash FROM views ORDER BY id")
        return (row[0] for row in rows)

    def hashes_in_thread(self, root: int) -> dict[int, bytes]:
        """The hashes of the views of a thread, by row."""
        return dict(self._db.execute("SELECT n, hash FROM views WHERE root = ?", (root,)))

    def hashes_of_kinds(self, kinds: Sequence[str]) -> dict[int, bytes]:
        """The hashes of the views of these kinds, by row."""
        marks = ", ".join("?" * len(kinds))
        rows = self._db.execute(f"SELECT n, hash FROM views WHERE kind IN ({marks})", kinds)  # noqa: S608
        return dict(rows)

    # -- writing ----------------------------------------------------------------------------------

    def add(self, rows: Iterable[ViewRow], words: Iterable[tuple[int, str]]) -> None:
        """Adds views, and words to search them by: each with the row of its view."""
        self._db.executemany(_INSERT, rows)
        self._db.executemany("INSERT INTO search (rowid, words) VALUES (?, ?)", words)

    def remove(self, n: int, words: str) -> None:
        """Removes the view in row `n`, and the words with which it was added."""
        if words:
            self._db.execute(
                "INSERT INTO search (search, rowid, words) VALUES ('delete', ?, ?)", (n, words)
            )
        self._db.execute("DELETE FROM views WHERE n = ?", (n,))

    def purge_words(self) -> None:
        """Leaves no word in the search table that is in no view any more."""
        self._db.execute("INSERT INTO search (search) VALUES ('optimize')")
