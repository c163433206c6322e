"""The tables of views. One table has a row for each view in packed form. The other is the search
table: it has the terms by which people find views.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from meshcoop.store.database import Database
from meshcoop.store.sqlite_connection import run_statements

# The search table keeps only the places of terms. The texts themselves are in the body of the view.
# To delete an entry, SQLite needs the same terms again. The terms come folded, with spaces between
# them. So the tokenizer divides them at spaces alone: all other signs belong to a term.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL, root INTEGER NOT NULL, kind TEXT NOT NULL,
    about BLOB, created INTEGER NOT NULL, state TEXT NOT NULL, core INTEGER NOT NULL,
    body BLOB NOT NULL, hash BLOB NOT NULL
);
DROP INDEX IF EXISTS views_by_root;
CREATE INDEX IF NOT EXISTS views_by_thread ON views (root, kind, created);
CREATE INDEX IF NOT EXISTS views_by_kind ON views (kind, created);
CREATE INDEX IF NOT EXISTS views_by_state ON views (kind, state, created);
CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5 (
    words, content = "", tokenize = "ascii tokenchars '$+#<=>^`|~'"
);
"""

_INSERT = """
INSERT INTO views (n, id, root, kind, about, created, state, core, body, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# The records have an index of ids, and the views have none.
_CORE_HASHES = """
SELECT r.id, v.hash FROM records r CROSS JOIN views v ON v.n = r.n
WHERE r.id > ? AND v.core ORDER BY r.id LIMIT 500
"""

_PLACES = "SELECT v.n, v.kind, r.log FROM views v JOIN records r ON r.n = v.n"

_MOST_VALUES = 500  # in one query
_READ_AT_ONCE = 50  # views
_MATCHES = (
    "SELECT rank, views.id, views.n FROM search JOIN views ON views.n = search.rowid"
    " WHERE search MATCH ? AND search.rowid > ? ORDER BY search.rowid LIMIT 1000"
)


class ViewRow(NamedTuple):
    """A stored view.

    `n` is the row of its record. `root` is the row of its thread's root. `core` says whether the
    view is part of the state hash. `body` is the packed view. `hash` is the hash of the body.
    """

    n: int
    id: bytes
    root: int
    kind: str
    about: bytes | None
    created: int
    state: str
    core: bool
    body: bytes
    hash: bytes


class ViewPlace(NamedTuple):
    """Where a view comes from: its row, its kind, and the row of its record's log."""

    n: int
    kind: str
    log: int


