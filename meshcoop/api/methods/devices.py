"""The methods of the local API about people's devices (specs/06-local-api.md)."""

from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import (
    USAGE_ERROR,
    Params,
    read_hex,
    read_id_prefix,
    read_pin,
    read_text,
)
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.api.server import Method
from meshcoop.author import automatic
from meshcoop.author.signer import Signer
from meshcoop.errors import Mistake
from meshcoop.home import passphrase_box as lock
from meshcoop.home.key_file import Guest
from protocol.authority.admission import Device
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.kind import KINDS
from protocol.record import root_statement as statement
from protocol.record.root_statement import Certificate


class DeviceMethods:
    """Shows devices and takes statements about them, for one node.

    Root keys and recovery words never come this way, only what they have signed.
    """

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {
            "devices": self.list_devices,
            "device": self.show_device,
            "carry": self.post_statement,
            "guest": self.add_guest,
            "asks_pin": self.asks_pin,
        }

    async def list_devices(self, params: Params) -> list[Params]:
        """Lists a person's devices and their state; without `person`, of this home's person."""
        membership = self._node.require_membership()
        authority = membership.state.authority
        if authority is None:
            return []
        if params.get("person") is None:
            people = _own_people(membership, authority)
        else:
            people = {self._resolver(membership).resolve_person(params["person"])}
        devices = [device for person in sorted(people) for device in authority.devices_of(person)]
        return [self._show(membership, device) for device in devices]

    async def show_device(self, params: Params) -> Params:
        """Shows one device, by the first digits of its key."""
        membership = self._node.require_membership()
        prefix = read_id_prefix(params.get("device"))
        authority = membership.state.authority
        devices = authority.devices if authority else {}
        matches = [device for key, device in devices.items() if key.hex().startswith(prefix)]
        if not matches:
            raise Mistake(f"No device here is {prefix}; `meshcoop devices PERSON` shows theirs.")
        if len(matches) > 1:
            raise Mistake(f"Several devices begin with {prefix}; give more digits.")
        return self._show(membership, matches[0])

    async def post_statement(self, params: Params) -> Params:
        """Posts a statement that a person's root key signed: it certifies or revokes a device."""
        membership = await self._node.wait_to_sign()
        signed = read_hex(params, "statement")
        if statement.read_statement(signed).place != _place(membership):
            raise Mistake("This statement is for another neighbourhood.")
        record = membership.author.write(KINDS["device"], {"statement": signed})
        return {"id": record.id.hex()}

    async def add_guest(self, params: Params) -> Params:
        """Adds a guest: a person without a machine, whose device here is locked with their PIN."""
        membership = await self._node.wait_to_sign()
        certified = _read_certificate(membership, params)
        KINDS["profile"].check_fields({"name": read_text(params, "name").strip()})
        guest = Guest(
            certified.person,
            certified.device,
            read_text(params, "name"),
            read_hex(params, "statement"),
            _read_lock(params),
        )
        # The PIN is tried before anything is kept: a device that nobody can open is of no use.
        seed = await membership.guests.open_seed(guest, read_pin(params))
        membership.guests.add(guest)
        is_member = _admit_guest(membership, guest, seed)
        if is_member:
            automatic.seal_epochs(membership.author, {guest.person})
        # A guest who is a member already accepts the charter and gives their name now.
        signer = Signer(guest.person, guest.device, seed, membership.author.private)
        membership.guests.settle(guest, signer)
        person = {"id": guest.person.hex(), "name": guest.name}
        return {"state": "member" if is_member else "waiting", "person": person}

    async def asks_pin(self, params: Params) -> bool:
        """True if this person is a guest of this home, who signs here with a PIN."""
        membership = self._node.require_membership()
        resolver = self._resolver(membership)
        person = membership.guests.resolve(read_text(params, "as"), resolver.resolve_person)
        return membership.guests.find(person) is not None

    def _resolver(self, membership: Membership) -> Resolver:
        return Resolver(membership.state, Presenter(membership.state, self._node.now))

    def _show(self, membership: Membership, device: Device) -> Params:
        log = membership.state.store.logs.find(device.key)
        presenter = Presenter(membership.state, self._node.now)
        guest_devices = [guest.device for guest in membership.guests.devices]
        return {
            "device": device.key.hex(),
            "person": presenter.show_person(device.person),
            "state": _state_of(membership, device),
            "records": log.head.seq if log else 0,
            "after": device.revoked_after,
            "here": device.key in {*membership.author.devices, *guest_devices},
            "place": _place(membership).hex(),
        }


def _own_people(membership: Membership, authority: Authority) -> set[bytes]:
    """The people whose devices this home signs with."""
    devices = (authority.devices.get(key) for key in membership.author.devices)
    return {device.person for device in devices if device}


def _place(membership: Membership) -> bytes:
    """The beginning of the neighbourhood's id, by which a statement names it."""
    return membership.state.neighbourhood[: statement.PLACE_SIZE]


def _read_certificate(membership: Membership, params: Params) -> Certificate:
    """A guest's certificate. Raises Mistake (2), and Refused if a signature is wrong."""
    certified = statement.read_statement(read_hex(params, "statement"))
    if not isinstance(certified, Certificate) or certified.place != _place(membership):
        raise Mistake("A guest needs a certificate for this neighbourhood.", USAGE_ERROR)
    return certified


def _read_lock(params: Params) -> Params:
    """The guest's seed, locked with their PIN. Raises Mistake (2)."""
    try:
        return lock.check_map(params.get("locked"))
    except lock.UnreadableLock:
        raise Mistake("`locked` must be a seed that a PIN locks.", USAGE_ERROR) from None


def _admit_guest(membership: Membership, guest: Guest, seed: bytes) -> bool:
    """Vouches for a guest, or introduces a member's further device; True if they are a member."""
    authority = membership.state.authority
    if authority is not None and guest.person in authority.members:
        membership.guests.introduce(guest, seed)
        return True
    try:
        return membership.invitation_desk.vouch(guest.person, guest.statement)
    except Refused:
        membership.guests.remove(guest)
        raise


def _state_of(membership: Membership, device: Device) -> str:
    """`live`, `revoked`, or `forked` if the device signed two records with one number."""
    if device.revoked_after is not None:
        return "revoked"
    log = membership.state.store.logs.find(device.key)
    return "forked" if log and log.fork is not None else "live"
