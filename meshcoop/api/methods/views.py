"""The methods of the local API that show views: lists, threads, balances and a diary."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from meshcoop.api.balances import Balances
from meshcoop.api.calendar import Diary
from meshcoop.api.list_pages import Lister, Rows, paged, shown_rows, take_page
from meshcoop.api.method import Method, by_name
from meshcoop.api.methods.loops import LoopMethods, measure_of
from meshcoop.api.methods.status import show_newer
from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import Params
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import BOARD, open_queries
from meshcoop.api.resolver import Resolver
from meshcoop.errors import NO_MEMBER, Mistake
from protocol.wire import calls

C = TypeVar("C", bound=calls.Listing)


class ViewMethods:
    """Shows the views of one node. `lists` has further lists: it maps the name of each list to the
    method that makes the list.
    """

    def __init__(self, node: NodeHandle, loops: LoopMethods, lists: Mapping[str, Lister]) -> None:
        self._node = node
        self._loops = loops
        self._lists = lists

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.List, self._with_newer(paged(self.list_views))),
            Method(calls.Show, self.show_record),
            Method(calls.Balance, self.show_balances),
            Method(calls.Search, self._with_newer(paged(self.search))),
            Method(calls.Diary, self.show_diary),
            Method(calls.Written, paged(self.list_written)),
            Method(calls.Mute, self.mute),
        )

    def _with_newer(
        self, answer_page: Callable[[C], Awaitable[Params]]
    ) -> Callable[[C], Awaitable[Params]]:
        """Returns a method that also says how many records have kinds that this program does not
        know (R-10.8c).

        A relay cannot read the kinds of records, so at a relay the method names no such kind.
        """

        @wraps(answer_page)
        async def answer(call: C) -> Params:
            page = await answer_page(call)
            if self._node.relay is not None:
                return {**page, "newer": []}
            return {**page, "newer": show_newer(self._node.require_membership().state)}

        return answer

    async def list_views(self, call: calls.List) -> Rows[Any]:
        """Lists the views of one kind, the newest first. Some lists do not show views, for example
        the list of people.
        """
        list_rows = self._lists.get(call.what)
        if list_rows is not None:
            return await list_rows(call)
        rows = (await open_queries(self._node, call.as_, call.pin)).list_views(call)
        if call.what != BOARD:
            return rows

        def show(page: list[Any]) -> list[Params]:
            add_status = self._loops.status_adder()
            return [add_status(row) for row in rows.show(page)]

        return replace(rows, show=show)  # of an idea, its trials decide the state

    async def show_record(self, call: calls.Show) -> Params:
        """Shows the view of one record with the history of its thread.

        If `whole` is true, also shows the views of the records in this history.
        """
        queries = await open_queries(self._node, call.as_, call.pin)
        matter = await self._loops.find_matter(call.id)
        if matter is not None:
            asked = await queries.show_record(calls.Show(id=measure_of(matter)))
            return {**matter, "comments": asked["comments"]}
        shown = await queries.show_record(call)
        if "views" in shown:
            shown["views"] = [self._loops.with_loop_status(view) for view in shown["views"]]
        return self._loops.with_loop_status(shown)

    async def show_balances(self, call: calls.Balance) -> Params:
        """Shows the minutes that people gave and received. If the call names a `person`, also shows
        how this person's balance came about.
        """
        membership = self._node.require_membership()
        presenter = Presenter(membership.state, self._node.now)
        balances = Balances(membership.state, presenter)
        if call.person is None:
            rows = balances.list_balances()
            return take_page(call, shown_rows(rows, lambda row: str(row["person"]["id"])))
        resolver = Resolver(membership.state, presenter)
        return balances.show_balance(resolver.resolve_person(call.person), call.before)

    async def search(self, call: calls.Search) -> Rows[Any]:
        """Searches for views that have all of the given words."""
        return (await open_queries(self._node)).search(call)

    async def show_diary(self, call: calls.Diary) -> Params:
        """Shows when and where this home's person has promised to be."""
        membership = self._node.require_membership()
        authority = membership.state.authority
        device = membership.mesh.credentials.device
        person = authority.person_of_device(device) if authority else None
        if person is None:
            raise Mistake(NO_MEMBER)
        presenter = Presenter(membership.state, self._node.now)
        diary = Diary(membership.state, presenter, person)
        return {"timezone": diary.timezone, **take_page(call, shown_rows(diary.entries()))}

    async def list_written(self, call: calls.Written) -> Rows[Any]:
        """Lists every record that the caller has written."""
        return (await open_queries(self._node, call.as_, call.pin)).list_written(call)

    async def mute(self, call: calls.Mute) -> Params:
        """Hides a person's posts from this home's lists. With `off`, shows the posts again."""
        membership = self._node.require_membership()
        presenter = Presenter(membership.state, self._node.now)
        resolver = Resolver(membership.state, presenter)
        person = resolver.resolve_person(call.person)
        muted = not call.off
        if muted and person in membership.author.people:
            raise Mistake("You cannot mute yourself.")
        membership.muted.set_muted(person, muted=muted)
        self._node.announce_change()
        return {"person": presenter.show_person(person), "muted": muted}
