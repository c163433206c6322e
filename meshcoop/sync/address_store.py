"""Addresses that people of this home gave or were given, as they lie here (specs/18-addresses.md).

They stay sealed to the devices of the two parties: what opens them is under the passphrase, or a
guest's PIN. No view, search table, record, log, export or backup ever holds one.
"""

from typing import NamedTuple

from meshcoop.errors import Mistake
from meshcoop.fold.state import DRIFT_MS, State
from meshcoop.store.records import Store
from protocol.errors import Refused
from protocol.record.sealing import BoxKey
from protocol.wire import address_gift as giving
from protocol.wire.address_gift import Gift

MOST = 256  # that others gave

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


class Held(NamedTuple):
    """An address at this home. `here`: it was given here; `kept`: it outlives its agreement."""

    giver: bytes
    receiver: bytes
    here: bool
    kept: bool
    gift: Gift


class Addresses:
    """What is held, and for how long: as long as the agreement lives, unless it is kept."""

    def __init__(self, store: Store, state: State) -> None:
        self._store, self._db, self._state = store, store.db, state
        self._db.executescript(_SCHEMA)

    # -- agreements -------------------------------------------------------------------------------

    def parties(self, agreement: bytes) -> set[bytes]:
        """Giver and receiver of an agreement. Raises Mistake for anything else."""
        view = self._state.views.get(agreement)
        if view is None or view["kind"] != "agreement":
            raise Mistake("That is no agreement; `meshcoop list agreements` shows them.")
        return {view["giver"], view["receiver"]}

    def lives(self, agreement: bytes) -> bool:
        """R-18.1: whether addresses belong to this agreement now."""
        view, known = self._state.views.get(agreement), self._state.authority
        if view is None or view["kind"] != "agreement" or known is None:
            return False
        if not {view["giver"], view["receiver"]} <= known.members.keys():
            return False
        return bool(view["state"] == "agreed")

    # -- reading ----------------------------------------------------------------------------------

    def of(self, agreement: bytes, *, giver: bytes) -> Held | None:
        """What `giver` gave for this agreement."""
        found = self._many("agreement = ? AND giver = ?", agreement, giver)
        return found[0] if found else None

    def text(self, one: Held, boxes: list[BoxKey]) -> str | None:
        """The address itself, for who can open it."""
        return giving.open_text(one.gift.sealed, boxes, self._place(one.gift))

    def due(self, person: bytes, device: bytes) -> list[Held]:
        """What was given here to this person and their device has not taken yet."""
        found = self._many(
            "here AND receiver = ? AND NOT EXISTS (SELECT 1 FROM handed h WHERE"
            " h.agreement = gifts.agreement AND h.giver = gifts.giver AND h.device = ?)",
            person,
            device,
        )
        return [one for one in found if self.lives(one.gift.agreement)][: giving.MAX_GIFTS]

    def delivered(self, one: Held) -> bool:
        """Whether a device of who it is for has it."""
        found = self._db.execute(
            "SELECT 1 FROM handed WHERE agreement = ? AND giver = ?",
            (one.gift.agreement, one.giver),
        )
        return found.fetchone() is not None

    @property
    def any_given(self) -> bool:
        """Whether there may be something to hand over."""
        return self._db.execute("SELECT 1 FROM gifts WHERE here LIMIT 1").fetchone() is not None

    # -- writing ----------------------------------------------------------------------------------

    def put(self, one: Held) -> None:
        """Keeps a gift in place of the one before it, which leaves no trace."""
        key = (one.gift.agreement, one.giver)
        with self._store.transaction():
            self._store.erasing = True
            self._db.execute("DELETE FROM handed WHERE agreement = ? AND giver = ?", key)
            self._db.execute(
                f"INSERT OR REPLACE INTO gifts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*one[:4], *one.gift),
            )

    def take(self, gift: Gift, home: str, receiver: bytes, boxes: list[BoxKey]) -> None:
        """A gift that came from the node `home`, safely stored when this returns. Raises Refused."""
        giver = self._judge(gift, home, receiver)
        held = self.of(gift.agreement, giver=giver)
        if held is not None and held.gift.time >= gift.time:
            return  # this one, or a later one, is here already
        if gift.sealed and giving.open_text(gift.sealed, boxes, self._place(gift)) is None:
            raise Refused("R-18.6", "the address is not sealed to the device that takes it")
        kept = held is not None and held.kept
        if kept and not gift.sealed:
            return  # what its receiver keeps is theirs
        count = self._db.execute("SELECT count(*) FROM gifts WHERE NOT here").fetchone()[0]
        if held is None and count >= MOST:
            raise Refused("R-18.8", f"this home holds {MOST} addresses already")
        self.put(Held(giver, receiver, here=False, kept=kept, gift=gift))

    def _judge(self, gift: Gift, home: str, receiver: bytes) -> bytes:
        """R-18.5: who gives it; between the two parties of an agreement that lives here."""
        known = self._state.authority
        giver = known.author(gift.device) if known else None
        view = self._state.views.get(gift.agreement)
        if known is None or giver is None or known.devices[gift.device].revoked is not None:
            raise Refused("R-18.5", "no live device of a member gives this address")
        if not self.lives(gift.agreement) or view is None:
            raise Refused("R-18.1", "no such agreement lives at this home")
        if {giver, receiver} != {view["giver"], view["receiver"]}:
            raise Refused("R-18.5", "the agreement is not between these two people")
        gift.check(giving.Place(self._state.neighbourhood, home))
        if gift.time > self._state.now() + DRIFT_MS:
            raise Refused("R-18.4", "the gift is ahead of this home's clock")
        return giver

    def hand(self, one: Held, device: bytes) -> None:
        """A device of who it is for has stored it, unless another was given meanwhile."""
        with self._store.transaction():
            if self.of(one.gift.agreement, giver=one.giver) == one:
                key = (one.gift.agreement, one.giver, device)
                self._db.execute("INSERT OR REPLACE INTO handed VALUES (?, ?, ?)", key)

    def keep(self, one: Held) -> None:
        """This home's own choice: it stays when the agreement is over."""
        with self._store.transaction():
            self._db.execute(
                "UPDATE gifts SET kept = 1 WHERE agreement = ? AND giver = ?",
                (one.gift.agreement, one.giver),
            )

    def drop(self, *gone: Held) -> None:
        """Erases addresses, from the free pages and the write-ahead log as well."""
        with self._store.transaction():
            self._store.erasing = True
            for one in gone:
                key = (one.gift.agreement, one.giver)
                self._db.execute("DELETE FROM gifts WHERE agreement = ? AND giver = ?", key)
                self._db.execute("DELETE FROM handed WHERE agreement = ? AND giver = ?", key)

    def forget_ended(self) -> None:
        """R-18.7: what is over is forgotten, unless it is kept."""
        held = self._many("NOT kept")
        gone = [one for one in held if not self.lives(one.gift.agreement)]
        if gone:
            self.drop(*gone)

    # -- parts ------------------------------------------------------------------------------------

    def seal(self, text: str, agreement: bytes, device: bytes, seed: bytes) -> bytes:
        """R-18.6: the text sealed to all live devices of both parties."""
        assert self._state.authority is not None
        boxes = self._state.authority.boxes(self.parties(agreement))
        place = giving.text_place(self._state.neighbourhood, agreement, device)
        return giving.close(text, boxes, place, seed)

    def _place(self, gift: Gift) -> bytes:
        return giving.text_place(self._state.neighbourhood, gift.agreement, gift.device)

    def _many(self, where: str, *values: object) -> list[Held]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM gifts WHERE {where}", values)  # noqa: S608
        return [
            Held(giver, receiver, bool(here), bool(kept), Gift(*gift))
            for giver, receiver, here, kept, *gift in rows.fetchall()
        ]
