"""The methods of the local API about the street addresses that people give each other
(specs/18-addresses.md).
"""

from typing import Any, NamedTuple

from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import Params
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.clock import iso_time
from meshcoop.errors import Mistake
from meshcoop.store.given_addresses import HeldAddress
from protocol.errors import Refused
from protocol.record import sealing as seal
from protocol.record.sealing import BoxKey
from protocol.schema.shared_rules import ADDRESS
from protocol.wire import calls

_HAND_OVER_SECONDS = 5  # how long a call waits to hear that an address has arrived


_AboutAddress = calls.GiveAddress | calls.ShowAddress | calls.ForgetAddress


class _Party(NamedTuple):
    """A person of this home who is a party to an agreement, with this person's keys."""

    agreement: bytes
    person: bytes
    other: bytes
    seed: bytes  # the seed of one of the person's devices
    boxes: list[BoxKey]
    is_guest: bool  # if True, the guest's PIN has just opened the device


class AddressMethods:
    """Gives, shows and erases the street addresses that belong to agreements."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.GiveAddress, self.give_address),
            Method(calls.ShowAddress, self.show_address),
            Method(calls.ForgetAddress, self.forget_address),
        )

    async def give_address(self, call: calls.GiveAddress) -> Params:
        """Gives an address to the other party of an agreement, directly from home to home."""
        membership = await self._node.wait_to_sign()
        party = await self._open_party(membership, call)
        address = _read_address(call.text)
        delivery = membership.address_delivery
        if not delivery.addresses.is_alive(party.agreement):
            raise Mistake(
                "This agreement is over, so nobody can be given an address for it;"
                " make a new agreement."
            )
        held = delivery.give(party.agreement, address, party.seed, party.other, kept=call.keep)
        return await self._wait_for_delivery(membership, party, held)

    async def show_address(self, call: calls.ShowAddress) -> Params:
        """Shows the address that you received for an agreement. If you received none, shows the
        address that you gave.
        """
        membership = self._node.require_membership()
        party = await self._open_party(membership, call)
        addresses = membership.address_delivery.addresses
        if party.is_guest and addresses.find(party.agreement, giver=party.other) is None:
            # Other homes can hand over an address only while a PIN has opened the guest's device.
            await membership.address_delivery.fetch_pending(party.seed)
        held = self._find_address(membership, party)
        address = addresses.open_text(held, party.boxes)
        presenter = Presenter(membership.state, self._node.now)
        if address is None:
            raise Mistake(
                "The address was sealed to other devices of yours; ask {name} to give it again.",
                name=presenter.name_person(held.giver),
            )
        if call.keep and not held.kept:
            addresses.keep(held)
            held = held._replace(kept=True)
        return {
            "agreement": party.agreement.hex(),
            "from": presenter.show_person(held.giver),
            "text": address,
            "given": iso_time(held.gift.time),
            "kept": held.kept,
        }

    async def forget_address(self, call: calls.ForgetAddress) -> Params:
        """Erases the addresses of an agreement at this home. Also takes back the address that this
        home's person gave.
        """
        membership = await self._node.wait_to_sign()
        party = await self._open_party(membership, call)
        addresses = membership.address_delivery.addresses
        received = addresses.find(party.agreement, giver=party.other)
        if received is not None:
            addresses.erase(received)
        given = addresses.find(party.agreement, giver=party.person)
        if given is not None and addresses.is_alive(party.agreement):
            # An empty address replaces the given address, at the other home too.
            empty = membership.address_delivery.give(party.agreement, "", party.seed, party.other)
            return await self._wait_for_delivery(membership, party, empty, done="forgotten")
        if given is not None:
            addresses.erase(given)
        return {"agreement": party.agreement.hex(), "state": "forgotten"}

    async def _wait_for_delivery(
        self, membership: Membership, party: _Party, held: HeldAddress, done: str = "delivered"
    ) -> Params:
        """Waits a few seconds for an address to arrive at the other party's home.

        If the address has arrived, the result has the state `done`. Otherwise it has the state
        "waiting".
        """
        if party.other in membership.author.people or membership.guests.find(party.other):
            membership.address_delivery.note_handed(
                held, b""
            )  # both people live here, so nothing has to be sent
        has_arrived = await membership.address_delivery.wait_until_handed(held, _HAND_OVER_SECONDS)
        other = Presenter(membership.state, self._node.now).show_person(party.other)
        state = done if has_arrived else "waiting"
        return {"agreement": party.agreement.hex(), "state": state, "to": other}

    def _find_address(self, membership: Membership, party: _Party) -> HeldAddress:
        """Finds the address that this person received for an agreement. If there is none, finds the
        address that this person gave. Raises Mistake if there is no address at all.

        After the end of the agreement, finds an address only if a person has marked it as kept.
        """
        addresses = membership.address_delivery.addresses
        received = addresses.find(party.agreement, giver=party.other)
        given = addresses.find(party.agreement, giver=party.person)
        lives = addresses.is_alive(party.agreement)
        for held in (received, given):
            if held is not None and held.gift.sealed and (lives or held.kept):
                return held
        if not lives:
            raise Mistake("This agreement is over, and no address of it was kept.")
        name = Presenter(membership.state, self._node.now).name_person(party.other)
        raise Mistake(
            "No address has come yet; {name} gives theirs with `meshcoop address give`.", name=name
        )

    async def _open_party(self, membership: Membership, call: _AboutAddress) -> _Party:
        """Finds the person of this home who is a party to an agreement, and opens this person's
        keys.

        Raises Refused if nobody of this home is a party (R-18.5). Raises Mistake if the call names
        an agreement or a person that cannot be found.
        """
        resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
        agreement = resolver.resolve_record(call.agreement)
        parties = membership.address_delivery.addresses.parties(agreement)
        if call.as_ is None:
            people = membership.author.people
        else:
            people = {membership.guests.resolve(call.as_, resolver.resolve_person)}
        own_parties = sorted(people & parties)
        if not own_parties:
            if call.as_ is not None:
                raise Refused("R-18.5", "this agreement is between other people")
            raise Refused(
                "R-18.5",
                "this agreement is between other people; for a guest of this home, say who with --as",
            )
        person = own_parties[0]
        (other,) = parties - {person}
        guest = membership.guests.find(person)
        if guest is None:
            seed = _own_seed(membership, person)
            boxes = [*membership.state.ring.boxes.values()]
        else:
            membership.guests.check_admitted(guest)
            seed = await membership.guests.open_seed(guest, call.pin)
            boxes = [seal.device_box_key(seed)]
        return _Party(agreement, person, other, seed, boxes, is_guest=guest is not None)


def _read_address(typed: str) -> str:
    """Reads the text of an address and checks it. Raises Refused if the text breaks a rule."""
    address: str = ADDRESS.read("address", typed.strip(), lambda _what, name: name.encode())
    ADDRESS.check("address", address)
    return address


def _own_seed(membership: Membership, person: bytes) -> bytes:
    """Returns the seed of a device of this home that may sign for a person.

    Raises Refused if no device of this person may sign here.
    """
    authority = membership.state.authority
    for device, seed in membership.author.devices.items():
        is_theirs = authority is not None and authority.member_of_device(device) == person
        if is_theirs and membership.author.find_fault(device) is None:
            return seed
    raise Refused("R-03.5", "no device of that person may sign at this home")
