"""The methods of the local API about the node itself, such as `status`, `wait` and `stop`."""

import hashlib
import os
from collections.abc import Iterable
from itertools import islice
from typing import Any

import trio

from meshcoop.api.loop_codes import Running
from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import Params
from meshcoop.api.peer_clocks import compare_clocks, show_other_clocks, show_own_clock
from meshcoop.api.presenter import Presenter, show_refusal
from meshcoop.api.roll_growth import describe_own_vouchers
from meshcoop.clock import iso_time
from meshcoop.errors import Remark
from meshcoop.fold.clock_limit import DRIFT_MS
from meshcoop.fold.slices import pause
from meshcoop.fold.state import State
from meshcoop.relay.relay import Relay
from protocol.fold.registry import package_of
from protocol.wire import calls, sync_session

_LOOK_AGAIN_SECONDS = 0.2
_IDS_AT_ONCE = 500

# The fields of the status that a relay, or a home without a neighbourhood, cannot fill.

_NO_MEMBERSHIP: Params = {
    "relay": None,
    "neighbourhood": None,
    "person": None,
    "former": None,
    "device": None,
    "timezone": None,
    "term": None,
    "trouble": None,
    "peers": [],
    "records": 0,
    "set_hash": None,
    "state_hash": None,
    "muted": [],
    "newer": [],
    "failed": [],
    "ahead": [],
    "own_clock": None,
    "other_clocks": [],
    "gone_with_key": 0,
    "own_vouchers": [],
    "running": [],
}


class StatusMethods:
    """Shows the status of one node, waits for records and peers, and stops the node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.Status, self.show_status),
            Method(calls.Examine, self.examine),
            Method(calls.Stop, self.stop),
            Method(calls.Wait, self.wait),
        )

    async def show_status(self, call: calls.Status) -> Params:
        """Shows who this home is, which peers it is connected to, and what it stores."""
        del call
        node = self._node
        status = {
            "specs": sync_session.VERSION,
            "pid": os.getpid(),
            "ready": node.is_ready,
            "open_keys": not node.has_passphrase,
            "keeps_recovery_words": node.keeps_recovery_words,
            "peer_id": node.network.peer_id,
            "addresses": node.network.addresses,
            "damage": [remark.as_dict() for remark in node.damage],
            "time": iso_time(node.now()),
        }
        if node.relay is not None:
            return {**status, **_NO_MEMBERSHIP, "waiting": {}, **self._relay_status(node.relay)}
        if node.membership is None:
            return {**status, **_NO_MEMBERSHIP, "waiting": {"admission": node.has_asked}}
        return {**status, **self._member_status(node.membership)}

    async def examine(self, call: calls.Examine) -> Params:
        """Looks into the stores of this home and returns what the doctor needs."""
        del call
        return await self._node.examine()

    async def stop(self, call: calls.Stop) -> None:
        """Stops the node."""
        del call
        self._node.stop()

    async def wait(self, call: calls.Wait) -> bool:
        """Waits until this home has the given records, peers and hashes. Returns false if the time
        runs out first.
        """
        with trio.move_on_after(call.timeout):
            while not self._is_reached(call):
                # Peers come and go without a record, so `changed` alone is not enough.
                with trio.move_on_after(_LOOK_AGAIN_SECONDS):
                    await self._node.changed.wait()
        return self._is_reached(call)

    def _relay_status(self, relay: Relay) -> Params:
        tenants = relay.tenants.values()
        addresses = self._node.network.peers()
        return {
            "relay": self._node.home.read_settings().relay,
            "serves": len(tenants),
            "unserved": [neighbourhood.hex() for neighbourhood in relay.unserved],
            "records": sum(tenant.store.records.count() for tenant in tenants),
            "peers": [
                {
                    "peer_id": peer,
                    "person": None,
                    "neighbourhood": tenant.neighbourhood.hex(),
                    "address": addresses.get(peer),
                    "since": iso_time(tenant.mesh.admitted_at[peer]),
                }
                for tenant in tenants
                for peer in sorted(tenant.mesh.conversations)
            ],
            "served": [
                {
                    "id": tenant.neighbourhood.hex(),
                    "name": tenant.name,
                    "set_hash": hash_record_ids(tenant.store.records.ids()).hex(),
                }
                for tenant in tenants
            ],
        }

    def _member_status(self, membership: Membership) -> Params:
        state = membership.state
        mesh = membership.mesh
        presenter = Presenter(state, self._node.now)
        authority = state.authority
        device = mesh.credentials.device
        person = authority.member_of_device(device) if authority else None
        owner = authority.person_of_device(device) if authority else None
        former = owner if person is None else None  # they left, or were removed
        muted = presenter.sort_people(membership.muted.people)
        clocks = compare_clocks(mesh.conversations.values())
        return {
            "relay": None,
            "neighbourhood": {
                "id": state.neighbourhood.hex(),
                "name": authority.charter["name"] if authority else None,
            },
            "person": presenter.show_person(person) if person else None,
            "former": presenter.show_person(former) if former else None,
            "device": device.hex(),
            "timezone": presenter.clock.zone_name,
            "term": presenter.show_term(),
            "trouble": _trouble(membership),
            "peers": _show_peers(membership, presenter),
            "relays": len(authority.relays) if authority else 0,
            "reserved": len(mesh.reach.relays),
            "seen_as": mesh.network.observed_addresses,
            "settled": None if mesh.settled_at is None else iso_time(mesh.settled_at),
            "records": state.store.records.count(),
            "set_hash": hash_record_ids(state.store.records.ids()).hex(),
            "state_hash": state.views.state_hash().hex(),
            "waiting": _show_waiting(membership, presenter),
            "muted": [presenter.show_person(muted_person) for muted_person in muted],
            "newer": show_newer(state),
            "failed": _show_failed(state),
            "ahead": show_ahead(state, presenter),
            "own_clock": show_own_clock(clocks),
            "other_clocks": show_other_clocks(clocks, presenter),
            "gone_with_key": membership.author.epoch_maker.gone_with_key,
            "own_vouchers": _show_own_vouchers(state, presenter, device),
            "running": _show_running(state, self._node.now()),
        }

    def _is_reached(self, call: calls.Wait) -> bool:
        """Returns whether this home has everything that a call of the method `wait` waits for."""
        membership = self._node.membership
        if membership is None:
            return False
        records = membership.state.store.records
        if records.count() < call.records:
            return False
        if len(membership.mesh.conversations) < call.peers:
            return False
        if call.id is not None and not records.ids_beginning(call.id.lower()):
            return False
        wanted_hash = call.state_hash
        return wanted_hash is None or membership.state.views.state_hash().hex() == wanted_hash


def hash_record_ids(record_ids: Iterable[bytes]) -> bytes:
    """Hashes all record ids with SHA-256. The ids must be sorted.

    Nodes with the same records get the same hash (R-03.17).
    """
    hasher = hashlib.sha256(b"meshcoop set 1\0")
    remaining = iter(record_ids)
    while ids := b"".join(islice(remaining, _IDS_AT_ONCE)):
        pause()
        hasher.update(ids)
    return hasher.digest()


def _trouble(membership: Membership) -> Params | None:
    """Returns the reason why this home cannot sign, or None if it can sign."""
    author = membership.author
    if author.can_sign:
        return None
    first_device = next(iter(author.devices))
    fault = author.find_fault(first_device)
    return show_refusal(fault) if fault else None


def show_newer(state: State) -> list[Params]:
    """Shows each kind that this program does not know, and the number of its records (R-10.8c).

    `package` is the package that would bring this kind. If a later version of the specs has the
    kind, `package` is None.
    """
    return [
        {"kind": kind, "records": count, "package": package_of(kind)}
        for kind, count in state.views.newer_counts().items()
    ]


def show_ahead(state: State, presenter: Presenter) -> list[Params]:
    """Shows the devices that signed a record dated ahead of this home's clock (R-03.18d)."""
    times = dict(state.clock_limit.kept_out)
    for log in state.store.logs.all():
        if log.head.time > state.now() + DRIFT_MS:
            times.setdefault(log.device, log.head.time)
    return [
        {
            "person": presenter.show_person(_holder_of(device, state)),
            "device": device.hex(),
            "time": iso_time(time),
        }
        for device, time in sorted(times.items())
    ]


