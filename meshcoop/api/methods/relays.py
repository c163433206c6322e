"""The methods of the local API about relays (specs/06-local-api.md)."""

from dataclasses import replace
from typing import Any

from meshcoop.api.list_pages import Rows, paged, shown_rows
from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import USAGE_ERROR, Params
from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso_time
from meshcoop.errors import Mistake
from meshcoop.home.relay_limits import MEGABYTE
from meshcoop.relay.relay import Relay
from meshcoop.sync import relay_enrolment
from protocol.authority.kind_names import RELAY
from protocol.errors import AlreadySo
from protocol.kinds.neighbourhood import Relay as RelayRecord
from protocol.record.packed_addresses import pack_addresses
from protocol.record.peer_id import peer_id
from protocol.spelling import are_alike
from protocol.wire import calls
from protocol.wire.calls import Call

_PACKED_ADDRESS = 19  # bytes; no packed address is longer


class RelayMethods:
    """Manages the relay that this node runs. The technician of the relay calls these methods."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.RelayTicket, self.issue_ticket),
            Method(calls.RelayLeave, self.leave_neighbourhood),
            Method(calls.RelayLimits, self.change_limits),
            Method(calls.RelayStorage, paged(self.show_storage)),
        )

    async def issue_ticket(self, call: calls.RelayTicket) -> Params:
        """Makes a ticket. One neighbourhood can enrol this relay with the ticket."""
        addresses = call.addresses or []
        if not all(map(_is_address, addresses)):
            raise Mistake(
                "Write an address as neighbours dial it, like /ip4/192.0.2.7/tcp/4001.",
                USAGE_ERROR,
            )
        relay = self._node.require_relay()
        code, expires = relay.issue_ticket(addresses)
        return {"ticket": code, "expires": iso_time(expires)}

    async def leave_neighbourhood(self, call: calls.RelayLeave) -> Params:
        """Stops serving a neighbourhood. Erases everything that the relay stores for this
        neighbourhood.
        """
        relay = self._node.require_relay()
        neighbourhood = _find_enrolled(relay, call.neighbourhood)
        shown = _show_neighbourhood(relay, neighbourhood)
        await relay.leave(neighbourhood)
        return {"neighbourhood": shown}

    async def change_limits(self, call: calls.RelayLimits) -> Params:
        """Changes the limits that this relay sets for each neighbourhood, if the call gives new
        limits. Then shows the limits.
        """
        relay = self._node.require_relay()
        home = self._node.home
        settings = home.read_settings()
        if call.megabytes or call.days:
            settings = replace(
                settings,
                megabytes=call.megabytes or settings.megabytes,
                days=call.days or settings.days,
            )
            home.write_settings(settings)
            relay.change_limits(settings.limits)
        return {"megabytes": settings.limits.room // MEGABYTE, "days": settings.limits.days}

    async def show_storage(self, call: calls.RelayStorage) -> Rows[Params]:
        """Lists how much space each neighbourhood uses at this relay."""
        del call
        relay = self._node.require_relay()
        rows = [
            {
                "neighbourhood": _show_neighbourhood(relay, tenant.neighbourhood),
                "records": tenant.store.records.count(),
                "used": tenant.storage.used,
                "room": tenant.storage.limits.room,
                "disk": tenant.bytes_on_disk,
                "let_go": tenant.storage.released_count,
            }
            for tenant in relay.tenants.values()
        ]
        return shown_rows(rows, _cursor_of_tenant)


class RelayEnrolmentMethods:
    """Enrols and lists the relays of the neighbourhood. Members call these methods."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.RelayEnrol, self.enrol_relay),
            Method(calls.RelayEnd, self.end_enrolment),
            Method(calls.Relays, paged(self.list_relays)),
        )

    async def enrol_relay(self, call: calls.RelayEnrol) -> Params:
        """Enrols the relay that made a ticket. From then on, this relay serves the
        neighbourhood.
        """
        membership = await self._node.wait_to_sign()
        record = await relay_enrolment.enrol(membership.mesh, call.ticket)
        return {"id": record.id.hex()}

    async def end_enrolment(self, call: calls.RelayEnd) -> Params:
        """Ends the enrolment of a relay. Only a person who enrolled the relay can end it."""
        membership = await self._node.wait_to_sign()
        prefix = call.relay.lower()
        authority = membership.state.authority
        relays = authority.relays if authority else {}
        matches = [relay for key, relay in relays.items() if key.hex().startswith(prefix)]
        if not matches:
            _check_not_ended(membership, prefix)
        if len(matches) != 1:
            raise Mistake(
                "No one relay is {prefix}; `meshcoop relay list` shows them.", prefix=prefix
            )
        record = relay_enrolment.end_enrolment(membership.mesh, matches[0])
        if record is None:
            raise Mistake("Others enrolled this relay, not you; only they can end that.")
        return {"id": record.id.hex()}

    async def list_relays(self, call: Call) -> Rows[Params]:
        """Lists the relays of the neighbourhood. If this home is a relay, lists the neighbourhoods
        that the relay serves.
        """
        del call
        relay = self._node.relay
        if relay is not None:
            return shown_rows(_list_tenants(relay), _cursor_of_tenant)
        membership = self._node.require_membership()
        presenter = Presenter(membership.state, self._node.now)
        conversations = membership.mesh.conversations
        authority = membership.state.authority
        relays = authority.relays if authority else {}
        oldest_first = sorted(relays.items(), key=lambda key_and_relay: key_and_relay[1].since)
        rows = [
            {
                "id": enrolled.carrier.id.hex(),
                "kind": RELAY,
                "key": key.hex(),
                "peer_id": peer_id(key),
                "addresses": list(enrolled.addresses),
                "people": [presenter.show_person(person) for person in enrolled.people],
                "created": iso_time(enrolled.since),
                "state": "connected" if peer_id(key) in conversations else "away",
            }
            for key, enrolled in oldest_first
        ]
        return shown_rows(rows, lambda row: str(row["key"]))


