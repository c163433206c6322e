"""The methods of the local API about membership: joining, vouching, and proposing the next term."""

from typing import Any

from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import Params
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.api.roll_growth import check_typed
from meshcoop.author.renewal import sign_draft
from meshcoop.author.term_draft import draft_renewal
from meshcoop.clock import iso_time
from protocol.fold.registry import declared_of
from protocol.kinds.decisions import Renewal
from protocol.kinds.people import read_person_name
from protocol.wire import calls

_RENEWAL_FIELDS = (
    "joining",
    "moderators",
    "vouchers",
    "share",
    "title",
)  # the fields that a person may set


class MembershipMethods:
    """Lets people join, and proposes the next term. Works for one node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.Join, self.join),
            Method(calls.AskPlace, self.ask_place),
            Method(calls.Invite, self.invite),
            Method(calls.Approve, self.approve),
            Method(calls.Renew, self.renew),
        )

    async def join(self, call: calls.Join) -> bool:
        """Asks to join with an invitation. Returns true if this home's person is a member now."""
        name = None if call.name is None else read_person_name(call.name)
        return await self._node.join(call.invitation, name, call.seconds)

    async def ask_place(self, call: calls.AskPlace) -> Params:
        """Asks the inviter's home where the newcomer would join. Returns the place: the beginning
        of the neighbourhood's id. A newcomer's certificate must name this place.
        """
        place = await self._node.ask_place(call.invitation, call.seconds)
        return {"place": place.hex()}

    async def invite(self, call: calls.Invite) -> Params:
        """Makes a new invitation."""
        membership = await self._node.wait_to_sign()
        # The invitation names this home's addresses. So the home first gets a reachable address.
        await membership.mesh.reach.wait_until_reachable()
        code, expires = membership.invitation_desk.invite(approve=call.approve)
        return {"invitation": code, "expires": iso_time(expires)}

    async def approve(self, call: calls.Approve) -> Params:
        """Vouches for a person who asked to join."""
        membership = await self._node.wait_to_sign()
        resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
        person = resolver.resolve_newcomer(call.person, membership.invitation_desk.knocks())
        is_member = membership.invitation_desk.approve(person)
        return {"person": person.hex(), "state": "member" if is_member else "waiting"}

    async def renew(self, call: calls.Renew) -> Params:
        """Proposes the next term. The proposal also lists every decision that is in force."""
        membership = await self._node.wait_to_sign()
        presenter = Presenter(membership.state, self._node.now)
        resolver = Resolver(membership.state, presenter)
        person = None
        if call.as_ is not None:
            person = resolver.resolve_person(call.as_)
        asked = {name: getattr(call, name) for name in _RENEWAL_FIELDS}
        fields = declared_of(Renewal).read_input(asked, resolver.resolve)
        draft = draft_renewal(membership.author, person=person, **fields)
        authority = membership.state.authority
        assert authority is not None, "the draft is made by it"
        check_typed(authority, draft.term, call.will_vote, presenter)
        renewal = sign_draft(membership.author, draft)
        return {"id": renewal.id.hex()}
