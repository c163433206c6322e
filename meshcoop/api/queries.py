"""Answers the API calls that list, show and search views (specs/06)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from heapq import merge
from typing import Any

from meshcoop.api.awaited_answers import AwaitedAnswers
from meshcoop.api.list_pages import Place, Rows, shown_rows, take_lines
from meshcoop.api.loop_awaits import loop_awaits
from meshcoop.api.loop_rows import LoopRows
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import USAGE_ERROR, Params
from meshcoop.api.plain_values import Shown
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.api.roll_growth import Lack, list_newcomers, show_newcomers
from meshcoop.api.written_records import WrittenRecords
from meshcoop.errors import NO_MEMBER, Mistake
from meshcoop.fold.clock_limit import DRIFT_MS
from meshcoop.fold.private_threads import PrivateThreads
from meshcoop.ingest.backlog import fold_thread_in_steps
from protocol.errors import Refused
from protocol.fold.kind import LEFT
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.fold.thread import Thread
from protocol.fold.view import View
from protocol.record import sealing as seal
from protocol.record.envelope import Header, Record
from protocol.record.sealing import BoxKey
from protocol.wire import calls

BOARD = "board"  # the list of what is new

_USUAL_HITS = 50

# The lists that do not show the views of one kind.
_FURTHER_LISTS = (
    *("people", "waiting", BOARD, "suggestions", "reciprocity"),
    *("matters", "signals", "moved", "holdings", "newcomers"),
)


class Queries:
    """Answers one API call about views.

    The answer leaves out the posts of muted people. If the parameter `muted` is set, the answer has
    only the posts of muted people (R-06.8). `reader` is the person who makes the call. If this home
    has no member yet, `reader` is None.
    """

    def __init__(
        self,
        membership: Membership,
        now: Callable[[], int],
        reader: bytes | None,
        private: PrivateThreads,
        boxes: Sequence[BoxKey] = (),
    ) -> None:
        self._now = now
        self._reader = reader
        self._membership = membership
        self._state = membership.state
        self._private = private
        self._boxes = boxes
        self._presenter = Presenter(membership.state, now, boxes)
        self._resolver = Resolver(membership.state, self._presenter)

    def list_views(self, call: calls.List) -> Rows[Any]:
        """Lists the views of one kind, the newest first. Can also list people, or the views that
        wait for the reader's answer.
        """
        what = call.what
        if what == "waiting":
            return self._list_waiting(call)
        if what == BOARD:
            return self._list_board(call)
        if what == "newcomers":
            return self._list_newcomers(call)
        if what == "people":
            people = self._presenter.list_people()
            return shown_rows([self._with_muted(person) for person in people])
        kinds = _kinds_by_list()
        kind = kinds.get(what)
        if kind is None:
            lists = ", ".join((*_FURTHER_LISTS, *sorted(kinds)))
            raise Mistake(
                "There is no list of {what!r}; there are: {lists}.",
                USAGE_ERROR,
                what=what,
                lists=lists,
            )
        state = read_state(call, what, (*kind.states, LEFT))
        record_id = None if call.about is None else self._resolver.resolve_record(call.about)
        views = self._views_of(kind, record_id, state)
        return self._rows_of(views, call, state, self._count_views(kind, record_id))

    async def show_record(self, call: calls.Show) -> Params:
        """Shows the view of a record with the history of its thread.

        If the parameter `whole` is set, also shows the views of the records in this history, the
        oldest first.
        """
        record_id = self._resolver.resolve_record(call.id)
        thread = await self._thread_of(record_id)
        history = self._presenter.show_history(thread)
        view = thread.views.get(record_id)
        if view is not None:
            shown = self._presenter.show_view(view)
        else:
            # A vote or a confirm has no view. So its line of the history is shown instead.
            lines = [line for line in history if line["id"] == record_id.hex()]
            if not lines:
                raise self._unfolded(record_id)
            [shown] = lines
        if call.before is None:
            shown = shown | self._presenter.show_comments(thread, record_id)
        if not call.whole:
            return {**shown, **take_lines(call.before, history)}

        def show_views(ids: set[str]) -> list[Shown]:
            views = [view for view in thread.views.values() if view.id.hex() in ids]
            return self._presenter.show_views(sorted(views, key=lambda view: view.order))

        return {**shown, **take_lines(call.before, history, show_views)}

    def search(self, call: calls.Search) -> Rows[View]:
        """Finds the views that have all words that the caller gives."""
        matches = self._state.views.search(call.words)
        rows = self._rows_of(self._state.views.in_rows(matches), call, None, len(matches))
        return replace(rows, usual_limit=_USUAL_HITS)

    def list_written(self, call: calls.Written) -> Rows[Record]:
        """Lists the records that the reader has written. If the person of this home has left, lists
        this person's records. Raises Mistake if this home never had a member.
        """
        authority = self._state.authority
        own_device = self._membership.mesh.credentials.device
        writer = self._reader or (authority.person_of_device(own_device) if authority else None)
        if writer is None:
            raise Mistake(NO_MEMBER)
        written = WrittenRecords(self._state, writer, self._private, self._boxes)
        return written.rows(call.after)

    def _rows_of(
        self,
        views: Iterable[View],
        call: calls.List | calls.Search,
        state: str | None,
        total: int | None,
    ) -> Rows[View]:
        """Makes the list that the caller asks for. `views` are the views to choose from. `total` is
        the number of these views, or None if nobody has counted them.
        """
        wanted = self._unmuted(views, call)
        if state is not None:
            # The tables do not know which states the clock has changed, so each is checked again.
            wanted = (view for view in wanted if state == self._presenter.state_of(view))
        is_whole = state is None and not self._membership.muted.people and not call.muted
        show = self._presenter.show_views
        rows = Rows(wanted, show, lambda view: view.id.hex(), total if is_whole else None)
        if isinstance(call, calls.Search):
            return rows  # the best match comes first
        return replace(rows, place=_place_of_view, place_of=self._place_of)

    def _place_of(self, cursor: str) -> Place | None:
        """Returns the place of a view in the order of lists. Returns None if the view's record is
        not here.
        """
        with suppress(Mistake):
            row = self._state.store.records.find(self._resolver.resolve_record(cursor))
            if row is not None:
                return -row.record.header.time, row.record.id
        return None

    def _list_board(self, call: calls.List) -> Rows[View]:
        """Lists the views of all kinds that are shown on the board, the newest first."""
        stored = self._state.views
        types = [kind.view_type for kind in KINDS.values() if kind.view_type.on_board]
        views = merge(
            *(stored.newest(view_type) for view_type in types),
            key=lambda view: (-view.created, view.id),
        )
        total = sum(stored.count(view_type) for view_type in types)
        return self._rows_of(views, call, call.state, total)

    def _list_waiting(self, call: calls.List) -> Rows[Any]:
        """Lists the views that wait for an answer of the reader, the newest first.

        Views of muted people are listed too, because everybody gets an answer (R-06.8e).
        """
        authority = self._state.authority
        if authority is None or self._reader is None or call.muted:
            return shown_rows([])
        answers = AwaitedAnswers(
            self._state, authority, self._presenter, self._private, self._reader, self._now()
        )
        following = self._membership.loop_cache
        of_loops = loop_awaits(self._state, following, self._reader, self._now())
        rows = LoopRows(self._state, following, self._presenter, self._reader, self._now)
        return answers.list_rows(of_loops, rows.find_matter)

    def _list_newcomers(self, call: calls.List) -> Rows[Any]:
        """Lists the members who do not vote yet, the earliest first (R-06.18)."""
        read_state(call, call.what, tuple(Lack))
        authority = self._state.authority
        people = [] if authority is None or call.muted else list_newcomers(authority)

        def show(page: list[bytes]) -> list[Shown]:
            assert authority is not None, "there are newcomers to show"
            rows = show_newcomers(self._state, authority, self._presenter, page)
            return [row for row in rows if call.state in {None, row["state"]}]

        if call.state is not None:
            return shown_rows(show(people) if people else [])
        return Rows(people, show, bytes.hex, len(people))

    def _views_of(
        self, kind: DeclaredKind, about: bytes | None, state: str | None
    ) -> Iterable[View]:
        """Returns the views of a kind, the newest first. If `about` is given, returns only views
        that answer this record, directly or through other records. Some kinds begin a thread, but
        have a field `about`. Their views are returned if this field names the record.
        """
        view_type = kind.view_type
        if kind.is_private:
            return self._private.of_kind(view_type, about)
        # A state that comes with time is not in the tables, so they cannot filter by it.
        deadline = view_type.deadline
        is_worked_out = state == LEFT or (deadline is not None and state == deadline[1])
        stored_state = None if is_worked_out else state
        if about is None:
            return self._state.views.newest(view_type, state=stored_state)
        if kind.is_root:
            views = self._state.views.newest(view_type, state=stored_state)
            return (view for view in views if view.about == about)
        row = self._state.store.records.find(about)
        if row is None or row.root is None:
            return []
        views = self._state.views.newest(view_type, state=stored_state, root=row.root)
        if row.n == row.root:
            return views  # everything in a thread answers its root
        return (view for view in views if self._answers(view, about))

    def _count_views(self, kind: DeclaredKind, about: bytes | None) -> int | None:
        """Returns how many views of a kind there are, or how many answer the root of a thread.
        Returns None if only looking at each view would tell.
        """
        if kind.is_private:
            return None
        if about is None:
            return self._state.views.count(kind.view_type)
        row = self._state.store.records.find(about)
        if kind.is_root or row is None or row.n != row.root:
            return None
        return self._state.views.count(kind.view_type, root=row.root)

    async def _thread_of(self, record_id: bytes) -> Thread:
        private = self._private.threads().get(record_id)
        if private is not None:
            return private
        row = self._state.store.records.find(record_id)
        if row is None or row.root is None:
            raise Mistake("What this record is about has not arrived yet; try again soon.")
        return await fold_thread_in_steps(self._state, row.root)

    def _unfolded(self, record_id: bytes) -> Refused:
        """Returns the reason why this home cannot show a record that it has not folded yet
        (R-03.18c).
        """
        ahead = self._find_ahead(record_id)
        if ahead is None or self._state.authority is None:
            return Refused("R-10.5", "what this is about has not arrived here yet; try again soon")
        signer = self._state.authority.member_of_device(ahead.device) or ahead.device
        return Refused(
            "R-03.18c",
            "{who}'s home dated this {when}, but it is {now} here; it is shown from then on; if "
            "{now} is right, ask {who} to set the clock there",
            who=self._presenter.name_person(signer),
            when=self._state.clock_at(ahead.time).now.replace("T", " "),
            now=self._presenter.clock.now.replace("T", " "),
        )

    def _find_ahead(self, record_id: bytes | None) -> Header | None:
        """Walks from a record up to the root of its thread. Returns the first record on this way
        that is dated ahead of this home's clock.
        """
        while record_id is not None:
            row = self._state.store.records.find(record_id)
            if row is None:
                return None
            header = row.record.header
            if header.time > self._now() + DRIFT_MS:
                return header
            record_id = header.parents[0] if header.parents else None
        return None

    def _unmuted(self, views: Iterable[View], call: calls.List | calls.Search) -> Iterator[View]:
        """Returns the views of the people who are not muted. If the parameter `muted` is set,
        returns only the views of muted people (R-06.8).
        """
        muted = self._membership.muted
        own_people = self._membership.author.people
        if not muted.people:  # no view has to be looked at
            return iter(() if call.muted else views)
        return (view for view in views if muted.hides(view, own_people) == call.muted)

    def _with_muted(self, person: Params) -> Params:
        muted_people = self._membership.muted.people
        return {**person, "muted": bytes.fromhex(person["id"]) in muted_people}

    def _answers(self, view: View, ancestor: bytes) -> bool:
        """Returns whether a view answers the record `ancestor`, either directly or through other
        records.
        """
        about = view.about
        while about is not None and about != ancestor:
            row = self._state.store.records.find(about)
            about = row.record.about if row else None
        return about == ancestor


async def open_queries(
    node: NodeHandle, person: str | None = None, pin: str | None = None
) -> Queries:
    """Makes the `Queries` object for one API call. `person` names the person who makes the call.

    If `person` is None, this home's person makes the call. If the person is a guest, the guest's
    PIN opens the guest's private records.
    """
    membership = node.require_membership()
    guest = None
    reader = own_person(membership)
    if person is not None:
        resolver = Resolver(membership.state, Presenter(membership.state, node.now))
        reader = membership.guests.resolve(person, resolver.resolve_person)
        guest = membership.guests.find(reader)
    if guest is None:
        private = membership.author.private
        await private.prepare()
        return Queries(membership, node.now, reader, private)
    box = seal.device_box_key(await membership.guests.open_seed(guest, pin))
    private = PrivateThreads(membership.state, [box])
    await private.prepare()
    return Queries(membership, node.now, reader, private, [box])


def own_person(membership: Membership) -> bytes | None:
    """Returns the member who owns this home's own device. Returns None if this home belongs to no
    member.
    """
    authority = membership.state.authority
    device = membership.mesh.credentials.device
    return authority.member_of_device(device) if authority else None


def read_state(call: calls.List, what: str, states: Collection[str]) -> str | None:
    """Returns the state that the caller asks for in the list `what`. Returns None if the caller
    asks for views in every state.

    Raises Mistake (exit code 2) if the list has no such state.
    """
    state = call.state
    if state is None or state in states:
        return state
    raise Mistake(
        "{what} are {choices}; not {state!r}.",
        USAGE_ERROR,
        what=what,
        choices=", ".join(states),
        state=state,
    )


def _place_of_view(view: View) -> Place:
    return -view.created, view.id


def _kinds_by_list() -> dict[str, DeclaredKind]:
    """Returns a map from the name of each list to its kind. The name is the plural of the kind."""
    # Asked at each call, because plug-ins may register kinds after this module is imported.
    return {
        kind.plural: kind
        for kind in KINDS.values()
        if kind.states and not kind.view_type.is_listed_with_people
    }
