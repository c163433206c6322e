"""The table of parents. The parents of a record are the records that it answers. A parent is in
this table even if the store does not hold that parent.
"""

from collections.abc import Iterable

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS parents (
    parent BLOB NOT NULL, child INTEGER NOT NULL, PRIMARY KEY (parent, child)
) WITHOUT ROWID;
"""


class Parents:
    """The table has pairs: the id of a parent, and the row of a record that names this parent."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def has(self, record_id: bytes) -> bool:
        """Returns whether any stored record names this id as a parent."""
        rows = self._db.execute("SELECT 1 FROM parents WHERE parent = ? LIMIT 1", (record_id,))
        return rows.fetchone() is not None

    def add(self, child: int, parents: Iterable[bytes]) -> None:
        """Notes the parents that the record in row `child` names."""
        for parent in parents:
            self._db.execute("INSERT INTO parents VALUES (?, ?)", (parent, child))

    def remove(self, child: int, parents: Iterable[bytes]) -> None:
        """Forgets the parents that the record in row `child` names."""
        for parent in parents:
            self._db.execute("DELETE FROM parents WHERE parent = ? AND child = ?", (parent, child))
