"""The methods of the local API (specs/06-local-api.md): what screens and commands may ask a node.

Parameters come from programs of the same user, and are checked all the same: a wrong one is a
sentence, never a traceback.
"""

import hashlib
import os
from typing import Any

import trio

from meshcoop.api.balances import Hours
from meshcoop.api.calendar import Diary
from meshcoop.api.methods.addresses import AddressMethods
from meshcoop.api.methods.bundles import BundleMethods
from meshcoop.api.methods.devices import KeyMethods
from meshcoop.api.methods.loops import LoopMethods
from meshcoop.api.methods.matching import MatchingMethods
from meshcoop.api.methods.membership import BelongingMethods
from meshcoop.api.methods.relays import RelayMethods
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import USAGE, Params, digits, number, pin, text
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import Reading
from meshcoop.api.resolver import Finder
from meshcoop.api.server import Method
from meshcoop.author.signer import Signer
from meshcoop.clock import iso
from meshcoop.errors import Mistake
from meshcoop.fold.private_threads import Private
from meshcoop.home.key_file import Guest
from meshcoop.relay.relay import Relay
from protocol.record import sealing as seal
from protocol.record.envelope import Record

_OPENED_AT_ONCE = 50  # private records


class Methods:
    """Answers for one node. Every method takes a map of parameters and returns plain values."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node
        self._matching = MatchingMethods(node)
        self._loops = LoopMethods(node, self._reading)
        self._relays = RelayMethods(node)

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {
            "status": self.status,
            "stop": self.stop,
            "wait": self.wait,
            "post": self.post,
            "list": self.listing,
            "show": self.show,
            "balance": self.balance,
            "search": self.search,
            "diary": self.diary,
            "mute": self.mute,
            **BelongingMethods(self._node).table(),
            **KeyMethods(self._node).table(),
            **AddressMethods(self._node).table(),
            **BundleMethods(self._node).table(),
            **self._matching.table(),
            **self._relays.table(),
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
            "damage": node.damage,
        }
        if node.relay is not None:
            return {**known, **_NOBODY, "waiting": {}, **self._relay_status(node.relay)}
        if node.member is None:
            waiting = node.home.read_settings().invitation is not None
            return {**known, **_NOBODY, "waiting": {"admission": waiting}}
        return known | self._member_status(node.member)

    def _relay_status(self, relay: Relay) -> Params:
        served = relay.served.values()
        return {
            "relay": self._node.home.read_settings().relay,
            "serves": len(served),
            "records": sum(one.store.records.count() for one in served),
            "peers": [
                {
                    "peer_id": peer,
                    "person": None,
                    "neighbourhood": one.neighbourhood.hex(),
                    "address": self._node.network.peers().get(peer),
                    "since": iso(one.mesh.since[peer]),
                }
                for one in served
                for peer in sorted(one.mesh.conversations)
            ],
            "served": [
                {
                    "id": one.neighbourhood.hex(),
                    "name": one.name,
                    "set_hash": set_hash(one.store.records.ids()).hex(),
                }
                for one in served
            ],
        }

    def _member_status(self, member: Membership) -> Params:
        state, presenter = member.state, self._presenter(member)
        authority = state.authority
        device = member.mesh.credentials.device
        person = authority.author(device) if authority else None
        conversations = sorted(member.mesh.conversations.items())
        addresses = member.mesh.network.peers()
        return {
            "relay": None,
            "neighbourhood": {
                "id": state.neighbourhood.hex(),
                "name": authority.charter["name"] if authority else None,
            },
            "person": presenter.person(person) if person else None,
            "device": device.hex(),
            "term": presenter.term(),
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
            "relays": len(authority.relays) if authority else 0,
            "reserved": len(member.mesh.reach.relays),
            "seen_as": member.mesh.network.seen_as,
            "settled": None if member.mesh.settled_at is None else iso(member.mesh.settled_at),
            "records": state.store.records.count(),
            "set_hash": set_hash(state.store.records.ids()).hex(),
            "state_hash": state.views.state_hash().hex(),
            "waiting": self._waiting(member),
            "muted": [presenter.person(one) for one in sorted(member.muted.people)],
        }

    def _waiting(self, member: Membership) -> Params:
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
            store.records.count() >= number(params, "records", 0)
            and len(member.mesh.conversations) >= number(params, "peers", 0)
            and (wanted_id is None or bool(store.records.ids_beginning(digits(wanted_id))))
            and (state_hash is None or views.state_hash().hex() == state_hash)
        )

    # -- records ----------------------------------------------------------------------------------

    async def post(self, params: Params) -> Params:
        """Signs and stores one record, then gossips it."""
        member = await self._node.may_sign()
        finder = self._finder(member)
        fields = params.get("fields") or {}
        if type(fields) is not dict:
            raise Mistake("The fields of a record are a map of names and values.", USAGE)
        about, person, other = params.get("about"), params.get("as"), params.get("for")
        given: Params = {
            "about": finder.record(about) if about is not None else None,
            "represented": finder.person(other) if other is not None else None,
            "resolve": finder.resolve,
        }
        who = member.guests.whom(person, finder.person) if person is not None else None
        guest = member.guests.of(who) if who is not None else None
        if params.get("kind") == "action" and given["about"]:
            fields = fields | self._loops.cited(given["about"])
        if guest is None:
            await self._opened(member.author.private)
            signer = member.author.signer_of(who) if who is not None else None
            one = member.author.post(text(params, "kind"), fields, signer=signer, **given)
            return self._posted(member, one)
        signer = await self._guest_signer(member, guest, params)
        member.guests.settle(guest, signer)
        one = member.author.post(text(params, "kind"), fields, signer=signer, **given)
        return self._posted(member, one, who)

    async def _guest_signer(self, member: Membership, guest: Guest, params: Params) -> Signer:
        """The guest's device, opened with their PIN for this one call. Raises Mistake."""
        seed = await member.guests.open(guest, pin(params))
        private = await self._opened(Private(member.state, [seal.box_key(seed)]))
        return Signer(guest.person, guest.device, seed, private)

    def _posted(self, member: Membership, one: Record, me: bytes | None = None) -> Params:
        """The answer to a post, with advice where there is some."""
        hours = Hours(member.state, self._presenter(member))
        advice = hours.advice(one, me or member.author.person)
        return {"id": one.id.hex()} | ({"advice": advice} if advice else {})

    async def listing(self, params: Params) -> list[Params]:
        """Views of one kind, newest first, the people, or what matching makes of them."""
        what = str(params.get("what"))
        if what == "relays":
            return await self._relays.relays(params)
        made = self._matching.lists.get(what) or self._loops.lists.get(what)
        if made is not None:
            return await made(params)
        return (await self._reading(params)).listing(params)

    async def show(self, params: Params) -> Params:
        """A record's view with the history of its thread."""
        matter = await self._loops.show(params)
        if matter is not None:
            return matter
        return self._loops.over((await self._reading(params)).show(params))

    async def balance(self, params: Params) -> Params | list[Params]:
        """Minutes given and received, of all members, or of one person with their history."""
        member = self._node.belonging()
        presenter = self._presenter(member)
        hours = Hours(member.state, presenter)
        if params.get("person") is None:
            return hours.of_all()
        return hours.of(Finder(member.state, presenter).person(params["person"]))

    async def search(self, params: Params) -> list[Params]:
        """Views that hold the words."""
        return (await self._reading(params)).search(params)

    async def diary(self, params: Params) -> Params:
        """What this home's person has promised to be at."""
        del params
        member = self._node.belonging()
        known = member.state.authority
        person = known.signer(member.mesh.credentials.device) if known else None
        if person is None:
            raise Mistake("This home belongs to nobody of the neighbourhood yet.")
        return Diary(member.state, self._presenter(member), person).shown()

    async def mute(self, params: Params) -> Params:
        """Leaves what a person posts out of this home's lists, or shows it again with `off`."""
        member = self._node.belonging()
        person = self._finder(member).person(text(params, "person"))
        muted = not params.get("off")
        if muted and person in member.author.people:
            raise Mistake("You cannot mute yourself.")
        member.muted.turn(person, muted=muted)
        self._node.change()
        return {"person": self._presenter(member).person(person), "muted": muted}

    # -- parts ------------------------------------------------------------------------------------

    def _presenter(self, member: Membership) -> Presenter:
        return Presenter(member.state, self._node.now)

    def _finder(self, member: Membership) -> Finder:
        return Finder(member.state, self._presenter(member))

    async def _reading(self, params: Params) -> Reading:
        """What this home shows; and, to the guest who gives their PIN, what is private to them."""
        member, who = self._node.belonging(), params.get("as")
        person = None if who is None else member.guests.whom(who, self._finder(member).person)
        guest = None if person is None else member.guests.of(person)
        if guest is None:
            return Reading(member, self._node.now, await self._opened(member.author.private))
        box = seal.box_key(await member.guests.open(guest, pin(params)))
        private = await self._opened(Private(member.state, [box]))
        return Reading(member, self._node.now, private, [box])

    async def _opened(self, private: Private) -> Private:
        """Private records are opened some at a time, for others wait."""
        while private.open(_OPENED_AT_ONCE):
            await trio.lowlevel.checkpoint()
        return private


_NOBODY: Params = {
    "relay": None,
    "neighbourhood": None,
    "person": None,
    "device": None,
    "term": None,
    "trouble": None,
    "peers": [],
    "records": 0,
    "set_hash": None,
    "state_hash": None,
    "muted": [],
}


def _trouble(member: Membership) -> str | None:
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
