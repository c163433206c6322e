"""The methods of the local API about people's devices (specs/06-local-api.md)."""

from typing import Any

from meshcoop.api.list_pages import Rows, paged, shown_rows
from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import USAGE_ERROR, Params
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.author import departure
from meshcoop.author.folding import fold_in_steps
from meshcoop.author.signer import Signer
from meshcoop.errors import Mistake
from meshcoop.home import passphrase_box as lock
from meshcoop.home.key_file import Guest
from protocol.authority.admission import Device
from protocol.authority.authority import Authority
from protocol.errors import AlreadySo, Refused
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import Device as DeviceRecord
from protocol.kinds.people import read_person_name
from protocol.record import root_statement as statement
from protocol.record.root_statement import Certificate, Leave, RootStatement
from protocol.schema.register_names import STANDING
from protocol.wire import calls


class DeviceMethods:
    """Shows devices, and posts statements about devices.

    Clients never send root keys or recovery words. Instead, they send statements that a root key
    has signed.
    """

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.Devices, paged(self.list_devices)),
            Method(calls.Device, self.show_device),
            Method(calls.PlanLeave, self.plan_leave),
            Method(calls.Carry, self.post_statement),
            Method(calls.Guest, self.add_guest),
            Method(calls.AsksPin, self.asks_pin),
        )

    async def list_devices(self, call: calls.Devices) -> Rows[Params]:
        """Lists the devices of `person` with their states. Without `person`, lists your own
        devices.
        """
        membership = self._node.require_membership()
        authority = membership.state.authority
        if authority is None:
            return _device_rows([])
        if call.person is None:
            people = _own_people(membership, authority)
        else:
            people = {self._resolver(membership).resolve_person(call.person)}
        devices = [device for person in sorted(people) for device in authority.devices_of(person)]
        return _device_rows([self._show(membership, device) for device in devices])

    async def show_device(self, call: calls.Device) -> Params:
        """Shows the device whose key begins with the given digits."""
        membership = self._node.require_membership()
        prefix = call.device.lower()
        authority = membership.state.authority
        devices = authority.devices if authority else {}
        matches = [device for key, device in devices.items() if key.hex().startswith(prefix)]
        if not matches:
            raise Mistake(
                "No device here is {prefix}; `meshcoop devices PERSON` shows theirs.", prefix=prefix
            )
        if len(matches) > 1:
            raise Mistake("Several devices begin with {prefix}; give more digits.", prefix=prefix)
        return self._show(membership, matches[0])

    async def plan_leave(self, call: calls.PlanLeave) -> Params:
        """Returns the values that a person's root key has to sign so that the person can leave the
        neighbourhood.
        """
        membership = await self._node.wait_to_sign()
        person = self._resolver(membership).resolve_person(call.person)
        plan = departure.plan_leave(membership.author, person)
        return {
            "person": person.hex(),
            "place": _place(membership).hex(),
            "n": plan.n,
            "cuts": {device.hex(): last for device, last in plan.cuts.items()},
        }

    async def post_statement(self, call: calls.Carry) -> Params:
        """Posts a statement that a person's root key has signed. The statement is about a device of
        the person, or says that the person leaves.
        """
        membership = await self._node.wait_to_sign()
        signed = bytes.fromhex(call.statement)
        read = statement.read_statement(signed)
        if read.place != _place(membership):
            raise Mistake("This statement is for another neighbourhood.")
        _check_new(membership.state.authority, read)
        record = membership.author.write(declared_of(DeviceRecord), {"statement": signed})
        return {"id": record.id.hex()}

    async def add_guest(self, call: calls.Guest) -> Params:
        """Adds a guest: a person without a machine of their own. This home keeps the guest's
        device, and a PIN locks it.
        """
        membership = await self._node.wait_to_sign()
        certified = _read_certificate(membership, call)
        guest = Guest(
            certified.person,
            certified.device,
            read_person_name(call.name),
            bytes.fromhex(call.statement),
            _read_lock(call),
        )
        # Nobody could use a device that the PIN does not open. So the PIN is tried first.
        seed = await membership.guests.open_seed(guest, call.pin)
        membership.guests.add(guest)
        is_member = _admit_guest(membership, guest, seed)
        # If the guest is a member already, the guest now accepts the charter and gives a name.
        signer = Signer(guest.person, guest.device, seed, membership.author.private)
        await fold_in_steps(membership.state, membership.guests.settle(guest, signer))
        presenter = Presenter(membership.state, self._node.now)
        person = presenter.show_named(guest.name, guest.person)
        return {"state": "member" if is_member else "waiting", "person": person}

    async def asks_pin(self, call: calls.AsksPin) -> bool:
        """Returns true if a person is a guest of this home. A guest needs a PIN to sign."""
        membership = self._node.require_membership()
        resolver = self._resolver(membership)
        person = membership.guests.resolve(call.as_, resolver.resolve_person)
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