def _show_own_vouchers(state: State, presenter: Presenter, device: bytes) -> list[Params]:
    """If too few people have vouched for the person of this home, tells the person so (R-06.19)."""
    owner = state.authority.owners.get(device) if state.authority else None
    return [] if owner is None else describe_own_vouchers(state, presenter, owner)


def _show_running(state: State, now: int) -> list[Params]:
    """Warns if no relay keeps records for the homes, and all homes run only in the same few hours
    of the day (R-24.15).
    """
    has_relay = state.authority is not None and bool(state.authority.relays)
    if has_relay or not state.authority_fold.witnesses.are_on_in_few_hours(now):
        return []
    return [Remark(Running.FEW_HOURS, {}).as_dict()]


def _holder_of(device: bytes, state: State) -> bytes:
    """Returns the person who owns a device. If the device belongs to no known member, returns the
    device's key.
    """
    holder = state.authority.member_of_device(device) if state.authority else None
    return holder or device


def _show_failed(state: State) -> list[Params]:
    """Lists the code of kinds that has failed. First come the threads that are left out for this
    reason, and then the methods that failed.
    """
    threads = [
        {"id": thread.id.hex(), "error": thread.error} for thread in state.views.failed_threads()
    ]
    methods = [
        {"method": method, "error": error}
        for method, error in sorted(state.failures.errors.items())
    ]
    return threads + methods


def _show_peers(membership: Membership, presenter: Presenter) -> list[Params]:
    mesh = membership.mesh
    addresses = mesh.network.peers()
    return [
        {
            "peer_id": peer,
            "person": presenter.show_person(conversation.person) if conversation.person else None,
            "address": addresses.get(peer),
            "since": iso_time(mesh.admitted_at[peer]),
        }
        for peer, conversation in sorted(mesh.conversations.items())
    ]


def _show_waiting(membership: Membership, presenter: Presenter) -> Params:
    """Shows who waits to be admitted. Also shows how many records wait for earlier records that are
    missing.
    """
    authority = membership.state.authority
    vouchers_of = authority.candidates if authority else {}

    def show_vouchers(person: bytes) -> list[Params]:
        vouchers = presenter.sort_people(vouchers_of.get(person, ()))
        return [presenter.show_person(voucher) for voucher in vouchers]

    return {
        "knocks": [
            {
                "person": presenter.show_named(knock.name, knock.person),
                "since": iso_time(knock.since),
                "vouchers": show_vouchers(knock.person),
            }
            for knock in membership.invitation_desk.knocks()
        ],
        "vouched": [
            {"person": presenter.show_person(person), "vouchers": show_vouchers(person)}
            for person in sorted(vouchers_of)
        ],
        "unplaced": len(membership.mesh.inbox.pool),
    }
