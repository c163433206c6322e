"""The methods of the local API (specs/06-local-api.md): what screens and commands may ask a node.

Parameters come from programs of the same user, and are checked all the same: a wrong one is a
sentence, never a traceback.
"""

import hashlib
import os
from typing import TYPE_CHECKING, Any

import trio

from meshcoop.api import Method
from meshcoop.errors import Mistake
from meshcoop.find import Finder
from meshcoop.params import USAGE, Params, hexadecimal, number, text
from meshcoop.present import Presenter, iso
from meshcoop.reading import Reading
from protocol.balance import Balance

if TYPE_CHECKING:
    from meshcoop.node import Member, Node

_OPENED_AT_ONCE = 50  # private records


class Methods:
    """Answers for one node. Every method takes a map of parameters and returns plain values."""

    def __init__(self, node: "Node") -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {
            "status": self.status,
            "stop": self.stop,
            "wait": self.wait,
            "join": self.join,
            "invite": self.invite,
            "approve": self.approve,
            "post": self.post,
            "list": self.listing,
            "show": self.show,
            "balance": self.balance,
            "search": self.search,
            "mute": self.mute,
        }

    # -- the node ---------------------------------------------------------------------------------

    async def status(self, params: Params) -> Params:
        """Where this home stands."""
        del params
        node = self._node
        known = {
            "pid": os.getpid(),
            "ready": node.ready,
            "peer_id": node.network.peer_id,
            "addresses": node.network.addresses,
        }
        if node.member is None:
            waiting = node.home.read_settings().invitation is not None
            return {**known, **_NOBODY, "waiting": {"admission": waiting}}
        return known | self._member_status(node.member)

    def _member_status(self, member: "Member") -> Params:
        state, presenter = member.state, self._presenter(member)
        authority = state.authority
        device = member.mesh.credentials.device
        person = authority.author(device) if authority else None
        conversations = sorted(member.mesh.conversations.items())
        addresses = member.mesh.network.peers()
        return {
            "neighbourhood": {
                "id": state.neighbourhood.hex(),
                "name": authority.charter["name"] if authority else None,
            },
            "person": presenter.person(person) if person else None,
            "device": device.hex(),
            "peers": [
                {
                    "peer_id": peer,
                    "person": presenter.person(one.person) if one.person else None,
                    "address": addresses.get(peer),
                    "since": iso(member.mesh.since[peer]),
                }
                for peer, one in conversations
            ],
            "records": state.store.count(),
            "set_hash": set_hash(state.store.ids()).hex(),
            "state_hash": state.views.state_hash().hex(),
            "waiting": self._waiting(member),
            "muted": [presenter.person(one) for one in sorted(member.muted.people)],
        }

    def _waiting(self, member: "Member") -> Params:
        presenter, authority = self._presenter(member), member.state.authority
        vouched = authority.waiting if authority else {}
        return {
            "knocks": [
                {
                    "person": {"id": one.person.hex(), "name": one.name},
                    "since": iso(one.since),
                    "vouchers": [
                        presenter.person(who) for who in sorted(vouched.get(one.person, ()))
                    ],
                }
                for one in member.door.knocks()
            ],
            "vouched": [
                {
                    "person": presenter.person(person),
                    "vouchers": [presenter.person(who) for who in sorted(vouchers)],
                }
                for person, vouchers in sorted(vouched.items())
            ],
            "unplaced": len(member.mesh.inbox.pool),
        }

    async def stop(self, params: Params) -> None:
        """Ends the node."""
        del params
        self._node.stop()

    async def wait(self, params: Params) -> bool:
        """Whether what is asked for came to be in time."""
        with trio.move_on_after(number(params, "timeout", 30)):
            while not self._is_so(params):
                with trio.move_on_after(0.2):  # peers come and go without a record
                    await self._node.changed.wait()
        return self._is_so(params)

    def _is_so(self, params: Params) -> bool:
        member = self._node.member
        if member is None:
            return False
        store, views = member.state.store, member.state.views
        wanted_id, state_hash = params.get("id"), params.get("state_hash")
        return (
            store.count() >= number(params, "records", 0)
            and len(member.mesh.conversations) >= number(params, "peers", 0)
            and (wanted_id is None or bool(store.matching(hexadecimal(wanted_id))))
            and (state_hash is None or views.state_hash().hex() == state_hash)
        )

    # -- belonging --------------------------------------------------------------------------------

    async def join(self, params: Params) -> bool:
        """Knocks with an invitation; whether this home now belongs."""
        name = text(params, "name")
        return await self._node.join(
            text(params, "invitation"), name, number(params, "seconds", 60)
        )

    async def invite(self, params: Params) -> Params:
        """A new invitation."""
        member = await self._node.may_sign()
        invitation, expires = member.door.invite(approve=bool(params.get("approve")))
        return {"invitation": invitation, "expires": iso(expires)}

    async def approve(self, params: Params) -> Params:
        """Vouches for somebody who knocked."""
        member = await self._node.may_sign()
        typed = text(params, "person")
        person = self._finder(member).newcomer(typed, member.door.knocks())
        admitted = member.door.approve(person)
        return {"person": person.hex(), "state": "member" if admitted else "waiting"}

    # -- records ----------------------------------------------------------------------------------

    async def post(self, params: Params) -> Params:
        """Signs and stores one record, then gossips it."""
        member = await self._node.may_sign()
        await self._reading()
        finder = self._finder(member)
        fields = params.get("fields") or {}
        if type(fields) is not dict:
            raise Mistake("The fields of a record are a map of names and values.", USAGE)
        about, person = params.get("about"), params.get("as")
        one = member.author.post(
            text(params, "kind"),
            fields,
            about=finder.record(about) if about is not None else None,
            person=finder.person(person) if person is not None else None,
            resolve=finder.resolve,
        )
        return {"id": one.id.hex()}

    async def listing(self, params: Params) -> list[Params]:
        """Views of one kind, newest first, or the people."""
        return (await self._reading()).listing(params)

    async def show(self, params: Params) -> Params:
        """A record's view with the history of its thread."""
        return (await self._reading()).show(params)

    async def balance(self, params: Params) -> Params | list[Params]:
        """Minutes given and received, of one person or of all members."""
        member = self._member()
        presenter, found = self._presenter(member), member.state.views.balances()

        def shown(person: bytes) -> Params:
            one = found.get(person, Balance())
            return {
                "person": presenter.person(person),
                "given": one.given,
                "received": one.received,
                "balance": one.balance,
            }

        if params.get("person") is not None:
            return shown(self._finder(member).person(params["person"]))
        people = {*found, *(member.state.authority.members if member.state.authority else ())}
        rows = [shown(person) for person in people]
        return sorted(rows, key=lambda one: (one["person"]["name"].casefold(), one["person"]["id"]))

    async def search(self, params: Params) -> list[Params]:
        """Views that hold the words."""
        return (await self._reading()).search(params)

    async def mute(self, params: Params) -> Params:
        """Leaves what a person posts out of this home's lists, or shows it again with `off`."""
        member = self._member()
        person = self._finder(member).person(text(params, "person"))
        muted = not params.get("off")
        if muted and person in member.author.people:
            raise Mistake("You cannot mute yourself.")
        member.muted.turn(person, muted=muted)
        self._node.change()
        return {"person": self._presenter(member).person(person), "muted": muted}

    # -- parts ------------------------------------------------------------------------------------

    def _member(self) -> "Member":
        if self._node.member is None:
            raise Mistake(
                "This home belongs to no neighbourhood yet; `meshcoop found` or `meshcoop join`."
            )
        return self._node.member

    def _presenter(self, member: "Member") -> Presenter:
        return Presenter(member.state, self._node.now)

    def _finder(self, member: "Member") -> Finder:
        return Finder(member.state, self._presenter(member))

    async def _reading(self) -> Reading:
        """What this home shows; private records are opened some at a time, for others wait."""
        member = self._member()
        while member.author.private.open(_OPENED_AT_ONCE):
            await trio.lowlevel.checkpoint()
        return Reading(member, self._node.now)


_NOBODY: Params = {
    "neighbourhood": None,
    "person": None,
    "device": None,
    "peers": [],
    "records": 0,
    "set_hash": None,
    "state_hash": None,
    "muted": [],
}


def set_hash(ids: Any) -> bytes:
    """R-03.17: SHA-256 over all ids held, sorted; equal on nodes with the same records."""
    hasher = hashlib.sha256(b"meshcoop set 1\0")
    for one in ids:
        hasher.update(one)
    return hasher.digest()
