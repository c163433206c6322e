"""The methods of the local API (specs/06-local-api.md): what screens and commands may ask a node.

Parameters come from programs of the same user, and are checked all the same: a wrong one is a
sentence, never a traceback.
"""

import hashlib
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import trio

from meshcoop.api import Method
from meshcoop.errors import Mistake
from meshcoop.find import Finder
from meshcoop.key_methods import KeyMethods
from meshcoop.params import Params, digits, number, pin, text
from meshcoop.present import Presenter, iso
from protocol import seal
from protocol.balance import Balance
from protocol.schema import KINDS
from protocol.thread import View

if TYPE_CHECKING:
    from meshcoop.node import Member, Node

MAX_ROWS = 500
_USAGE = 2


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
            **KeyMethods(self._node).table(),
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
            "trouble": _trouble(member),
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
            and (wanted_id is None or bool(store.matching(digits(wanted_id))))
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
        code, expires = member.door.invite(approve=bool(params.get("approve")))
        return {"invitation": code, "expires": iso(expires)}

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
        finder = self._finder(member)
        fields = params.get("fields") or {}
        if type(fields) is not dict:
            raise Mistake("The fields of a record are a map of names and values.", _USAGE)
        about, person, other = params.get("about"), params.get("as"), params.get("for")
        given: Params = {
            "about": finder.record(about) if about is not None else None,
            "person": finder.person(person) if person is not None else None,
            "represented": finder.person(other) if other is not None else None,
            "resolve": finder.resolve,
        }
        guest = member.guests.of(given["person"]) if person is not None else None
        seed = await member.guests.open(guest, pin(params)) if guest else b""
        with member.guests.lent(guest, seed) if guest else nullcontext():
            one = member.author.post(text(params, "kind"), fields, **given)
        return {"id": one.id.hex()}

    async def listing(self, params: Params) -> list[Params]:
        """Views of one kind, newest first, or the people."""
        member = self._node.belonging()
        what, presenter = text(params, "what"), await self._reader(member, params)
        limit = min(int(number(params, "limit", MAX_ROWS)), MAX_ROWS)
        if what == "people":
            return presenter.people()[:limit]
        kind = {one.plural: one for one in KINDS.values() if one.states}.get(what)
        if kind is None or kind.name == "profile":
            raise Mistake(f"There is no list of {what!r}; there are: {', '.join(LISTS)}.", _USAGE)
        about = params.get("about")
        root = self._finder(member).record(about) if about is not None else None
        state = params.get("state")
        if state is not None and state not in kind.states:
            raise Mistake(f"{what} are {', '.join(kind.states)}; not {state!r}.", _USAGE)
        found: list[Params] = []
        for view in member.state.views.of_kind(kind.name):
            if root is None or self._hangs_from(member, view, root):
                shown = presenter.view(view)
                if state in {None, shown["state"]}:
                    found.append(shown)
                    if len(found) == limit:
                        break
        return found

    async def show(self, params: Params) -> Params:
        """A record's view with the history of its thread."""
        member = self._node.belonging()
        record_id = self._finder(member).record(text(params, "id"))
        row = member.state.store.get(record_id)
        if row is None or row.root is None:
            raise Mistake("What this record is about has not arrived yet; try again soon.")
        presenter = await self._reader(member, params)
        thread = member.state.thread(row.root)
        history = presenter.history(thread)
        view = thread.views.get(record_id)
        if view is not None:
            return {**presenter.view(view), "history": history}
        line = next(one for one in history if one["id"] == record_id.hex())
        return {**line, "history": history}

    async def balance(self, params: Params) -> Params | list[Params]:
        """Minutes given and received, of one person or of all members."""
        member = self._node.belonging()
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
        member = self._node.belonging()
        limit = min(int(number(params, "limit", 50)), MAX_ROWS)
        presenter = self._presenter(member)
        return [presenter.view(v) for v in member.state.views.search(text(params, "words"), limit)]

    # -- parts ------------------------------------------------------------------------------------

    def _presenter(self, member: "Member") -> Presenter:
        return Presenter(member.state, self._node.now)

    async def _reader(self, member: "Member", params: Params) -> Presenter:
        """A presenter that also opens what is private to the guest who gives their PIN."""
        if params.get("as") is None:
            return self._presenter(member)
        guest = member.guests.of(self._finder(member).person(params["as"]))
        if guest is None:
            return self._presenter(member)
        box = seal.box_key(await member.guests.open(guest, pin(params)))
        return Presenter(member.state, self._node.now, [box])

    def _finder(self, member: "Member") -> Finder:
        return Finder(member.state, self._presenter(member))

    def _hangs_from(self, member: "Member", view: View, ancestor: bytes) -> bool:
        """Whether the view answers `ancestor`, directly or by what it is about."""
        about = view["about"]
        while about is not None and about != ancestor:
            above = member.state.store.get(about)
            about = above.record.about if above else None
        return bool(about == ancestor)


LISTS = [
    "people",
    *sorted(one.plural for one in KINDS.values() if one.states and one.name != "profile"),
]

_NOBODY: Params = {
    "neighbourhood": None,
    "person": None,
    "device": None,
    "trouble": None,
    "peers": [],
    "records": 0,
    "set_hash": None,
    "state_hash": None,
}


def _trouble(member: "Member") -> str | None:
    """Why nothing is signed at this home, if that is so."""
    author = member.author
    fault = None if author.able else author.fault(next(iter(author.devices)))
    return fault.reason if fault else None


def set_hash(ids: Any) -> bytes:
    """R-03.17: SHA-256 over all ids held, sorted; equal on nodes with the same records."""
    hasher = hashlib.sha256(b"meshcoop set 1\0")
    for one in ids:
        hasher.update(one)
    return hasher.digest()
