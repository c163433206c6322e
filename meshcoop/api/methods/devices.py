"""The methods of the local API about people's devices (specs/06-local-api.md)."""

from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import Params, digits, pin, raw, text
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Finder
from meshcoop.api.server import Method
from meshcoop.author import automatic as duties
from meshcoop.author.signer import Signer
from meshcoop.errors import Mistake
from meshcoop.home import passphrase_box as lock
from meshcoop.home.key_file import Guest
from protocol.authority.admission import Device
from protocol.errors import Refused
from protocol.fold.kind import KINDS
from protocol.record import root_statement as statement

_USAGE = 2


class KeyMethods:
    """Answers for one node; keys and words never come this way, only what they have signed."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {
            "devices": self.devices,
            "device": self.device,
            "carry": self.carry,
            "guest": self.guest,
            "asks_pin": self.asks_pin,
        }

    async def devices(self, params: Params) -> list[Params]:
        """A person's devices and their state; of this home's person if left out."""
        member = self._node.belonging()
        authority = member.state.authority
        if authority is None:
            return []
        if params.get("person") is not None:
            presenter = Presenter(member.state, self._node.now)
            people = {Finder(member.state, presenter).person(params["person"])}
        else:
            known = (authority.devices.get(one) for one in member.author.devices)
            people = {one.person for one in known if one}
        found = [one for person in sorted(people) for one in authority.devices_of(person)]
        return [self._shown(member, one) for one in found]

    async def device(self, params: Params) -> Params:
        """One device, by the beginning of its key."""
        member = self._node.belonging()
        prefix = digits(params.get("device"))
        known = member.state.authority.devices if member.state.authority else {}
        found = [one for key, one in sorted(known.items()) if key.hex().startswith(prefix)]
        if not found:
            raise Mistake(f"No device here is {prefix}; `meshcoop devices PERSON` shows theirs.")
        if len(found) > 1:
            raise Mistake(f"Several devices begin with {prefix}; give more digits.")
        return self._shown(member, found[0])

    async def carry(self, params: Params) -> Params:
        """Posts a statement that somebody's root key has signed: a device certified or revoked."""
        member = await self._node.may_sign()
        said = statement.read(raw(params, "statement"))
        if said.place != _place(member):
            raise Mistake("This statement is for another neighbourhood.")
        one = member.author.write(KINDS["device"], {"statement": raw(params, "statement")})
        return {"id": one.id.hex()}

    async def guest(self, params: Params) -> Params:
        """Takes in somebody without a machine: their device, locked with their PIN."""
        member = await self._node.may_sign()
        state, certificate = member.state, raw(params, "statement")
        said = statement.read(certificate)
        if not isinstance(said, statement.Certified) or said.place != _place(member):
            raise Mistake("A guest comes with a certificate for this neighbourhood.", _USAGE)
        KINDS["profile"].check({"name": text(params, "name").strip()})
        guest = Guest(said.person, said.device, text(params, "name"), certificate, _locked(params))
        seed = await member.guests.open(guest, pin(params))
        member.guests.add(guest)
        if state.authority is not None and said.person in state.authority.members:
            member.guests.introduce(guest, seed)
            admitted = True
        else:
            try:
                admitted = member.door.vouch(said.person, certificate)
            except Refused:
                member.guests.drop(guest)
                raise
        if admitted:
            duties.seal_epochs(member.author, {said.person})
        # Somebody admitted at once accepts the charter and gives their name now.
        signer = Signer(guest.person, guest.device, seed, member.author.private)
        member.guests.settle(guest, signer)
        person = {"id": said.person.hex(), "name": guest.name}
        return {"state": "member" if admitted else "waiting", "person": person}

    async def asks_pin(self, params: Params) -> bool:
        """Whether this person's device, at this home, opens with a PIN of their own."""
        member = self._node.belonging()
        finder = Finder(member.state, Presenter(member.state, self._node.now))
        return member.guests.of(member.guests.whom(text(params, "as"), finder.person)) is not None

    def _shown(self, member: Membership, one: Device) -> Params:
        log = member.state.store.logs.find(one.key)
        presenter = Presenter(member.state, self._node.now)
        here = {*member.author.devices, *(guest.device for guest in member.guests.all)}
        return {
            "device": one.key.hex(),
            "person": presenter.person(one.person),
            "state": _state(member, one),
            "records": log.head.seq if log else 0,
            "after": one.revoked,
            "here": one.key in here,
            "place": _place(member).hex(),
        }


def _place(member: Membership) -> bytes:
    return member.state.neighbourhood[: statement.PLACE]


def _locked(params: Params) -> Params:
    try:
        return lock.check(params.get("locked"))
    except lock.Strange:
        raise Mistake("`locked` is a seed under a PIN.", _USAGE) from None


def _state(member: Membership, one: Device) -> str:
    if one.revoked is not None:
        return "revoked"
    log = member.state.store.logs.find(one.key)
    return "forked" if log and log.fork is not None else "live"
