"""What a home shows to its people: lists, single records, what a search finds (specs/06)."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from meshcoop.api.node_handle import Membership
from meshcoop.api.params import USAGE, Params, number, text
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Finder
from meshcoop.errors import Mistake
from meshcoop.fold.private_threads import Private
from protocol.fold.kind import KINDS, Kind
from protocol.fold.thread import Thread, View
from protocol.record.envelope import PRIVATE
from protocol.record.sealing import BoxKey

MAX_ROWS = 500

LISTS = [
    "people",
    "suggestions",
    "reciprocity",
    "matters",
    "signals",
    "holdings",
    *sorted(one.plural for one in KINDS.values() if one.states and one.name != "profile"),
]


class Reading:
    """Reads for one call. What the muted posted is left out, or with `muted` is all that is shown."""

    def __init__(
        self,
        member: Membership,
        now: Callable[[], int],
        private: Private,
        boxes: Sequence[BoxKey] = (),
    ) -> None:
        self._member = member
        self._state = member.state
        self._private = private
        self._presenter = Presenter(member.state, now, boxes)
        self._finder = Finder(member.state, self._presenter)

    def listing(self, params: Params) -> list[Params]:
        """Views of one kind, newest first, or the people."""
        what = text(params, "what")
        limit = min(int(number(params, "limit", MAX_ROWS)), MAX_ROWS)
        if what == "people":
            return [self._with_muted(one) for one in self._presenter.people()][:limit]
        kind = {one.plural: one for one in KINDS.values() if one.states}.get(what)
        if kind is None or kind.name == "profile":
            raise Mistake(f"There is no list of {what!r}; there are: {', '.join(LISTS)}.", USAGE)
        about, state = params.get("about"), params.get("state")
        if state is not None and state not in kind.states:
            raise Mistake(f"{what} are {', '.join(kind.states)}; not {state!r}.", USAGE)
        root = self._finder.record(about) if about is not None else None
        heard = self._heard(self._views(kind, root, state), params)
        wanted = (one for one in heard if state in {None, self._presenter.state(one)})
        return self._presenter.views(list(islice(wanted, limit)))

    def show(self, params: Params) -> Params:
        """A record's view with the history of its thread."""
        record_id = self._finder.record(text(params, "id"))
        thread = self._thread(record_id)
        history = self._presenter.history(thread)
        view = thread.views.get(record_id)
        if view is not None:
            return {**self._presenter.view(view), "history": history}
        line = next(one for one in history if one["id"] == record_id.hex())
        return {**line, "history": history}

    def search(self, params: Params) -> list[Params]:
        """Views that hold the words."""
        limit = min(int(number(params, "limit", 50)), MAX_ROWS)
        found = self._state.views.search(text(params, "words"), limit)
        return self._presenter.views(list(self._heard(found, params)))

    def _views(self, kind: Kind, about: bytes | None, state: str | None) -> Iterable[View]:
        if kind.audience == PRIVATE:
            return self._private.of_kind(kind.name, about)
        stored = None if kind.ends and state == kind.ends[1] else state  # a clock's is in no table
        if about is None:
            return self._state.views.newest(kind.name, state=stored)
        row = self._state.store.records.find(about)
        if row is None or row.root is None:
            return []
        found = self._state.views.newest(kind.name, state=stored, root=row.root)
        return (one for one in found if self._hangs_from(one, about))

    def _thread(self, record_id: bytes) -> Thread:
        private = self._private.threads().get(record_id)
        if private is not None:
            return private
        row = self._state.store.records.find(record_id)
        if row is None or row.root is None:
            raise Mistake("What this record is about has not arrived yet; try again soon.")
        return self._state.thread_fold.fold_thread(row.root)

    def _heard(self, views: Iterable[View], params: Params) -> Iterable[View]:
        """R-06.8: those that are to be shown."""
        muted, mine = self._member.muted, self._member.author.people
        wanted = bool(params.get("muted"))
        return (one for one in views if muted.hides(one, mine) == wanted)

    def _with_muted(self, person: Params) -> Params:
        return {**person, "muted": bytes.fromhex(person["id"]) in self._member.muted.people}

    def _hangs_from(self, view: View, ancestor: bytes) -> bool:
        """Whether the view answers `ancestor`, directly or by what it is about."""
        about = view["about"]
        while about is not None and about != ancestor:
            above = self._state.store.records.find(about)
            about = above.record.about if above else None
        return bool(about == ancestor)
