"""Kinds of actions in a matter, and of reports and verdicts on actions (specs/23-matters.md).

Only the people who raised the matter can confirm an action. A clock helps to decide who these
people are. So the views here contain only what people said. When software shows a view,
`protocol.loops` works out whether the action is confirmed.
"""

from collections.abc import Iterable

from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import Awaited, FindView, Way
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import States
from protocol.kinds.services.measures import Measure
from protocol.loops.action_state import YES, ActionState
from protocol.schema.declare import Bytes, Choice, Integer, Moment, Person, Text
from protocol.schema.fields import YEAR
from protocol.schema.values import PersonId

LONGEST_DAYS = 28

_VERDICTS = (YES, "partly", "no")


@kind("action", about=("measure",), lasting=True)
class Action(Kind):
    """Something that its author will do about a matter."""

    class State(States):
        """The states of an action. `protocol.loops` works out the states after "reported done"."""

        OPEN = ActionState.OPEN.value, "Its owner has not reported it done."
        REPORTED_DONE = (
            ActionState.REPORTED_DONE.value,
            (
                "Its owner reported it done (`done`), and the raisers have neither confirmed nor "
                "reopened it."
            ),
        )
        CONFIRMED = (
            ActionState.CONFIRMED.value,
            "As the loop shows it: more than half of the raisers say that it is fixed (`verdict`).",
        )
        PARTLY = "partly", "Never: an action that is only partly fixed is shown as reopened."
        REOPENED = (
            ActionState.REOPENED.value,
            (
                "As the loop shows it: a raiser says that it is partly or not fixed (`verdict`), "
                "or a signal does, and it is not confirmed."
            ),
        )
        OVERDUE = "overdue", "By the clock: it is open or reopened, and `due` is past."

    wording = Words("Action", happened="{who} took it on", submit="Take on")
    begins_branch = True
    witnessed = True
    example = {"what": "A second lorry", "due": "2026-12-21"}

    owner: PersonId | None = Person(help="who does it; its author if left out")
    what: str | None = Text(required=True, min=1, max=500)
    due: str = Moment(required=True, day_only=True, days_back=0, days_ahead=YEAR, help="by when")
    window: int | None = Integer(
        min=-(2**31), filled=True, help="the window that opened the matter"
    )
    n: int | None = Integer(filled=True, help="how many answers there were then")
    bad: int | None = Integer(filled=True, help="how many of them were bad, or the incidents")
    answers: bytes | None = Bytes(min=32, max=32, filled=True, help="SHA-256 of the answers' ids")

    done: list[bytes]  # the reports that it is done

    def complete(self, thread: Thread) -> None:
        """Sets `owner` to the author, and `due` to the day in four weeks, if they are missing."""
        self.owner = self.owner or self.author
        self.due = self.due or thread.clock.day_in(LONGEST_DAYS)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the measure is not in use, or if the author does not own the action
        (R-23.3).
        """
        measure = thread.find_view(self.about, Measure)
        if measure is not None and measure.state != Measure.State.IN_USE:
            raise Refused("R-23.3", "this measure is {state}", state=measure.state)
        facts = thread.facts_of_measure(self.about or b"")
        if facts is not None and facts.is_over:
            raise Refused("R-22.10", "this measure has ended, and no matter of it is open")
        if self.owner != self.author:
            raise Refused("R-23.3", "one takes up an action oneself; hand the link on instead")

    def fold_entry(self, thread: Thread) -> None:
        """Adds the action to the views, in the state "open" (R-23.3).

        Raises Refused if the field `owner` names anybody but the author. Nobody can make another
        person responsible.
        """
        if self.owner not in {None, self.author}:
            raise Refused("R-23.3", "one takes up an action oneself")
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Lists the reports that the action is done, and sets the state of the action."""
        self.done = [report.id for report in thread.linked_views(Done, "about", self.id)]
        if self.done:
            self.state = self.State.REPORTED_DONE

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the owner, until the owner has reported the action done."""
        del find
        return [self.author] if self.state == self.State.OPEN else []

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """An open action waits for its owner to report it done.

        A reopened action waits for its owner again, but only `protocol.loops` knows if an action is
        reopened.
        """
        del thread
        if self.state == self.State.OPEN:
            yield Awaited(self.author, "done", self.id)


@kind("done", about=("action",), plural="reports", lasting=True)
class Done(Kind):
    """The owner of an action says that it is done."""

    class State(States):
        """The state of a report that an action is done."""

        STATED = "said", "Always."

    wording = Words("Done", happened="{who} reported it done", submit="Report")
    example = {"text": "The lorry came on Monday."}
    witnessed = True

    text: str | None = Text(max=2000)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises AlreadySo if the action is reported done, and nobody has reopened it (R-23.4d)."""
        action = thread.find_view(self.about, Action)
        if action is None:
            return
        facts = thread.facts_of_action(action.id)
        state = action.state if facts is None else facts.state
        if state in {Action.State.REPORTED_DONE, Action.State.CONFIRMED}:
            raise AlreadySo("R-23.4", "the action is {state} already", state=state)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the report to the views. The report says that an action is done.

        Raises Refused if anybody but the owner of the action wrote the report (R-23.4).
        """
        if self.author != thread.target(self).person:
            raise Refused("R-23.4", "only its owner reports an action done")
        thread.add_view(self)


@kind("verdict", about=("action",))
class Verdict(Kind):
    """Somebody who raised the matter says whether an action has fixed it."""

    class State(States):
        """The state of a verdict."""

        STATED = "said", "Always."

    wording = Words("Verdict", happened="{who} said whether it helped", submit="Confirm")
    example = {"fixed": YES}
    witnessed = True

    fixed: str = Choice(required=True, words=_VERDICTS)
    text: str | None = Text(max=2000)

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields a way for each of the three verdicts."""
        del thread, target, person
        for fixed in _VERDICTS:
            yield Way({"fixed": fixed}, ask=("text",))

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the author has not raised the matter, or if the action is not reported
        done (R-23.5h).

        Raises AlreadySo if the author's latest verdict that counts says exactly this.
        """
        action = thread.find_view(self.about, Action)
        if action is None or self.author == action.author:
            return  # the fold refuses it
        facts = thread.facts_of_action(action.id)
        if not action.done:
            raise Refused("R-23.5", "nobody has reported the action done yet; judge it then")
        if facts is None or self.author not in facts.raisers:
            raise Refused("R-23.5", "only those who raised the matter judge what is done about it")
        verdicts = [
            verdict
            for verdict in thread.linked_views(Verdict, "about", action.id)
            if verdict.author == self.author and verdict.created >= (facts.done_at or 0)
        ]
        latest = max(verdicts, key=lambda verdict: verdict.order, default=None)
        if latest is not None and (latest.fixed, latest.text) == (self.fixed, self.text):
            raise AlreadySo("R-23.5", "you have said so already", latest.id)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the verdict to the views.

        Raises Refused if the owner of the action wrote the verdict (R-23.5). Later,
        `protocol.loops` counts only the verdicts of people who raised the matter.
        """
        if self.author == thread.target(self).person:
            raise Refused("R-23.5", "the owner of an action does not judge it")
        thread.add_view(self)
