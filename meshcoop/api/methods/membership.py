"""The methods of the local API about membership: joining, vouching, and proposing the next term."""

from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import Params, read_number, read_text
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.api.server import Method
from meshcoop.author import renewal as renewals
from meshcoop.clock import iso_time
from protocol.fold.registry import declared_of
from protocol.kinds.decisions import Renewal
from protocol.kinds.people import read_person_name

_RENEWAL_FIELDS = ("moderators", "vouchers", "share", "title")  # the fields that a person may set
_JOIN_SECONDS = 60


class MembershipMethods:
    """Lets people join, and proposes the next term, for one node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """Returns the API methods of this class, by name."""
        return {
            "join": self.join,
            "invite": self.invite,
            "approve": self.approve,
            "renew": self.renew,
        }

    async def join(self, params: Params) -> bool:
        """Asks to join with an invitation. Returns true if this home's person is a member now."""
        name = None
        if params.get("name") is not None:
            name = read_person_name(read_text(params, "name"))
        invitation = read_text(params, "invitation")
        seconds = read_number(params, "seconds", _JOIN_SECONDS)
        return await self._node.join(invitation, name, seconds)

    async def invite(self, params: Params) -> Params:
        """Makes a new invitation."""
        membership = await self._node.wait_to_sign()
        # The invitation names this home's addresses. So the home first gets a reachable address.
        await membership.mesh.reach.wait_until_reachable()
        code, expires = membership.invitation_desk.invite(approve=bool(params.get("approve")))
        return {"invitation": code, "expires": iso_time(expires)}

    async def approve(self, params: Params) -> Params:
        """Vouches for a person who asked to join."""
        membership = await self._node.wait_to_sign()
        typed = read_text(params, "person")
        resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
        person = resolver.resolve_newcomer(typed, membership.invitation_desk.knocks())
        is_member = membership.invitation_desk.approve(person)
        return {"person": person.hex(), "state": "member" if is_member else "waiting"}

    async def renew(self, params: Params) -> Params:
        """Proposes the next term. The proposal also writes down everything that is in force."""
        membership = await self._node.wait_to_sign()
        resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
        person = None
        if params.get("person") is not None:
            person = resolver.resolve_person(read_text(params, "person"))
        asked = {name: params.get(name) for name in _RENEWAL_FIELDS}
        fields = declared_of(Renewal).read_input(asked, resolver.resolve)
        renewal = renewals.renew(membership.author, person=person, **fields)
        return {"id": renewal.id.hex()}
