"""The methods of the local API by which people come together and decide who does what."""

from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import Params, number, text
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Finder
from meshcoop.api.server import Method
from meshcoop.author import renewal as deciding
from meshcoop.clock import iso
from protocol.fold.kind import KINDS

_RENEWED = ("moderators", "vouchers", "share", "title")  # what a person says of the next term


class BelongingMethods:
    """Answers for one node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {
            "join": self.join,
            "invite": self.invite,
            "approve": self.approve,
            "renew": self.renew,
        }

    async def join(self, params: Params) -> bool:
        """Knocks with an invitation; whether this home now belongs."""
        name = text(params, "name")
        return await self._node.join(
            text(params, "invitation"), name, number(params, "seconds", 60)
        )

    async def invite(self, params: Params) -> Params:
        """A new invitation."""
        member = await self._node.may_sign()
        await member.mesh.reach.reachable()
        code, expires = member.door.invite(approve=bool(params.get("approve")))
        return {"invitation": code, "expires": iso(expires)}

    async def approve(self, params: Params) -> Params:
        """Vouches for somebody who knocked."""
        member = await self._node.may_sign()
        typed = text(params, "person")
        person = Finder(member.state, Presenter(member.state, self._node.now)).newcomer(
            typed, member.door.knocks()
        )
        admitted = member.door.approve(person)
        return {"person": person.hex(), "state": "member" if admitted else "waiting"}

    async def renew(self, params: Params) -> Params:
        """Proposes the next term, with everything that holds written down."""
        member = await self._node.may_sign()
        finder = Finder(member.state, Presenter(member.state, self._node.now))
        given = {name: params.get(name) for name in _RENEWED}
        renewal = deciding.renew(
            member.author,
            person=None if params.get("person") is None else finder.person(text(params, "person")),
            **KINDS["renewal"].read(given, finder.resolve),
        )
        return {"id": renewal.id.hex()}
