"""Street addresses that people of this home gave or received, and the rules for them
(specs/18-addresses.md).

The addresses stay sealed to the devices of the two parties. The home's passphrase, or a guest's
PIN, protects the keys that open the addresses. No view, search table, record, log, export or backup
ever contains an address.
"""

from meshcoop.errors import Mistake
from meshcoop.fold.clock_limit import DRIFT_MS
from meshcoop.fold.state import State
from meshcoop.store.given_addresses import GivenAddresses, HeldAddress
from meshcoop.store.store import Store
from protocol.errors import Refused
from protocol.kinds.exchange.exchange import Agreement
from protocol.record.sealing import BoxKey
from protocol.wire import address_gift
from protocol.wire.address_gift import Gift

MOST = 256  # addresses received from others


class HeldAddresses:
    """The street addresses that a home holds.

    The home holds an address as long as the address's agreement is in force. If a person has marked
    the address as kept, the home holds it longer.
    """

    def __init__(self, store: Store, state: State) -> None:
        self._store = store
        self._given = GivenAddresses(store)
        self._state = state

    # -- agreements -------------------------------------------------------------------------------

    def parties(self, agreement: bytes) -> set[bytes]:
        """Returns the giver and the receiver of an agreement. Raises Mistake if no agreement has
        this id.
        """
        view = self._find(agreement)
        if view is None:
            raise Mistake("That is no agreement; `meshcoop list agreements` shows them.")
        return {view.giver, view.receiver}

    def is_alive(self, agreement: bytes) -> bool:
        """R-18.1: returns whether addresses may be given for this agreement at this time.

        The agreement must be in force, and both parties must be members.
        """
        view = self._find(agreement)
        authority = self._state.authority
        if view is None or authority is None:
            return False
        if not {view.giver, view.receiver} <= authority.members.keys():
            return False
        return view.state == Agreement.State.AGREED

    # -- reading ----------------------------------------------------------------------------------

    def find(self, agreement: bytes, *, giver: bytes) -> HeldAddress | None:
        """Returns the address that `giver` gave for this agreement, or None."""
        return self._given.find(agreement, giver=giver)

    def open_text(self, address: HeldAddress, boxes: list[BoxKey]) -> str | None:
        """Returns the text of an address. Returns None if the keys in `boxes` do not open the
        address.
        """
        return address_gift.open_text(address.gift.sealed, boxes, self._place(address.gift))

    def due(self, person: bytes, device: bytes) -> list[HeldAddress]:
        """Returns the addresses that people of this home gave to `person`, except those that
        `device` has already.
        """
        waiting = self._given.waiting_for(person, device)
        living = [address for address in waiting if self.is_alive(address.gift.agreement)]
        return living[: address_gift.MAX_GIFTS]

    def is_delivered(self, address: HeldAddress) -> bool:
        """Returns whether at least one device of the receiver has the address."""
        return self._given.is_handed(address)

    def has_given(self) -> bool:
        """Returns whether this home holds any address that a person of this home gave."""
        return self._given.has_given()

    # -- writing ----------------------------------------------------------------------------------

    def put(self, address: HeldAddress) -> None:
        """Stores an address. If the giver gave an earlier address for the same agreement, erases
        that one completely.
        """
        self._given.put(address)

    def receive(self, gift: Gift, home: str, receiver: bytes, boxes: list[BoxKey]) -> None:
        """Stores a gift: an address that came from the node `home`.

        When this returns, the address is safely stored. Raises Refused if a rule forbids this.
        """
        giver = self._check(gift, home, receiver)
        held = self.find(gift.agreement, giver=giver)
        if held is not None and held.gift.time >= gift.time:
            return  # this gift, or a later one, is here already
        if gift.sealed and address_gift.open_text(gift.sealed, boxes, self._place(gift)) is None:
            raise Refused("R-18.6", "the address is not sealed to the device that takes it")
        is_kept = held is not None and held.kept
        if is_kept and not gift.sealed:
            return  # the receiver kept the address, so the giver cannot take it back
        if held is None and self._given.count_received() >= MOST:
            raise Refused("R-18.8", "this home holds {most} addresses already", most=MOST)
        self.put(HeldAddress(giver, receiver, here=False, kept=is_kept, gift=gift))

    def note_handed(self, address: HeldAddress, device: bytes) -> None:
        """Notes that a device of the receiver has the address. Does nothing if a newer address has
        replaced this one.
        """
        with self._store.transaction():
            if self.find(address.gift.agreement, giver=address.giver) == address:
                self._given.note_handed(address, device)

    def keep(self, address: HeldAddress) -> None:
        """Marks an address, so that this home keeps it after its agreement has ended."""
        self._given.keep(address)

    def erase(self, *addresses: HeldAddress) -> None:
        """Erases addresses, and also their traces in the free pages and the write-ahead log of the
        database.
        """
        self._given.erase(addresses)

    def forget_ended(self) -> None:
        """R-18.7: erases the addresses of agreements that have ended. Leaves the addresses that a
        person has marked as kept.
        """
        not_kept = self._given.not_kept()
        ended = [address for address in not_kept if not self.is_alive(address.gift.agreement)]
        if ended:
            self.erase(*ended)

    def seal(self, text: str, agreement: bytes, device: bytes, seed: bytes) -> bytes:
        """R-18.6: seals the text of an address to all live devices of both parties."""
        assert self._state.authority is not None, "the giver is a member by it"
        boxes = self._state.authority.box_keys_of(self.parties(agreement))
        place = address_gift.text_context(self._state.neighbourhood, agreement, device)
        return address_gift.seal_text(text, boxes, place, seed)

    def _check(self, gift: Gift, home: str, receiver: bytes) -> bytes:
        """Returns the giver of an address that has arrived. Raises Refused if a rule forbids
        storing the address.

        The giver must be a party of an agreement in force (R-18.5).
        """
        authority = self._state.authority
        giver = authority.member_of_device(gift.device) if authority else None
        view = self._find(gift.agreement)
        if authority is None or giver is None or not authority.is_live(gift.device):
            raise Refused("R-18.5", "no live device of a member gives this address")
        if not self.is_alive(gift.agreement) or view is None:
            raise Refused("R-18.1", "no such agreement lives at this home")
        if {giver, receiver} != {view.giver, view.receiver}:
            raise Refused("R-18.5", "the agreement is not between these two people")
        gift.check(address_gift.GiftOrigin(self._state.neighbourhood, home))
        if gift.time > self._state.now() + DRIFT_MS:
            raise Refused("R-18.4", "the gift is ahead of this home's clock")
        return giver

    def _find(self, agreement: bytes) -> Agreement | None:
        view = self._state.views.find(agreement)
        return view if isinstance(view, Agreement) else None

    def _place(self, gift: Gift) -> bytes:
        return address_gift.text_context(self._state.neighbourhood, gift.agreement, gift.device)
