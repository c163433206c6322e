"""The methods of the local API about relays (specs/06-local-api.md)."""

from dataclasses import replace

from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import USAGE, Params, digits, number, text
from meshcoop.api.presenter import Presenter
from meshcoop.api.server import Method
from meshcoop.clock import iso
from meshcoop.errors import Mistake
from meshcoop.home.relay_limits import MEGABYTE
from meshcoop.sync import relay_enrolment as enrolling
from protocol.record.packed_addresses import pack_addresses
from protocol.record.peer_id import peer_id


class RelayMethods:
    """Answers for one node: a relay's own, and a member's about the relays of the neighbourhood."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {
            "relay_ticket": self.ticket,
            "relay_enrol": self.enrol,
            "relay_end": self.end,
            "relays": self.relays,
            "relay_leave": self.leave,
            "relay_limits": self.limits,
            "relay_storage": self.storage,
        }

    # -- at a relay -------------------------------------------------------------------------------

    async def ticket(self, params: Params) -> Params:
        """A new ticket, with which one neighbourhood can enrol this relay."""
        given = params.get("addresses") or []
        if type(given) is not list or not all(pack_addresses((str(one),), 19) for one in given):
            raise Mistake(
                "An address is written like /ip4/192.0.2.7/tcp/4001, where neighbours dial it.",
                USAGE,
            )
        code, expires = self._node.relaying().ticket([str(one) for one in given])
        return {"ticket": code, "expires": iso(expires)}

    async def leave(self, params: Params) -> Params:
        """Serves a neighbourhood no more, and erases what is kept for it."""
        relay = self._node.relaying()
        typed = text(params, "neighbourhood")
        found = [
            one
            for one in relay.served.values()
            if one.name == typed or one.neighbourhood.hex().startswith(typed.lower())
        ]
        if len(found) != 1:
            raise Mistake(
                f"{typed!r} names {len(found) or 'none'} of the neighbourhoods that this relay"
                " serves; `meshcoop relay list` tells their ids."
            )
        name = found[0].name
        await relay.leave(found[0].neighbourhood)
        return {"neighbourhood": {"id": found[0].neighbourhood.hex(), "name": name}}

    async def limits(self, params: Params) -> Params:
        """What each neighbourhood may use of this relay; changed where something is given."""
        relay, home = self._node.relaying(), self._node.home
        settings = home.read_settings()
        megabytes, days = (_above_zero(params, name) for name in ("megabytes", "days"))
        if megabytes or days:
            settings = replace(
                settings, megabytes=megabytes or settings.megabytes, days=days or settings.days
            )
            home.write_settings(settings)
            relay.limit(settings.limits)
        return {"megabytes": settings.limits.room // MEGABYTE, "days": settings.limits.days}

    async def storage(self, params: Params) -> list[Params]:
        """How much is kept for each neighbourhood."""
        del params
        relay = self._node.relaying()
        return [
            {
                "neighbourhood": {"id": one.neighbourhood.hex(), "name": one.name},
                "records": one.store.records.count(),
                "used": one.storage.used,
                "room": one.storage.limits.room,
                "disk": one.on_disk,
                "let_go": one.storage.let_go,
            }
            for one in relay.served.values()
        ]

    # -- at a member ------------------------------------------------------------------------------

    async def enrol(self, params: Params) -> Params:
        """Enrols the relay of a ticket."""
        member = await self._node.may_sign()
        one = await enrolling.enrol(member.mesh, text(params, "ticket"))
        return {"id": one.id.hex()}

    async def end(self, params: Params) -> Params:
        """Ends what this home's person said of a relay."""
        member = await self._node.may_sign()
        prefix = digits(params.get("relay"))
        known = member.state.authority.relays if member.state.authority else {}
        found = [one for key, one in known.items() if key.hex().startswith(prefix)]
        if len(found) != 1:
            raise Mistake(f"No one relay is {prefix}; `meshcoop relay list` shows them.")
        done = enrolling.end(member.mesh, found[0])
        if done is None:
            raise Mistake("Others enrolled this relay, not you; who did can end it.")
        return {"id": done.id.hex()}

    async def relays(self, params: Params) -> list[Params]:
        """At a member: the relays that serve the neighbourhood. At a relay: whom it serves."""
        del params
        relay = self._node.relay
        if relay is not None:
            return [
                {
                    "neighbourhood": {"id": one.neighbourhood.hex(), "name": one.name},
                    "since": iso(relay.since(one.neighbourhood)),
                    "connected": len(one.mesh.conversations),
                    "records": one.store.records.count(),
                }
                for one in relay.served.values()
            ]
        member = self._node.belonging()
        presenter = Presenter(member.state, self._node.now)
        known = member.state.authority.relays if member.state.authority else {}
        return [
            {
                "id": one.carrier.id.hex(),
                "kind": "relay",
                "key": key.hex(),
                "peer_id": peer_id(key),
                "addresses": list(one.addresses),
                "people": [presenter.person(person) for person in one.people],
                "created": iso(one.since),
                "state": "connected" if peer_id(key) in member.mesh.conversations else "away",
            }
            for key, one in sorted(known.items(), key=lambda item: item[1].since)
        ]


def _above_zero(params: Params, name: str) -> int | None:
    """A number of at least 1, if one is given. Raises Mistake (2)."""
    if params.get(name) is None:
        return None
    given = int(number(params, name, 0))
    if not given:
        raise Mistake(f"`{name}` is a number above 0.", USAGE)
    return given
