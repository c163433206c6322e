"""Lists of the local API about services and their loops (specs/06): what a clock has a part in."""

import re
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from meshcoop.api.loop_views import Looping
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import USAGE, Params, number
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import MAX_ROWS, Reading
from meshcoop.api.resolver import Finder
from meshcoop.errors import Mistake
from protocol.fold.kind import KINDS
from protocol.fold.thread import View

Rows = Callable[[Params], Awaitable[list[Params]]]

_OVERLAID = {KINDS[one].plural: KINDS[one] for one in ("service", "measure", "action", "feedback")}
_ID = re.compile(r"[0-9a-f]{8,64}")
_HOLDS, _PASSED_ON, _RELIES = "held", "passed on", "relied on"
_STATES = {
    "matters": ("open", "closed"),
    "signals": ("worse", "better"),
    "holdings": (_HOLDS, _PASSED_ON, _RELIES),
}


class LoopMethods:
    """Answers for one node."""

    def __init__(self, node: NodeHandle, reading: Callable[[Params], Awaitable[Reading]]) -> None:
        self._node = node
        self._reading = reading

    @property
    def lists(self) -> dict[str, Rows]:
        """The lists by name."""
        return {
            **dict.fromkeys(_OVERLAID, self._overlaid),
            "matters": self._matters,
            "signals": self._signals,
            "holdings": self._holdings,
        }

    async def show(self, params: Params) -> Params | None:
        """A matter, by the beginning of its id; None if that is none."""
        typed = str(params.get("id", "")).strip().lower()
        member = self._node.belonging()
        if not _ID.fullmatch(typed) or member.state.store.records.ids_beginning(typed):
            return None
        services = iter(member.state.views.of_kind("service"))
        matters = self._looping(member).matters(services)
        found = [one for one in matters if one["id"].startswith(typed)]
        return {**found[0], "history": []} if len(found) == 1 else None

    def over(self, shown: Params) -> Params:
        """A view with what the loop makes of it."""
        if shown.get("kind") not in {one.name for one in _OVERLAID.values()}:
            return shown
        return self._looping(self._node.belonging()).over(shown)

    def cited(self, measure: bytes) -> Params:
        """What an action about a measure cites."""
        return self._looping(self._node.belonging()).cited(measure)

    async def _overlaid(self, params: Params) -> list[Params]:
        kind, state = _OVERLAID[params["what"]], params.get("state")
        if state is not None and state not in kind.states:
            raise Mistake(f"{kind.plural} are {', '.join(kind.states)}; not {state!r}.", USAGE)
        asked = {name: one for name, one in params.items() if name not in {"state", "limit"}}
        rows = (await self._reading(params)).listing(asked)
        looping = self._looping(self._node.belonging())
        found = (looping.over(one) for one in rows)
        return list(islice((one for one in found if state in {None, one["state"]}), _limit(params)))

    async def _matters(self, params: Params) -> list[Params]:
        return self._about(params, self._looping(self._node.belonging()).matters)

    async def _signals(self, params: Params) -> list[Params]:
        return self._about(params, self._looping(self._node.belonging()).signals)

    async def _holdings(self, params: Params) -> list[Params]:
        """R-21.6: services of which I hold a part, have passed one on, or said something."""
        state = _state(params)
        asked = {**params, "what": KINDS["service"].plural, "state": "open", "limit": None}
        rows = await self._overlaid({name: one for name, one in asked.items() if one is not None})
        mine = [{**one, "kind": "holding", "state": _part(one)} for one in rows]
        found = [one for one in mine if one["state"] and state in {None, one["state"]}]
        found.sort(key=lambda one: _STATES["holdings"].index(one["state"]))
        return found[: _limit(params)]

    def _about(self, params: Params, made: Callable[[Any], list[Params]]) -> list[Params]:
        member, state, about = self._node.belonging(), _state(params), params.get("about")
        record = None
        if about is not None:
            record = Finder(member.state, Presenter(member.state, self._node.now)).record(about)
        rows = made(iter(self._services(member, record)))
        if record is not None:
            wanted = record.hex()
            rows = [one for one in rows if wanted in {one["measure"]["id"], one["service"]["id"]}]
        return [one for one in rows if state in {None, one["state"]}][: _limit(params)]

    def _services(self, member: Membership, record: bytes | None) -> list[View]:
        if record is None:
            return member.state.views.of_kind("service")
        followed = member.following.of(record, self._node.now())
        return [followed.service] if followed else []

    def _looping(self, member: Membership) -> Looping:
        known, presenter = member.state.authority, Presenter(member.state, self._node.now)
        me = known.author(member.mesh.credentials.device) if known else None
        return Looping(member.state, member.following, presenter, me, self._node.now)


def _state(params: Params) -> str | None:
    """The state that is asked for. Raises Mistake."""
    state, what = params.get("state"), str(params["what"])
    if state is not None and state not in _STATES[what]:
        raise Mistake(f"{what} are {', '.join(_STATES[what])}; not {state!r}.", USAGE)
    return state


def _part(service: Params) -> str | None:
    """What I have to do with a service."""
    if service["i_hold"]:
        return _HOLDS
    if service["i_take_part"]:
        return _PASSED_ON
    return _RELIES if service["i_said_something"] else None


def _limit(params: Params) -> int:
    return min(int(number(params, "limit", MAX_ROWS)), MAX_ROWS)