def _check_not_ended(membership: Membership, prefix: str) -> None:
    """Raises AlreadySo if this home's person has already ended the enrolment of a relay. `prefix`
    is the beginning of the relay's key.
    """
    own_devices = membership.author.devices
    for act in membership.state.authority_fold.records_of(RelayRecord):
        if act.device in own_devices and act.fields["key"].hex().startswith(prefix):
            raise AlreadySo("R-08.2", "you have ended this relay already", act.id)


def _list_tenants(relay: Relay) -> list[Params]:
    served = [
        {
            "neighbourhood": _show_neighbourhood(relay, tenant.neighbourhood),
            "state": "served",
            "since": iso_time(relay.enrolled_at(tenant.neighbourhood)),
            "connected": len(tenant.mesh.conversations),
            "records": tenant.store.records.count(),
        }
        for tenant in relay.tenants.values()
    ]
    unserved = [
        {
            "neighbourhood": _show_neighbourhood(relay, neighbourhood),
            "state": "unserved",
            "since": iso_time(relay.enrolled_at(neighbourhood)),
            "connected": 0,
            "records": 0,
        }
        for neighbourhood in relay.unserved
    ]
    return served + unserved


def _cursor_of_tenant(row: Params) -> str:
    return str(row["neighbourhood"]["id"])


def _find_enrolled(relay: Relay, typed: str) -> bytes:
    """Finds a neighbourhood that has enrolled this relay. The caller gives the name of the
    neighbourhood, or the beginning of its id.

    Raises Mistake if no neighbourhood fits, or if several fit.
    """
    prefix = typed.lower()
    matches = [
        neighbourhood
        for neighbourhood in (*relay.tenants, *relay.unserved)
        if neighbourhood.hex().startswith(prefix)
        or are_alike(_name_of(relay, neighbourhood) or "", typed)
    ]
    if len(matches) != 1:
        raise Mistake(
            (
                "{typed!r} names {value} of the neighbourhoods that this relay serves; "
                "`meshcoop relay list` shows their ids."
            ),
            typed=typed,
            value=len(matches) or "none",
        )
    return matches[0]


def _show_neighbourhood(relay: Relay, neighbourhood: bytes) -> Params:
    return {"id": neighbourhood.hex(), "name": _name_of(relay, neighbourhood)}


def _name_of(relay: Relay, neighbourhood: bytes) -> str | None:
    tenant = relay.tenants.get(neighbourhood)
    return tenant.name if tenant else None


def _is_address(text: str) -> bool:
    """Returns whether a text is an address that may stand in a record."""
    return bool(pack_addresses((text,), _PACKED_ADDRESS))
