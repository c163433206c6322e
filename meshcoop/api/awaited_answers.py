"""Lists the views that wait for an answer of one person (R-06.11).

Each kind says who must answer its views, and how people give this answer. Some views wait for a
crowd: for everybody who votes, or for the moderators.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from meshcoop.api.list_pages import Rows
from meshcoop.api.loop_awaits import LoopAwaited
from meshcoop.api.plain_values import Shown
from meshcoop.api.presenter import Presenter, title_of
from meshcoop.api.roll_growth import (
    ask_lone_voter,
    ask_to_renew,
    ask_to_vouch,
    describe_term,
)
from meshcoop.clock import iso_time
from meshcoop.fold.private_threads import PrivateThreads
from meshcoop.fold.slices import pause
from meshcoop.fold.state import State
from meshcoop.fold.thread_fold import MAX_RECORDS
from meshcoop.fold.views import Waiting
from protocol.authority.additions import find_additions
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.facets import Crowd
from protocol.fold.kind import LEFT, Kind
from protocol.fold.registry import declared_of
from protocol.fold.thread import Thread
from protocol.fold.view import View
from protocol.kinds.accept_and_close import Close, words_to_end
from protocol.kinds.decisions import Proposal, Remove, Renewal, check_renewal
from protocol.kinds.neighbourhood import Admit
from protocol.schema.majority import MIN_COUNCIL

MOST_WAITING = 100  # rows in a page (R-06.16i), because each takes long to show

# Why a row is in the list. The view waits for this person's answer; or it waits for somebody who has
# left, and this person can end it.
AWAITED = "awaited"


# Shows a matter, given a record in its service's thread and the matter's id.
ShowMatter = Callable[[bytes, bytes], Shown | None]


class WaitingRow(NamedTuple):
    """A row of the list, before it is shown. `view` is the id of the view that waits. `step` is the
    answer that this view waits for. `show` shows the row.
    """

    created: str
    view: str
    step: Shown
    show: Callable[[], Shown]

    def cursor(self) -> str:
        """Returns the cursor of the row. The cursor names the view and the awaited answer, because
        a view can wait for several answers.
        """
        return "-".join([self.view, *map(str, self.step.values())])


class AwaitedAnswers:
    """Finds the answers that one person owes to others. Each API call makes its own
    `AwaitedAnswers` object.

    `private` are the private threads that this person can read. `now` is in milliseconds.
    """

    def __init__(
        self,
        state: State,
        authority: Authority,
        presenter: Presenter,
        private: PrivateThreads,
        person: bytes,
        now: int,
    ) -> None:
        self._state = state
        self._authority = authority
        self._presenter = presenter
        self._private = private
        self._person = person
        self._now = now

    def list_rows(
        self, loop_answers: Iterable[LoopAwaited], show_matter: ShowMatter
    ) -> Rows[WaitingRow]:
        """Lists the views that wait now, the newest first. A view that waits for several answers has
        several rows.

        `loop_answers` are the answers that the feedback loops await. `show_matter` shows the matter
        with an id, which a record of a service's thread belongs to.
        """
        rows: dict[tuple[bytes, str, bytes], WaitingRow] = {}
        for waiting in self._all_waiting():
            awaited = waiting.awaited
            key = (waiting.id, awaited.kind, awaited.about)
            if key in rows or not self._presenter.is_due(awaited):
                continue
            view = self._find(waiting.id)
            # R-06.11e: nobody can answer a view that relies on somebody who has left.
            if view is not None and not self._presenter.find_left(view):
                rows[key] = self._make_row(view, awaited.kind, awaited.about)
        others = [*self._list_of_loops(loop_answers, show_matter), *self._list_left()]
        others += [*self._list_alone(), *self._list_short()]
        ordered = sorted(
            [*rows.values(), *others], key=lambda row: (row.created, row.view), reverse=True
        )
        return Rows(
            ordered, _show_rows, WaitingRow.cursor, len(ordered), MOST_WAITING, MOST_WAITING
        )

    def _list_of_loops(
        self, answers: Iterable[LoopAwaited], show_matter: ShowMatter
    ) -> Iterator[WaitingRow]:
        """Yields the rows of the answers that the feedback loops await."""
        for answer in answers:
            view = self._find(answer.view)
            assert view is not None, "the loops read this view from the store"
            row = self._make_row(view, answer.kind, answer.about)
            yield row._replace(show=partial(_show_with_matter, row, answer, show_matter))

    def _list_alone(self) -> Iterator[WaitingRow]:
        """If this person is the only voter, yields a row that asks whether others may vote
        (R-16.5g). If half of the witnesses are silent, yields a row that asks for a next term.
        """
        lone = ask_lone_voter(self._state, self._authority, self._presenter, self._person)
        row = lone or ask_to_renew(
            self._state, self._authority, self._presenter, self._person, self._now
        )
        if row is not None:
            yield _row_of_question({**row, "thread": row["id"]}, declared_of(Renewal).name)

    def _list_short(self) -> Iterator[WaitingRow]:
        """Yields rows that ask this person to vouch for newcomers who lack vouchers (R-16.5p)."""
        kind = declared_of(Admit).name
        for row in ask_to_vouch(
            self._state, self._authority, self._presenter, self._person, self._now
        ):
            yield _row_of_question(row, kind)

    def _list_left(self) -> Iterator[WaitingRow]:
        """Yields a row for each view that the person can end because somebody else has left
        (R-06.11f).

        Each of these views relies on somebody who has left. The person who can end the view wrote
        it, or is somebody else on whom it relies.
        """
        left = self._authority.left
        relying = self._state.views.relying_views(self._person) if left else ()
        views: dict[int, dict[bytes, None]] = defaultdict(dict)  # row of the root → views, in order
        for relying_view in relying:
            if relying_view.person in left:
                views[relying_view.root][relying_view.id] = None
        for root, ids in views.items():
            if self._state.store.records.count_in_thread(root) > MAX_RECORDS:
                continue  # too much for one step of the loop; the thread's own page has the step
            # Each thread is folded once: somebody who leaves may leave many views behind in it.
            thread = self._state.thread_fold.fold_thread(root)
            thread.clock = self._presenter.clock
            pause()
            for view_id in ids:
                view = thread.find_view(view_id, Kind)
                if view is None or self._presenter.state_of(view) != LEFT:
                    continue
                word = next(words_to_end(view, thread, self._person), None)
                if word is not None:
                    row = self._make_row(view, declared_of(Close).name, view_id, because=LEFT)
                    row.step["given"] = {"as_state": word.value}
                    yield row

    def _all_waiting(self) -> Iterator[Waiting]:
        yield from self._state.views.awaited_of(self._person)
        yield from self._waiting_for_votes()
        yield from self._waiting_for_moderators()
        yield from self._private.awaited_of(self._person)

    def _waiting_for_votes(self) -> Iterator[Waiting]:
        """Yields the decisions in which the person may vote and has not voted yet."""
        asked = self._renewals_to_ask()
        for waiting in self._state.views.awaited_of_crowd(Crowd.VOTERS):
            is_asked = waiting.id in asked or waiting.id not in self._authority.renewals
            if is_asked and self._may_vote(waiting.id) and not self._has_voted(waiting.id):
                yield waiting

    def _renewals_to_ask(self) -> set[bytes]:
        """Returns the renewals to which this person could say yes (R-06.11g, R-06.11k).

        If several renewals add the same people, returns only the one with the most yes votes. So
        votes gather on one renewal, and nobody can ask the same question many times.
        """
        renewals = self._authority.renewals
        additions = find_additions(self._authority)
        rivals: dict[object, list[bytes]] = defaultdict(list)
        for renewal, ballot in renewals.items():
            if ballot.parent == self._authority.term.id:
                rivals[additions.get(renewal, renewal)].append(renewal)
        best = (
            min(same, key=lambda renewal: (-len(renewals[renewal].yes), renewal))
            for same in rivals.values()
        )
        asked: set[bytes] = set()
        for renewal in best:
            pause()
            with suppress(Refused):
                check_renewal(self._authority, self._person, renewal)
                asked.add(renewal)
        return asked

    def _may_vote(self, decision: bytes) -> bool:
        if self._person in self._authority.term.roll:
            return True
        view = self._state.views.find(decision)
        return isinstance(view, Proposal) and self._person in (view.newcomers or ())

    def _has_voted(self, decision: bytes) -> bool:
        outcomes = self._authority.outcomes
        outcome = outcomes.get(decision) or self._authority.renewals.get(decision)
        return outcome is not None and self._person in outcome.yes | outcome.no

    def _waiting_for_moderators(self) -> Iterator[Waiting]:
        """Yields the views that ask the moderators for something and that this moderator has not
        answered.

        Moderators act only if there are at least three. No moderator judges their own request, or
        words about themselves (R-14.5).
        """
        moderators = self._authority.term.moderators
        if self._person not in moderators or len(moderators) < MIN_COUNCIL:
            return
        asked = list(self._state.views.awaited_of_crowd(Crowd.MODERATORS))
        views = self._state.views.find_several([waiting.id for waiting in asked])
        answered = {
            _question(waiting, views[waiting.id])
            for waiting in asked
            if self._has_said(waiting, views[waiting.id])
        }
        for waiting in asked:
            view = views[waiting.id]
            if _question(waiting, view) in answered or view.author == self._person:
                continue
            if not self._is_about_person(waiting.awaited.about):
                yield waiting

    def _has_said(self, waiting: Waiting, view: View) -> bool:
        """Returns whether this person wrote the view, and the view is of the awaited kind. Such a
        view asks the other moderators, and is also this person's own answer to the same question.
        """
        return view.author == self._person and view.kind == waiting.awaited.kind

    def _is_about_person(self, record_id: bytes) -> bool:
        """Returns whether a record of somebody else names the person, or answers a record of the
        person.
        """
        view = self._state.views.find(record_id)
        if view is None:
            return False
        answered = self._state.views.find(view.about) if view.about else None
        people = view.people_named_in(vars(view)) | ({answered.author} if answered else set())
        return self._person in people - {view.author}

    def _make_row(
        self, view: View, kind: str, about: bytes | None, **further: object
    ) -> WaitingRow:
        """Makes the row of a view that waits for an answer. The answer will be a record of the kind
        `kind` that answers the record `about`. The row is shown with the values `further`.
        """
        step: Shown = {"kind": kind, "about": about.hex() if about else None}
        return WaitingRow(
            iso_time(view.created),
            view.id.hex(),
            step,
            lambda: {**self._show(view), "step": step, **further},
        )

    def _show(self, view: View) -> Shown:
        """Shows a view that waits for an answer, and its thread."""
        thread = self._private.threads().get(view.id)
        root_id = self._root_of(view.id) if thread is None else _root_in(thread, view.id)
        root = self._find(root_id)
        ballot = self._authority.renewals.get(view.id)
        says: list[Shown] = []
        if ballot is not None and ballot.term is not None:
            says = describe_term(self._authority, ballot.term, self._presenter)
        return {
            **self._presenter.show_view(view),
            "says": says,
            "title": title_of(view) or (title_of(root) if root else None),
            "because": AWAITED,
            "thread": root_id.hex(),
            "thread_title": title_of(root) if root else None,
        }

    def _find(self, record_id: bytes) -> View | None:
        return self._private.find_view(record_id) or self._state.views.find(record_id)

    def _root_of(self, record_id: bytes) -> bytes:
        """Returns the id of the root of a shared thread."""
        records = self._state.store.records
        row = records.find(record_id)
        root = records.find_in_row(row.root or row.n) if row is not None else None
        return record_id if root is None else root.record.id


def _show_with_matter(row: WaitingRow, answer: LoopAwaited, show_matter: ShowMatter) -> Shown:
    """Shows the row of an answer that a feedback loop awaits, with the matter that it belongs to."""
    matter = None if answer.matter is None else show_matter(answer.view, answer.matter)
    return {**row.show(), "matter": matter}


def _show_rows(rows: list[WaitingRow]) -> list[Shown]:
    return [row.show() for row in rows]


def _row_of_question(row: Shown, kind: str) -> WaitingRow:
    """Makes the row of a question that software asks. The answer will be a record of the kind
    `kind` that answers no other record.
    """
    step: Shown = {"kind": kind, "about": None, "given": row.pop("given")}
    shown = {"thread_title": None, **row, "kind": kind, "because": AWAITED, "step": step}
    return WaitingRow(row["created"], row["id"], step, lambda: shown)


def _question(waiting: Waiting, view: View) -> tuple[str, bytes]:
    """Returns the question that a view asks the moderators: the kind of the answer, and the person
    or the record to judge. Several views may ask the same question.
    """
    subject = view.person if isinstance(view, Remove) else waiting.awaited.about
    return waiting.awaited.kind, subject


def _root_in(thread: Thread, record_id: bytes) -> bytes:
    """Returns the id of the root of a private thread. If a record between the view and the root is
    missing, returns the id of the last record before the gap.
    """
    entry = thread.entries[record_id]
    while entry.about in thread.entries:
        entry = thread.entries[entry.about]
    return entry.id
