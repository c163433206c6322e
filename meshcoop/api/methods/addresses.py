"""The methods of the local API about addresses, person to person (specs/18-addresses.md)."""

from typing import NamedTuple

from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import Params, pin, text
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Finder
from meshcoop.api.server import Method
from meshcoop.clock import iso
from meshcoop.errors import Mistake
from meshcoop.store.given_addresses import HeldAddress
from protocol.errors import Refused
from protocol.record import sealing as seal
from protocol.record.sealing import BoxKey
from protocol.wire.address_gift import ADDRESS

_HAND_OVER_SECONDS = 5  # how long a person waits to hear that it has arrived


class _Party(NamedTuple):
    """Whom of this home an agreement concerns. `seed`: of a device of theirs; `guest`: whether a PIN
    has just opened it.
    """

    agreement: bytes
    person: bytes
    other: bytes
    seed: bytes
    boxes: list[BoxKey]
    guest: bool


class AddressMethods:
    """Answers for one node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {
            "give_address": self.give,
            "show_address": self.show,
            "forget_address": self.forget,
        }

    async def give(self, params: Params) -> Params:
        """Gives an address to the other party of an agreement, over a stream between the two homes."""
        member = await self._node.may_sign()
        party = await self._party(member, params)
        typed = _address(text(params, "text"))
        if not member.giving.addresses.lives(party.agreement):
            raise Mistake(
                "This agreement is over, so nobody can be given an address for it; agree anew."
            )
        held = member.giving.give(
            party.agreement, typed, party.seed, party.other, kept=bool(params.get("keep"))
        )
        return await self._told(member, party, held)

    async def show(self, params: Params) -> Params:
        """The address that was received for an agreement, or else the one given."""
        member = self._node.belonging()
        party = await self._party(member, params)
        addresses = member.giving.addresses
        if party.guest and addresses.of(party.agreement, giver=party.other) is None:
            await member.giving.ask(party.seed)
        held = self._held(member, party)
        found = addresses.text(held, party.boxes)
        presenter = Presenter(member.state, self._node.now)
        if found is None:
            who = presenter.person(held.giver)["name"]
            raise Mistake(
                f"The address was sealed to other devices of yours; ask {who} to give it again."
            )
        if params.get("keep") and not held.kept:
            addresses.keep(held)
            held = held._replace(kept=True)
        return {
            "agreement": party.agreement.hex(),
            "from": presenter.person(held.giver),
            "text": found,
            "given": iso(held.gift.time),
            "kept": held.kept,
        }

    async def forget(self, params: Params) -> Params:
        """Erases the addresses of an agreement here; one that was given is taken back as well."""
        member = await self._node.may_sign()
        party = await self._party(member, params)
        addresses = member.giving.addresses
        received = addresses.of(party.agreement, giver=party.other)
        if received is not None:
            addresses.drop(received)
        given = addresses.of(party.agreement, giver=party.person)
        if given is None:
            return {"agreement": party.agreement.hex(), "state": "forgotten"}
        if not addresses.lives(party.agreement):
            addresses.drop(given)
            return {"agreement": party.agreement.hex(), "state": "forgotten"}
        back = member.giving.give(party.agreement, "", party.seed, party.other)
        return await self._told(member, party, back, done="forgotten")

    # -- parts ------------------------------------------------------------------------------------

    async def _told(
        self, member: Membership, party: _Party, held: HeldAddress, done: str = "delivered"
    ) -> Params:
        """Whether it has arrived."""
        if party.other in member.author.people or member.guests.of(party.other):
            member.giving.has_handed(held, b"")  # they live here: there is no way to go
        arrived = await member.giving.settled(held, _HAND_OVER_SECONDS)
        other = Presenter(member.state, self._node.now).person(party.other)
        state = done if arrived else "waiting"
        return {"agreement": party.agreement.hex(), "state": state, "to": other}

    def _held(self, member: Membership, party: _Party) -> HeldAddress:
        """What this person may see. Raises Mistake."""
        addresses = member.giving.addresses
        found = [
            held
            for giver in (party.other, party.person)
            if (held := addresses.of(party.agreement, giver=giver)) and held.gift.sealed
        ]
        lives = addresses.lives(party.agreement)
        shown = next((one for one in found if lives or one.kept), None)
        if shown is not None:
            return shown
        if not lives:
            raise Mistake("This agreement is over, and no address of it was kept.")
        name = Presenter(member.state, self._node.now).person(party.other)["name"]
        raise Mistake(f"No address has come yet; {name} gives theirs with `meshcoop address give`.")

    async def _party(self, member: Membership, params: Params) -> _Party:
        """Who of this home asks about which agreement. Raises Mistake, Refused (R-18.5)."""
        finder = Finder(member.state, Presenter(member.state, self._node.now))
        agreement = finder.record(text(params, "agreement"))
        parties = member.giving.addresses.parties(agreement)
        who = params.get("as")
        asked = (
            {member.guests.whom(who, finder.person)} if who is not None else member.author.people
        )
        mine = sorted(asked & parties)
        if not mine:
            hint = "" if who is not None else "; for a guest of this home, say who with --as"
            raise Refused("R-18.5", f"this agreement is between other people{hint}")
        person = mine[0]
        others = parties - {person}
        guest = member.guests.of(person)
        if guest is None:
            seed, boxes = _own(member, person), [*member.state.ring.boxes.values()]
        else:
            seed = await member.guests.open(guest, pin(params))
            boxes = [seal.box_key(seed)]
        return _Party(agreement, person, others.pop(), seed, boxes, guest is not None)


def _address(typed: str) -> str:
    """The text as it is given. Raises Refused."""
    found: str = ADDRESS.read("address", typed.strip(), lambda _what, one: one.encode())
    ADDRESS.check("address", found)
    return found


def _own(member: Membership, person: bytes) -> bytes:
    """The seed of a device with which this home signs for a person. Raises Refused."""
    known = member.state.authority
    for device, seed in member.author.devices.items():
        mine = known is not None and known.author(device) == person
        if mine and member.author.fault(device) is None:
            return seed
    raise Refused("R-03.5", "no device of that person may sign at this home")
