"""The methods of the local API that list services with their measures, answers, actions, matters
and signals (specs/06).

The rows of these lists change as time passes, even without new records.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from meshcoop.api.list_pages import Lister, Rows, shown_rows, take_lines
from meshcoop.api.loop_awaits import loop_awaits
from meshcoop.api.loop_views import KINDS_WITH_STATUS, LoopViews
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import Params
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import open_queries, read_state
from meshcoop.api.resolver import Resolver
from meshcoop.api.standings import MOVED
from protocol.fold.registry import declared_of
from protocol.kinds.services.services import Service
from protocol.wire import calls

_SERVICES = declared_of(Service).plural
_KINDS_BY_LIST = {kind.plural: kind for kind in map(declared_of, KINDS_WITH_STATUS)}
_ID_PREFIX = re.compile(r"[0-9a-f]{8,64}")

_HELD = "held"
_PASSED_ON = "passed on"
_RELIED_ON = "relied on"
_HOLDING_STATES = (_HELD, _PASSED_ON, _RELIED_ON)
_STATES = {
    "matters": ("open", "closed"),
    "signals": ("worse", "better"),
    "moved": tuple(map(str, MOVED)),
}


class LoopMethods:
    """Lists services, measures, actions, feedback, matters, signals and what moved in time."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node
        self.lists: dict[str, Lister] = {
            **dict.fromkeys(_KINDS_BY_LIST, self._list_with_status),
            "matters": self._list_matters,
            "signals": self._list_signals,
            "moved": self._list_moved,
            "holdings": self._list_holdings,
        }

    async def find_matter(self, typed: str) -> Params | None:
        """Finds the only matter whose id begins with the digits that a person typed.

        Returns None if no matter or several matters have such an id. Also returns None if the id of
        a record begins with these digits.
        """
        prefix = typed.strip().lower()
        membership = self._node.require_membership()
        if not _ID_PREFIX.fullmatch(prefix):
            return None
        if membership.state.store.records.ids_beginning(prefix):
            return None
        services = membership.state.views.of_kind(Service)
        matters = self._views(membership).rows.list_matters(services)
        matches = [matter for matter in matters if matter["id"].startswith(prefix)]
        return {**matches[0], **take_lines(None, [])} if len(matches) == 1 else None

    def with_loop_status(self, shown: Params) -> Params:
        """Adds to a shown view how its feedback loop stands. If views of this kind have no feedback
        loop, returns the view unchanged.
        """
        return self.status_adder()(shown)

    def status_adder(self) -> Callable[[Params], Params]:
        """Returns a function that works like `with_loop_status`. The returned function serves all
        views of one answer, so that the preparations are made only once.
        """
        return self._views(self._node.require_membership()).with_loop_status

    def citation_for(self, measure: bytes) -> Params:
        """Returns the fields with which a new action names the open matter of its measure."""
        return self._views(self._node.require_membership()).citation_for(measure)

    def awaited_steps(self, record_id: bytes, person: bytes) -> set[tuple[str, bytes | None]]:
        """Returns the answers that the feedback loops await from a person in a record's thread. An
        answer is a pair: its kind, and the record that it answers.

        Returns an empty set if the record is in no service's thread.
        """
        membership = self._node.require_membership()
        now = self._node.now()
        if membership.loop_cache.loops_for(record_id, now) is None:
            return set()
        answers = loop_awaits(membership.state, membership.loop_cache, person, now)
        return {(answer.kind, answer.about) for answer in answers}

    async def _list_with_status(self, call: calls.List) -> Rows[Params]:
        state = read_state(call, call.what, _KINDS_BY_LIST[call.what].states)
        # The loop decides the state of an action. So `state` is applied afterwards.
        in_any_state = replace(call, state=None, about=self._about_first(call.about))
        rows = (await open_queries(self._node, call.as_, call.pin)).list_views(in_any_state)
        views = self._views(self._node.require_membership())
        if state is None:  # only the rows of the page are shown; a service has thousands of reports
            show = rows.show
            return replace(rows, show=lambda page: [*map(views.with_loop_status, show(page))])
        with_status = map(views.with_loop_status, rows.each_shown())
        return shown_rows(row for row in with_status if state == row["state"])

    def first_of(self, service: bytes) -> bytes:
        """Returns the id of the service in whose place the given service goes on. Everything about
        both services stands in the thread of the returned service.

        If the given service goes on in no other's place, or if the given id is of another record,
        returns the given id.
        """
        return self._node.require_membership().loop_cache.successions.first_of(service)

    def _about_first(self, about: str | None) -> str | None:
        if about is None:
            return None
        membership = self._node.require_membership()
        resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
        return self.first_of(resolver.resolve_record(about)).hex()

    async def _list_matters(self, call: calls.List) -> Rows[Params]:
        rows = self._views(self._node.require_membership()).rows
        return self._list_rows(call, "matters", rows.list_matters)

    async def _list_moved(self, call: calls.List) -> Rows[Params]:
        standings = self._views(self._node.require_membership()).standings
        return self._list_rows(call, "moved", standings.list_moved)

    async def _list_signals(self, call: calls.List) -> Rows[Params]:
        rows = self._views(self._node.require_membership()).rows
        return self._list_rows(call, "signals", rows.list_signals)

    async def _list_holdings(self, call: calls.List) -> Rows[Params]:
        """Lists the open services that concern this home's person (R-21.6).

        A service concerns the person who holds it. It also concerns the people who passed it on,
        and those who gave feedback on it.
        """
        state = read_state(call, "holdings", _HOLDING_STATES)
        open_services = Service.State.OPEN.value
        services = await self._list_with_status(replace(call, what=_SERVICES, state=open_services))
        rows = [
            {**service, "kind": "holding", "state": _holding_state(service)}
            for service in services.items
        ]
        holdings = [row for row in rows if row["state"] and state in {None, row["state"]}]
        holdings.sort(key=lambda row: _HOLDING_STATES.index(row["state"]))
        return shown_rows(holdings)

    def _list_rows(
        self,
        call: calls.List,
        what: str,
        list_rows: Callable[[Iterable[Service]], list[Params]],
    ) -> Rows[Params]:
        """Lists the rows of all services. If the parameter `about` is set, lists only the rows that
        belong to this service or measure.
        """
        membership = self._node.require_membership()
        state = read_state(call, what, _STATES[what])
        if call.about is None:
            rows = list_rows(membership.state.views.of_kind(Service))
        else:
            resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
            record_id = resolver.resolve_record(call.about)
            first = membership.loop_cache.successions.first_of(record_id)
            followed = membership.loop_cache.loops_for(first, self._node.now())
            about_id = record_id.hex()
            rows = [
                row
                for row in list_rows([followed.service] if followed else [])
                if about_id in {row["measure"]["id"], row["service"]["id"]}
            ]
        return shown_rows([row for row in rows if state in {None, row["state"]}])

    def _views(self, membership: Membership) -> LoopViews:
        authority = membership.state.authority
        presenter = Presenter(membership.state, self._node.now)
        me = authority.member_of_device(membership.mesh.credentials.device) if authority else None
        return LoopViews(membership.state, membership.loop_cache, presenter, me, self._node.now)


def measure_of(matter: Params) -> str:
    """Returns the id of a shown matter's measure. A matter is no record, so what people write is
    about the measure.
    """
    measure: str = matter["measure"]["id"]
    return measure


def _holding_state(service: Params) -> str | None:
    """Returns how a service concerns this home's person: "held", "passed on" or "relied on".

    Returns None if the service does not concern this person.
    """
    if service["i_hold"]:
        return _HELD
    if service["i_take_part"]:
        return _PASSED_ON
    return _RELIED_ON if service["i_said_something"] else None