def _device_rows(devices: list[Params]) -> Rows[Params]:
    return shown_rows(devices, lambda row: str(row["device"]))


def _own_people(membership: Membership, authority: Authority) -> set[bytes]:
    """Returns the people who have a signing device at this home."""
    devices = (authority.devices.get(key) for key in membership.author.devices)
    return {device.person for device in devices if device}


def _place(membership: Membership) -> bytes:
    """Returns the beginning of the neighbourhood's id. Statements about devices name the
    neighbourhood in this way.
    """
    return membership.state.neighbourhood[: statement.PLACE_SIZE]


def _check_new(authority: Authority | None, stated: RootStatement) -> None:
    """Raises AlreadySo if a statement changes nothing.

    There are three cases: the device is certified already, the device's log already ends at the
    same record or earlier, or the person has left already. A device can be revoked several times.
    The revocation with the earliest end counts (R-03.3).
    """
    if isinstance(stated, Leave):
        if authority and authority.holding((STANDING, stated.person)).n >= stated.n:
            raise AlreadySo("R-03.34", "you have left, or were removed, already")
        return
    device = authority.devices.get(stated.device) if authority else None
    if device is None:
        return
    if isinstance(stated, Certificate):
        raise AlreadySo("R-03.5", "the device is certified already")
    if device.revoked_after is not None and device.revoked_after <= stated.after:
        raise AlreadySo("R-03.3", "the device is revoked already")


def _read_certificate(membership: Membership, call: calls.Guest) -> Certificate:
    """Reads the certificate of a guest's device.

    Raises Refused if a signature is wrong. Raises Mistake (exit code 2) if the statement is no
    certificate for this neighbourhood.
    """
    certified = statement.read_statement(bytes.fromhex(call.statement))
    if not isinstance(certified, Certificate) or certified.place != _place(membership):
        raise Mistake("A guest needs a certificate for this neighbourhood.", USAGE_ERROR)
    return certified


def _read_lock(call: calls.Guest) -> Params:
    """Reads the locked seed of a guest's device. The guest's PIN locks this seed. Raises Mistake
    (exit code 2) if the parameter has a wrong form.
    """
    try:
        return lock.check_map(call.locked)
    except lock.UnreadableLock:
        raise Mistake("`locked` must be a seed that a PIN locks.", USAGE_ERROR) from None


def _admit_guest(membership: Membership, guest: Guest, seed: bytes) -> bool:
    """Posts the records that make a guest's new device count. Returns True if the guest is a member
    now.

    If the guest is a member already, posts the first record of the device. Otherwise this home's
    person vouches for the guest.
    """
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
    """Returns the state of a device: "live", "revoked" or "forked".

    A device is forked if it signed two records with the same number.
    """
    if device.revoked_after is not None:
        return "revoked"
    log = membership.state.store.logs.find(device.key)
    return "forked" if log and log.fork is not None else "live"
