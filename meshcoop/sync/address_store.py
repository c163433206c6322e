"""Addresses that people of this home gave or were given, as they lie here (specs/18-addresses.md).

They stay sealed to the devices of the two parties: what opens them is under the passphrase, or a
guest's PIN. No view, search table, record, log, export or backup ever holds one.
"""

from meshcoop.errors import Mistake
from meshcoop.fold.clock_limit import DRIFT_MS
from meshcoop.fold.state import State
from meshcoop.store.given_addresses import GivenAddresses, HeldAddress
from meshcoop.store.store import Store
from protocol.errors import Refused
from protocol.record.sealing import BoxKey
from protocol.wire import address_gift as giving
from protocol.wire.address_gift import Gift

MOST = 256  # that others gave


class Addresses:
    """What is held, and for how long: as long as the agreement lives, unless it is kept."""

    def __init__(self, store: Store, state: State) -> None:
        self._store = store
        self._given = GivenAddresses(store)
        self._state = state

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

    def of(self, agreement: bytes, *, giver: bytes) -> HeldAddress | None:
        """What `giver` gave for this agreement."""
        return self._given.find(agreement, giver=giver)

    def text(self, one: HeldAddress, boxes: list[BoxKey]) -> str | None:
        """The address itself, for who can open it."""
        return giving.open_text(one.gift.sealed, boxes, self._place(one.gift))

    def due(self, person: bytes, device: bytes) -> list[HeldAddress]:
        """What was given here to this person and their device has not taken yet."""
        found = self._given.waiting_for(person, device)
        return [one for one in found if self.lives(one.gift.agreement)][: giving.MAX_GIFTS]

    def delivered(self, one: HeldAddress) -> bool:
        """Whether a device of who it is for has it."""
        return self._given.is_handed(one)

    @property
    def any_given(self) -> bool:
        """Whether there may be something to hand over."""
        return self._given.has_given()

    # -- writing ----------------------------------------------------------------------------------

    def put(self, one: HeldAddress) -> None:
        """Keeps a gift in place of the one before it, which leaves no trace."""
        self._given.put(one)

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
        if held is None and self._given.count_received() >= MOST:
            raise Refused("R-18.8", f"this home holds {MOST} addresses already")
        self.put(HeldAddress(giver, receiver, here=False, kept=kept, gift=gift))

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

    def hand(self, one: HeldAddress, device: bytes) -> None:
        """A device of who it is for has stored it, unless another was given meanwhile."""
        with self._store.transaction():
            if self.of(one.gift.agreement, giver=one.giver) == one:
                self._given.note_handed(one, device)

    def keep(self, one: HeldAddress) -> None:
        """This home's own choice: it stays when the agreement is over."""
        self._given.keep(one)

    def drop(self, *gone: HeldAddress) -> None:
        """Erases addresses, from the free pages and the write-ahead log as well."""
        self._given.erase(gone)

    def forget_ended(self) -> None:
        """R-18.7: what is over is forgotten, unless it is kept."""
        held = self._given.not_kept()
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