class ViewRows:
    """The tables of a home's views. Callers must begin a transaction of the store before they
    change the tables.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Creates the tables if they are missing."""
        run_statements(self._db, _SCHEMA)

    def drop(self) -> None:
        """Removes the tables and all their rows. A new version of the program may need other
        columns.
        """
        self._db.execute("DROP TABLE IF EXISTS views")
        self._db.execute("DROP TABLE IF EXISTS search")

    # -- reading ----------------------------------------------------------------------------------

    def body(self, record_id: bytes) -> bytes | None:
        """Returns the packed view of a record, or None if the record has no view."""
        row = self._db.execute(
            "SELECT body FROM views WHERE n = (SELECT n FROM records WHERE id = ?)", (record_id,)
        ).fetchone()
        return row[0] if row else None

    def find_body_in_row(self, n: int) -> bytes | None:
        """Returns the packed view of the record in row `n`, or None if that record has no view."""
        row = self._db.execute("SELECT body FROM views WHERE n = ?", (n,)).fetchone()
        return row[0] if row else None

    def body_in_row(self, n: int) -> bytes:
        """Returns the packed view of the record in row `n`. The record must have a view."""
        body = self.find_body_in_row(n)
        assert body is not None, "the caller has found the view"
        return body

    def bodies(self, ids: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yields a pair (id, packed view) for each record in `ids` that has a view."""
        for start in range(0, len(ids), _MOST_VALUES):
            part = ids[start : start + _MOST_VALUES]
            marks = ",".join("?" * len(part))
            where = f"n IN (SELECT n FROM records WHERE id IN ({marks}))"  # noqa: S608
            query = f"SELECT id, body FROM views WHERE {where}"  # noqa: S608
            yield from self._db.execute(query, part).fetchall()

    def bodies_in_thread(self, root: int) -> Iterator[bytes]:
        """Yields the packed views of all records in a thread. `root` is the row of the thread's
        root.
        """
        return (body for _, body in self.bodies_by_row(root))

    def bodies_by_row(self, root: int) -> Iterator[tuple[int, bytes]]:
        """Yields the packed views of a thread, as pairs: the row of the record, and its view."""
        rows = self._db.execute("SELECT n, body FROM views WHERE root = ?", (root,)).fetchall()
        return iter(rows)

    def newest_bodies(
        self, kind: str, *, state: str | None = None, root: int | None = None
    ) -> Iterator[bytes]:
        """Yields the packed views of one kind, the newest first. With `state`, yields only the
        views in this state. With `root`, yields only the views of the thread whose root is in this
        row.

        Reads a few rows at a time, when they are needed. So the table may change meanwhile.
        """
        where = "kind = ?"
        values: list[object] = [kind]
        if root is not None:  # a thread may have thousands of views of one kind
            where = "root = ? AND kind = ?"
            values = [root, kind]
        if state is not None:
            where += " AND state = ?"
            values.append(state)
        return self._bodies(where, values, "created DESC, id", "created <= ?", "created < ?")

    def oldest_bodies(self, kind: str) -> Iterator[bytes]:
        """Yields the packed views of one kind, the oldest first. Reads a few rows at a time, as
        `newest_bodies` does.
        """
        return self._bodies("kind = ?", [kind], "created, id", "created >= ?", "created > ?")

    def _bodies(
        self, where: str, values: list[object], order: str, from_here: str, beyond: str
    ) -> Iterator[bytes]:
        """Yields packed views in an order. Reads some rows at a time, and the next rows when they
        are needed.

        Two conditions find the next rows after the last row that was read. `from_here` selects the
        rows at the time of that last row, and those further on. `beyond` selects only those further
        on.
        """
        query = f"SELECT body, created, id FROM views WHERE {where}"  # noqa: S608
        end = f" ORDER BY {order} LIMIT {_READ_AT_ONCE}"
        rows = self._db.execute(query + end, values).fetchall()
        while rows:
            yield from (row[0] for row in rows)
            _, time, record_id = rows[-1]
            rows = self._db.execute(
                f"{query} AND {from_here} AND ({beyond} OR id > ?){end}",
                [*values, time, time, record_id],
            ).fetchall()

    def count(self, kind: str, root: int | None = None) -> int:
        """Returns the number of views of one kind. With `root`, counts only the views of the thread
        whose root is in this row.
        """
        where = "kind = ?" if root is None else "kind = ? AND root = ?"
        values = (kind,) if root is None else (kind, root)
        query = f"SELECT count(*) FROM views WHERE {where}"  # noqa: S608
        return int(self._db.execute(query, values).fetchone()[0])

    def matches(self, groups: Iterable[Iterable[str]]) -> Iterator[tuple[float, bytes, int]]:
        """Yields the views that match all groups of terms, as tuples (rank, id, row of the record).
        A better match has a lower rank.

        A view matches a group if the terms of the group follow each other in the view. The last
        term of the group may be only the beginning of a term in the view.

        Reads a few rows at a time, when they are needed. So the table may change meanwhile.
        """
        query = " ".join(f'"{" ".join(terms)}"*' for terms in groups)
        last = 0
        while query and (rows := self._db.execute(_MATCHES, (query, last)).fetchall()):
            yield from rows
            last = rows[-1][2]

    def bodies_in_rows(self, rows: Sequence[int]) -> Iterator[bytes]:
        """Yields the packed views of the records in these rows, in the order of `rows`. Leaves out
        records without a view. Reads a few views at a time, when they are needed.
        """
        for start in range(0, len(rows), _READ_AT_ONCE):
            part = rows[start : start + _READ_AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT n, body FROM views WHERE n IN ({marks})"  # noqa: S608
            bodies = dict(self._db.execute(query, part).fetchall())
            yield from (bodies[n] for n in part if n in bodies)

    def core_hashes(self) -> Iterator[bytes]:
        """Yields the hashes of the views that are part of the state hash, joined into long byte
        strings. The views are sorted by the ids of their records.
        """
        last = b""
        while rows := self._db.execute(_CORE_HASHES, (last,)).fetchall():
            yield b"".join([row[1] for row in rows])
            last = rows[-1][0]

    def hashes_in_thread(self, root: int) -> dict[int, tuple[bytes, bool]]:
        """Returns two values for each view in a thread: its hash, and whether the view is part of
        the state hash. The keys are the rows of the views' records.
        """
        rows = self._db.execute("SELECT n, hash, core FROM views WHERE root = ?", (root,))
        return {n: (hash_of_view, bool(core)) for n, hash_of_view, core in rows}

    def hashes_in_rows(self, rows: Sequence[int]) -> dict[int, tuple[bytes, bool]]:
        """Returns the same as `hashes_in_thread`, for the views in the given rows."""
        hashes: dict[int, tuple[bytes, bool]] = {}
        for start in range(0, len(rows), _MOST_VALUES):
            part = rows[start : start + _MOST_VALUES]
            marks = ",".join("?" * len(part))
            query = f"SELECT n, hash, core FROM views WHERE n IN ({marks})"  # noqa: S608
            hashes.update(
                (n, (hash_of_view, bool(core)))
                for n, hash_of_view, core in self._db.execute(query, part)
            )
        return hashes

    def places_after(self, n: int, kinds: Sequence[str], limit: int) -> list[ViewPlace]:
        """Returns where the next views of the given kinds are, in order. These views are in rows
        above `n`.
        """
        marks = ", ".join("?" * len(kinds))
        # The plus makes SQLite ignore the kinds' index: it would sort all views for each answer.
        rows = self._db.execute(
            f"{_PLACES} WHERE v.n > ? AND +v.kind IN ({marks}) ORDER BY v.n LIMIT ?",
            (n, *kinds, limit),
        )
        return [ViewPlace(*row) for row in rows]

    def places_in_rows(self, rows: Sequence[int]) -> list[ViewPlace]:
        """Returns a place for each view in the given rows. Leaves out rows without a view."""
        marks = ", ".join("?" * len(rows))
        places = self._db.execute(f"{_PLACES} WHERE v.n IN ({marks})", rows)
        return [ViewPlace(*place) for place in places]

    # -- writing ----------------------------------------------------------------------------------

    def add(self, rows: Iterable[ViewRow], words: Iterable[tuple[int, str]]) -> None:
        """Adds views to the table, and their terms to the search table.

        A pair in `words` has the row of a view, and the terms by which people find this view.
        """
        self._db.executemany(_INSERT, rows)
        self._db.executemany("INSERT INTO search (rowid, words) VALUES (?, ?)", words)

    def remove(self, n: int, words: str) -> None:
        """Removes the view in row `n`. `words` must be the terms that were added for this view."""
        if words:
            self._db.execute(
                "INSERT INTO search (search, rowid, words) VALUES ('delete', ?, ?)", (n, words)
            )
        self._db.execute("DELETE FROM views WHERE n = ?", (n,))

    def purge_words(self) -> None:
        """Erases the words of removed views from the pages of the search table in the file."""
        self._db.execute("INSERT INTO search (search) VALUES ('optimize')")
