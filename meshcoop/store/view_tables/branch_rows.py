"""The tables of the branches of threads, and of the ties between branches (R-03.40).

There are two sorts of ties. Either several records share a tie, or a record names the id of another
record. The row of a branch's first record stands for the branch, and the row of the root stands for
the trunk. A branch is a record with all its answers, which can be folded alone. A thread without
branches has no rows here.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from meshcoop.store.database import Database
from meshcoop.store.sqlite_connection import run_statements

_SCHEMA = """
CREATE TABLE IF NOT EXISTS branches (
    n INTEGER PRIMARY KEY, root INTEGER NOT NULL, branch INTEGER NOT NULL,
    device BLOB NOT NULL, day INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS branches_by_root ON branches (root);
CREATE INDEX IF NOT EXISTS branches_by_branch ON branches (branch);
CREATE INDEX IF NOT EXISTS branches_by_day ON branches (device, day, root);
CREATE TABLE IF NOT EXISTS ties (n INTEGER NOT NULL, tie BLOB NOT NULL, shared INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS ties_by_row ON ties (n);
CREATE INDEX IF NOT EXISTS ties_by_tie ON ties (tie);
"""

# Finds the records of a thread that records of some branches name. The braces take marks for the
# branches. CROSS makes SQLite join the tables in this order: from few rows to few rows.
_NAMED = """
FROM branches b CROSS JOIN ties t ON t.n = b.n AND NOT t.shared
CROSS JOIN records r ON r.id = t.tie CROSS JOIN branches o ON o.n = r.n AND o.root = b.root
WHERE b.branch IN ({0})
"""

_REMOVED_AT_ONCE = 500  # rows


class BranchRow(NamedTuple):
    """The record in row `n`, with its thread and its branch. `device` has signed the record, and
    `day` is the day that the record claims.
    """

    n: int
    root: int
    branch: int
    device: bytes
    day: int


class TieRow(NamedTuple):
    """A tie of the record in row `n`. If `shared` is True, records with the same tie are folded
    together. Otherwise the tie is an id that the record names.
    """

    n: int
    tie: bytes
    shared: bool


class BranchRows:
    """The tables of branches and ties. Callers must begin a transaction of the store before they
    change the tables.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db

    def create(self) -> None:
        """Creates the tables if they are missing."""
        run_statements(self._db, _SCHEMA)

    def drop(self) -> None:
        """Removes the tables and all their rows."""
        self._db.execute("DROP TABLE IF EXISTS branches")
        self._db.execute("DROP TABLE IF EXISTS ties")

    # -- reading ----------------------------------------------------------------------------------

    def find(self, n: int) -> int | None:
        """Returns the branch of the record in row `n`, or None if the table does not have the
        record.
        """
        row = self._db.execute("SELECT branch FROM branches WHERE n = ?", (n,)).fetchone()
        return row[0] if row else None

    def rows_of(self, branches: Collection[int]) -> list[int]:
        """Returns the rows of all records in these branches."""
        return self._select("SELECT n FROM branches WHERE branch IN ({0})", branches)

    def count(self, branches: Collection[int]) -> int:
        """Counts the records in these branches."""
        return self._select("SELECT count(*) FROM branches WHERE branch IN ({0})", branches)[0]

    def naming(self, root: int, record_id: bytes) -> list[int]:
        """Returns the branches of a thread that have a record which names `record_id`."""
        return self._tied(root, record_id, is_shared=False)

    def sharing(self, root: int, tie: bytes) -> list[int]:
        """Returns the branches of a thread that have a record with the shared tie `tie`. Records
        with the same shared tie are folded together.
        """
        return self._tied(root, tie, is_shared=True)

    def shared_ties(self, n: int) -> set[bytes]:
        """Returns the shared ties of the record in row `n`."""
        rows = self._db.execute("SELECT tie FROM ties WHERE n = ? AND shared", (n,))
        return {row[0] for row in rows.fetchall()}

    def branches_of(self, root: int, ids: Collection[bytes]) -> set[int]:
        """Returns the branches of a thread that have a record with one of these ids."""
        marks = ",".join("?" * len(ids))
        where = f"r.id IN ({marks}) AND b.root = ?"
        query = f"SELECT DISTINCT branch FROM records r JOIN branches b USING (n) WHERE {where}"  # noqa: S608
        rows = self._db.execute(query, (*ids, root))
        return {row[0] for row in rows.fetchall()}

    def naming_any_of(self, branch: int) -> list[int]:
        """Returns the branches that have a record which names a record of the given branch."""
        return self._select(
            "SELECT DISTINCT o.branch FROM branches b CROSS JOIN records r ON r.n = b.n"
            " CROSS JOIN ties t ON t.tie = r.id AND NOT t.shared"
            " CROSS JOIN branches o ON o.n = t.n AND o.root = b.root WHERE b.branch IN ({0})",
            [branch],
        )

    def named_by(self, branches: Collection[int]) -> list[int]:
        """Returns the branches that the given branches name: a record of a given branch names one
        of their records.
        """
        return self._select(f"SELECT DISTINCT o.branch {_NAMED}", branches)

    def rows_named_by(self, branches: Collection[int]) -> list[int]:
        """Returns the rows of those records that a record of the given branches names."""
        return self._select(f"SELECT DISTINCT o.n {_NAMED}", branches)

    def sharing_with(self, branches: Collection[int]) -> list[int]:
        """Returns the branches that share a tie with one of the given branches. Records with the
        same shared tie are folded together.
        """
        return self._select(
            "SELECT DISTINCT o.branch FROM branches b CROSS JOIN ties t ON t.n = b.n AND t.shared"
            " CROSS JOIN ties s ON s.tie = t.tie AND s.shared"
            " CROSS JOIN branches o ON o.n = s.n AND o.root = b.root WHERE b.branch IN ({0})",
            branches,
        )

    def full_days(self, root: int, branches: Collection[int], most: int) -> list[int]:
        """Looks for full days: days on which a device has more than `most` records in this thread,
        at least one of them in the given branches. Returns the rows of all records of these days in
        the thread.
        """
        return self._select(
            "SELECT c.n FROM (SELECT DISTINCT device, day FROM branches WHERE branch IN ({0})) d"
            " CROSS JOIN branches c ON c.device = d.device AND c.day = d.day AND c.root = ?"
            " WHERE (SELECT count(*) FROM branches a WHERE a.device = d.device AND a.day = d.day"
            " AND a.root = c.root) > ?",
            branches,
            root,
            most,
        )

    def of_day(self, root: int, device: bytes, day: int) -> list[int]:
        """Returns the rows of those records in the thread `root` that `device` has signed and that
        claim the day `day`.
        """
        query = "SELECT n FROM branches WHERE device = ? AND day = ? AND root = ?"
        return [row[0] for row in self._db.execute(query, (device, day, root)).fetchall()]

    def later_in_full_day(self, n: int, most: int) -> list[int]:
        """Returns the branches of later records of the same device. These records come after the
        record in row `n` in the log, are in its thread, and claim the same day.

        Returns no branches if the device has at most `most` records of that day in the thread.
        """
        return self._select(
            "SELECT DISTINCT c.branch FROM branches b CROSS JOIN records r ON r.n = b.n"
            " CROSS JOIN branches c ON c.device = b.device AND c.day = b.day AND c.root = b.root"
            " CROSS JOIN records s ON s.n = c.n AND (s.seq, s.id) > (r.seq, r.id) WHERE b.n IN ({0})"
            " AND (SELECT count(*) FROM branches a WHERE a.device = b.device AND a.day = b.day"
            " AND a.root = b.root) > ?",
            [n],
            most,
        )

    # -- writing ----------------------------------------------------------------------------------

    def add(self, rows: Iterable[BranchRow], ties: Iterable[TieRow]) -> None:
        """Adds records with their ties."""
        self._db.executemany("INSERT INTO branches VALUES (?, ?, ?, ?, ?)", rows)
        self._db.executemany("INSERT INTO ties VALUES (?, ?, ?)", ties)

    def set_ties(self, n: int, ties: Iterable[TieRow]) -> None:
        """Replaces the ties of the record in row `n`."""
        self._db.execute("DELETE FROM ties WHERE n = ?", (n,))
        self._db.executemany("INSERT INTO ties VALUES (?, ?, ?)", ties)

    def remove_thread(self, root: int) -> Iterator[None]:
        """Removes all records of a thread, a few in each step. The root goes first. From then on,
        the thread counts as a thread without branches.
        """
        self.remove([root])
        while part := self._rows_of_thread(root):
            self.remove(part)
            yield

    def remove(self, rows: Iterable[int]) -> None:
        """Removes the records in these rows."""
        numbers = [(n,) for n in rows]
        self._db.executemany("DELETE FROM branches WHERE n = ?", numbers)
        self._db.executemany("DELETE FROM ties WHERE n = ?", numbers)

    def _rows_of_thread(self, root: int) -> list[int]:
        rows = self._db.execute(
            f"SELECT n FROM branches WHERE root = ? LIMIT {_REMOVED_AT_ONCE}",  # noqa: S608
            (root,),
        )
        return [row[0] for row in rows.fetchall()]

    def _tied(self, root: int, tie: bytes, *, is_shared: bool) -> list[int]:
        rows = self._db.execute(
            "SELECT DISTINCT b.branch FROM ties t CROSS JOIN branches b ON b.n = t.n"
            " WHERE t.tie = ? AND t.shared = ? AND b.root = ?",
            (tie, is_shared, root),
        )
        return [row[0] for row in rows.fetchall()]

    def _select(self, query: str, branches: Collection[int], *values: object) -> list[int]:
        """Runs a query about some branches. In the query, `{}` stands for the list of branches.
        Returns the first column.
        """
        marks = ",".join("?" * len(branches))
        rows = self._db.execute(query.format(marks), [*branches, *values]).fetchall()
        return [row[0] for row in rows]
