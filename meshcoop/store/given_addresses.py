"""Addresses that people of this home gave or were given for an agreement, sealed.

They stay sealed to the devices of the two parties: what opens them is under the passphrase, or a
guest's PIN. No view, search table, record, log, export or backup ever holds one.
"""

from collections.abc import Iterable
from typing import NamedTuple

from meshcoop.store.database import Database
from protocol.wire.address_gift import Gift

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gifts (
    agreement BLOB NOT NULL, giver BLOB NOT NULL, receiver BLOB NOT NULL,
    device BLOB NOT NULL, time INTEGER NOT NULL, signature BLOB NOT NULL, sealed BLOB NOT NULL,
    here INTEGER NOT NULL, kept INTEGER NOT NULL, PRIMARY KEY (agreement, giver)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handed (
    agreement BLOB NOT NULL, giver BLOB NOT NULL, device BLOB NOT NULL,
    PRIMARY KEY (agreement, giver, device)
) WITHOUT ROWID;
"""
_COLUMNS = "giver, receiver, here, kept, agreement, device, time, signature, sealed"


class HeldAddress(NamedTuple):
    """An address at this home. `here`: it was given here; `kept`: it outlives its agreement."""

    giver: bytes
    receiver: bytes
    here: bool
    kept: bool
    gift: Gift


class GivenAddresses:
    """The addresses of a home, by agreement and giver."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def find(self, agreement: bytes, *, giver: bytes) -> HeldAddress | None:
        """The address that `giver` gave for this agreement."""
        addresses = self._select("agreement = ? AND giver = ?", agreement, giver)
        return addresses[0] if addresses else None

    def waiting_for(self, person: bytes, device: bytes) -> list[HeldAddress]:
        """The addresses that were given here to this person, and not handed to this device yet."""
        return self._select(
            "here AND receiver = ? AND NOT EXISTS (SELECT 1 FROM handed h WHERE"
            " h.agreement = gifts.agreement AND h.giver = gifts.giver AND h.device = ?)",
            person,
            device,
        )

    def not_kept(self) -> list[HeldAddress]:
        """The addresses that end with their agreement."""
        return self._select("NOT kept")

    def is_handed(self, address: HeldAddress) -> bool:
        """Whether some device of its receiver has the address."""
        rows = self._db.execute(
            "SELECT 1 FROM handed WHERE agreement = ? AND giver = ?", _key(address)
        )
        return rows.fetchone() is not None

    def has_given(self) -> bool:
        """Whether any address was given here."""
        return self._db.execute("SELECT 1 FROM gifts WHERE here LIMIT 1").fetchone() is not None

    def count_received(self) -> int:
        """The number of addresses that others gave."""
        count: int = self._db.execute("SELECT count(*) FROM gifts WHERE NOT here").fetchone()[0]
        return count

    def put(self, address: HeldAddress) -> None:
        """Stores an address in place of the one before it, which leaves no trace."""
        with self._database.transaction():
            self._database.has_erased = True
            self._db.execute("DELETE FROM handed WHERE agreement = ? AND giver = ?", _key(address))
            self._db.execute(
                f"INSERT OR REPLACE INTO gifts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*address[:4], *address.gift),
            )

    def note_handed(self, address: HeldAddress, device: bytes) -> None:
        """Notes that a device of its receiver has stored the address."""
        self._db.execute("INSERT OR REPLACE INTO handed VALUES (?, ?, ?)", (*_key(address), device))

    def keep(self, address: HeldAddress) -> None:
        """Keeps the address when its agreement is over."""
        with self._database.transaction():
            self._db.execute(
                "UPDATE gifts SET kept = 1 WHERE agreement = ? AND giver = ?", _key(address)
            )

    def erase(self, addresses: Iterable[HeldAddress]) -> None:
        """Erases addresses, from the free pages and the write-ahead log as well."""
        with self._database.transaction():
            self._database.has_erased = True
            for address in addresses:
                key = _key(address)
                self._db.execute("DELETE FROM gifts WHERE agreement = ? AND giver = ?", key)
                self._db.execute("DELETE FROM handed WHERE agreement = ? AND giver = ?", key)

    def _select(self, where: str, *values: object) -> list[HeldAddress]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM gifts WHERE {where}", values)  # noqa: S608
        return [
            HeldAddress(giver, receiver, bool(here), bool(kept), Gift(*gift))
            for giver, receiver, here, kept, *gift in rows.fetchall()
        ]


def _key(address: HeldAddress) -> tuple[bytes, bytes]:
    return address.gift.agreement, address.giver
