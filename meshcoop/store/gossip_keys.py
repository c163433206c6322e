"""The gossip keys that a relay has received from the homes of members."""

from collections.abc import Iterable

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gossip_keys (
    person BLOB NOT NULL, key BLOB NOT NULL, PRIMARY KEY (person, key)
) WITHOUT ROWID;
"""


class GossipKeys:
    """The table of gossip keys. Beside each key is the person from whose home the key came."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def all(self) -> list[bytes]:
        """Returns all keys, each once."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT key FROM gossip_keys")]

    def replace(self, person: bytes, keys: Iterable[bytes]) -> None:
        """Stores gossip keys of a person, in place of the person's earlier keys."""
        self._db.execute("DELETE FROM gossip_keys WHERE person = ?", (person,))
        rows = [(person, key) for key in keys]
        self._db.executemany("INSERT OR IGNORE INTO gossip_keys VALUES (?, ?)", rows)
