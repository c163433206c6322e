"""The methods of the local API by which people come together and decide who does what."""

from typing import TYPE_CHECKING

from meshcoop import deciding
from meshcoop.api import Method
from meshcoop.errors import Mistake
from meshcoop.find import Finder
from meshcoop.params import Params, integer, number, text
from meshcoop.present import Presenter, iso

if TYPE_CHECKING:
    from meshcoop.node import Node

_USAGE = 2


class BelongingMethods:
    """Answers for one node."""

    def __init__(self, node: "Node") -> None:
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
        finder, named = (
            Finder(member.state, Presenter(member.state, self._node.now)),
            params.get("moderators"),
        )
        who, title = params.get("person"), params.get("title")
        if named is not None and type(named) is not list:
            raise Mistake("The moderators are a list of people.", _USAGE)
        renewal = deciding.renew(
            member.author,
            person=None if who is None else finder.person(text(params, "person")),
            moderators=None if named is None else sorted({finder.person(str(p)) for p in named}),
            vouchers=integer(params, "vouchers"),
            share=integer(params, "share"),
            title=None if title is None else text(params, "title"),
        )
        return {"id": renewal.id.hex()}
