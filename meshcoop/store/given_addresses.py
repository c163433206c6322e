"""The sealed street addresses that people give each other for an agreement.

An address stays sealed to the devices of the two parties. The home's passphrase, or a guest's PIN,
locks the keys that open the address. No view, search table, record, log, export or backup contains
an address.
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
    """A sealed street address that this home holds.

    `here` is True if a person of this home gave the address. `kept` is True if the home keeps the
    address even after its agreement has ended.
    """

    giver: bytes
    receiver: bytes
    here: bool
    kept: bool
    gift: Gift


class GivenAddresses:
    """The table of street addresses. There is at most one address for each agreement and giver."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db
        self._db.executescript(_SCHEMA)

    def find(self, agreement: bytes, *, giver: bytes) -> HeldAddress | None:
        """Returns the address that `giver` gave for this agreement, or None."""
        addresses = self._select("agreement = ? AND giver = ?", agreement, giver)
        return addresses[0] if addresses else None

    def waiting_for(self, person: bytes, device: bytes) -> list[HeldAddress]:
        """Returns the addresses that people of this home gave to `person`, except those that
        `device` has already.
        """
        return self._select(
            "here AND receiver = ? AND NOT EXISTS (SELECT 1 FROM handed h WHERE"
            " h.agreement = gifts.agreement AND h.giver = gifts.giver AND h.device = ?)",
            person,
            device,
        )

    def not_kept(self) -> list[HeldAddress]:
        """Returns the addresses that must be erased when their agreements end, because nobody has
        marked them as kept.
        """
        return self._select("NOT kept")

    def is_handed(self, address: HeldAddress) -> bool:
        """Returns whether at least one of the receiver's devices has the address."""
        rows = self._db.execute(
            "SELECT 1 FROM handed WHERE agreement = ? AND giver = ?", _key(address)
        )
        return rows.fetchone() is not None

    def has_given(self) -> bool:
        """Returns whether the table has any address that a person of this home gave."""
        return self._db.execute("SELECT 1 FROM gifts WHERE here LIMIT 1").fetchone() is not None

    def count_received(self) -> int:
        """Counts the addresses that came from other homes."""
        count: int = self._db.execute("SELECT count(*) FROM gifts WHERE NOT here").fetchone()[0]
        return count

    def put(self, address: HeldAddress) -> None:
        """Stores an address. Erases an earlier address of the same giver and agreement, so that no
        trace of it is left.
        """
        with self._database.transaction():
            self._database.has_erased = True
            self._db.execute("DELETE FROM handed WHERE agreement = ? AND giver = ?", _key(address))
            self._db.execute(
                f"INSERT OR REPLACE INTO gifts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*address[:4], *address.gift),
            )

    def note_handed(self, address: HeldAddress, device: bytes) -> None:
        """Notes that one of the receiver's devices has stored the address."""
        self._db.execute("INSERT OR REPLACE INTO handed VALUES (?, ?, ?)", (*_key(address), device))

    def keep(self, address: HeldAddress) -> None:
        """Marks an address to be kept after its agreement has ended."""
        with self._database.transaction():
            self._db.execute(
                "UPDATE gifts SET kept = 1 WHERE agreement = ? AND giver = ?", _key(address)
            )

    def erase(self, addresses: Iterable[HeldAddress]) -> None:
        """Erases addresses from the tables. Also erases their traces in the file's free pages and
        in the write-ahead log.
        """
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
