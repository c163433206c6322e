"""The keys that a home or a relay holds: the group keys of a home, and a relay's gossip keys."""

from collections.abc import Iterable
from typing import NamedTuple

from meshcoop.store.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS epoch_keys (
    id BLOB PRIMARY KEY, origin BLOB NOT NULL, device BLOB NOT NULL, locked BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch_names (
    origin BLOB PRIMARY KEY, names BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys_given (
    device BLOB NOT NULL, id BLOB NOT NULL, PRIMARY KEY (device, id)
) WITHOUT ROWID;
"""

_GOSSIP_SCHEMA = """
CREATE TABLE IF NOT EXISTS gossip_keys (
    person BLOB NOT NULL, key BLOB NOT NULL, PRIMARY KEY (person, key)
) WITHOUT ROWID;
"""


class KeptKey(NamedTuple):
    """A group key, locked with the box key of `device`. `origin` is a hash of two things: who made
    the key, and which people and devices the key's epoch lists as gone (R-01.21a).
    """

    id: bytes
    origin: bytes
    device: bytes
    locked: bytes


class EpochKeys:
    """The tables of group keys. Two more facts are stored about each key: who is gone according to
    the lists of the key's epoch, and to which devices this home gave the key.

    A key stays here even if the records that brought it are deleted, because contents are sealed
    with this key. Each key is locked with the box key of a device of this home. The store does not
    contain that box key.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def all(self) -> list[KeptKey]:
        """Returns all group keys. They are still locked."""
        rows = self._db.execute("SELECT id, origin, device, locked FROM epoch_keys")
        return [KeptKey(*row) for row in rows]

    def add(self, key: KeptKey) -> None:
        """Adds a key. Does nothing if the key is in the table already."""
        self._db.execute(
            "INSERT OR IGNORE INTO epoch_keys (id, origin, device, locked) VALUES (?, ?, ?, ?)", key
        )

    def names_of(self, origin: bytes) -> bytes | None:
        """Returns the names of all people and devices that an epoch key lists as gone. `origin` is
        the origin of this epoch key. A name is a short hash, and the names are joined into one
        value. Returns None if this home never had all lists of this origin.
        """
        row = self._db.execute(
            "SELECT names FROM epoch_names WHERE origin = ?", (origin,)
        ).fetchone()
        return row[0] if row else None

    def note_names(self, origin: bytes, names: bytes) -> None:
        """Stores which people and devices an epoch key lists as gone. `origin` is the origin of
        this epoch key. `names` is one value: the short hashes that stand for these people and
        devices, one after the other.
        """
        self._db.execute("INSERT OR IGNORE INTO epoch_names VALUES (?, ?)", (origin, names))

    def given_to(self, device: bytes) -> set[bytes]:
        """Returns the ids of the keys that this home has given to a device in its records."""
        rows = self._db.execute("SELECT id FROM keys_given WHERE device = ?", (device,))
        return {row[0] for row in rows}

    def note_given(self, device: bytes, ids: Iterable[bytes]) -> None:
        """Notes that this home has posted records that give keys to a device."""
        self._db.executemany(
            "INSERT OR IGNORE INTO keys_given VALUES (?, ?)", [(device, key_id) for key_id in ids]
        )


class GossipKeys:
    """The table of gossip keys. With them, a relay can tell which gossip comes from members. Each
    row has a key, and the person whose home sent the key.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._db.executescript(_GOSSIP_SCHEMA)

    def all(self) -> list[bytes]:
        """Returns all keys. If several people sent one and the same key, returns this key only
        once.
        """
        return [row[0] for row in self._db.execute("SELECT DISTINCT key FROM gossip_keys")]

    def replace(self, person: bytes, keys: Iterable[bytes]) -> None:
        """Stores the gossip keys that a person's home has sent, in place of the earlier keys of
        this person.
        """
        self._db.execute("DELETE FROM gossip_keys WHERE person = ?", (person,))
        rows = [(person, key) for key in keys]
        self._db.executemany("INSERT OR IGNORE INTO gossip_keys VALUES (?, ?)", rows)
