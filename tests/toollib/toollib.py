"""A tool library: neighbours lend each other tools."""

from collections.abc import Iterable

from protocol.errors import Refused
from protocol.fold.facets import Awaited, Credit, DiaryEntry, FindView
from protocol.fold.kind import By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Mark, Thread
from protocol.fold.view import States, View
from protocol.schema.declare import Minutes, Moment, Text
from protocol.schema.values import PersonId


@kind("toollib.tool", lasting=True)
class Tool(Kind):
    """A tool that its owner lends to neighbours."""

    class State(States):
        """The states of a tool."""

        HERE = "here", "Nobody has it."
        LENT = "lent", "A neighbour has it (`toollib.loan`)."
        WITHDRAWN = "withdrawn", "Its owner lends it no more (`close`)."

    wording = Words(
        "Tool",
        happened="{who} put this up to lend",
        begin="Lend a tool",
        states={"lent": "lent out"},
    )
    example = {"title": "A drill", "minutes": 30}
    closing = {Mark.WITHDRAWN: By("author", while_=(State.HERE,))}
    on_board = True

    title: str | None = Text(required=True, min=1, max=120)
    text: str | None = Text(max=2000)
    minutes: int | None = Minutes(help="what a loan is worth")

    def settle(self, thread: Thread) -> None:
        """A tool is lent while one of its loans is."""
        super().settle(thread)
        loans = thread.linked_views(Loan, "about", self.id)
        if any(loan.state == Loan.State.LENT for loan in loans):
            self.state = self.State.LENT

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """A tool that can be borrowed needs its owner."""
        del find
        return [self.author] if self.state == self.State.HERE else []


@kind("toollib.loan", about=("toollib.tool",), lasting=True)
class Loan(Kind):
    """A neighbour asks for a tool, until a day."""

    class State(States):
        """The states of a loan."""

        ASKED = "asked", "The owner has not answered."
        LENT = "lent", "The owner accepted it (`accept`)."
        OVERDUE = "overdue", "By the clock: it is lent, and the day in `until` has passed."
        RETURNED = "returned", "The owner has the tool again (`toollib.returned`)."
        DECLINED = "declined", "The owner declined it (`close`)."
        WITHDRAWN = "withdrawn", "Its author withdrew it (`close`)."

    wording = Words(
        "Loan",
        happened="{who} asked for it",
        submit="Ask",
        states={"asked": "asked for", "lent": "lent out", "returned": "back"},
    )
    example = {"until": "2026-12-24"}
    accept = By(
        "owner",
        while_=(State.ASKED,),
        rule="toollib 2",
        otherwise="only the owner of a tool lends it",
    )
    closing = {
        Mark.DECLINED: By("owner", while_=(State.ASKED,)),
        Mark.WITHDRAWN: By("author", while_=(State.ASKED,)),
    }

    until: str = Moment(required=True, day_only=True, help="the last day")

    owner: PersonId = b""
    minutes: int = 0
    returned: str | None = None

    def fold_entry(self, thread: Thread) -> None:
        """Takes over who owns the tool and what a loan of it is worth."""
        tool = thread.find_view(self.about, Tool)
        if tool is None or tool.author == self.author:
            raise Refused("toollib 1", "a loan is asked of the owner of a tool, by somebody else")
        self.owner = tool.author
        self.minutes = tool.minutes or 0
        thread.add_view(self)

    def check_accept(self, thread: Thread, accept: View) -> None:
        """Refuses to lend a tool that is not here."""
        del accept
        tool = thread.find_view(self.about, Tool)
        if tool is not None and tool.state != Tool.State.HERE:
            raise Refused("toollib 3", f"the tool is {tool.state}")

    def settle(self, thread: Thread) -> None:
        """What the owner has accepted is lent until it is back, whatever else was said."""
        super().settle(thread)
        if thread.is_marked(self.id, Mark.ACCEPTED):
            self.state = self.State.RETURNED if self.returned else self.State.LENT

    def clock_state(self) -> tuple[str, str] | None:
        """A loan is overdue after its last day."""
        return (self.until, self.State.OVERDUE) if self.state == self.State.LENT else None

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """It waits for the owner: to accept it, and later to say that the tool is back."""
        del thread
        if self.state == self.State.ASKED:
            yield Awaited(self.owner, "accept", self.id)
        elif self.state == self.State.LENT:
            yield Awaited(self.owner, "toollib.returned", self.id, since=self.until)

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """It needs both until the tool is back."""
        del find
        is_live = self.state in {self.State.ASKED, self.State.LENT}
        return [self.owner, self.author] if is_live else []

    def diary_entry(self, person: bytes, find: FindView) -> DiaryEntry | None:
        """Both see the day on which the tool goes back."""
        if self.state != self.State.LENT or person not in {self.owner, self.author}:
            return None
        tool = find(self.about)
        title = tool.title if isinstance(tool, Tool) else None
        other = self.author if person == self.owner else self.owner
        return DiaryEntry(title, self.until, other=other)

    def credits(self) -> Iterable[Credit]:
        """The owner has given what the loan is worth, once the tool is back."""
        if self.state == self.State.RETURNED and self.minutes:
            yield Credit(
                id=self.id,
                kind=self.kind,
                created=self.created,
                on=self.returned,
                giver=self.owner,
                receiver=self.author,
                minutes=self.minutes,
            )


@kind("toollib.returned", about=("toollib.loan",), lasting=True)
class Returned(Kind):
    """The owner says that a tool is back."""

    class State(States):
        """The state of a return."""

        STATED = "said", "Always."

    wording = Words("Return", happened="{who} got it back", submit="It is back")
    example = {"on": "2026-12-24"}

    on: str = Moment(required=True, day_only=True, help="today if left out")

    def complete(self, thread: Thread) -> None:
        """Fills in today."""
        self.fill(on=thread.clock.today)

    def check_before_signing(self, thread: Thread) -> None:
        """Refuses to say it of a tool that is not lent."""
        loan = thread.find_view(self.about, Loan)
        if loan is not None and loan.state != Loan.State.LENT:
            raise Refused("toollib 5", f"the loan is {loan.state}")

    def fold_entry(self, thread: Thread) -> None:
        """Notes in the loan that the tool is back."""
        loan = thread.find_view(self.about, Loan)
        if loan is None or loan.owner != self.author:
            raise Refused("toollib 4", "only the owner of a tool says that it is back")
        loan.returned = self.on
        thread.add_view(self)
