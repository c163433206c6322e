"""Pacts: what several people promise each other (specs/15-circles-and-pages.md)."""

from collections.abc import Iterable

from protocol.authority.kind_names import ACCEPT
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import Awaited, FindView
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Mark, Thread
from protocol.fold.view import States, View
from protocol.record.envelope import PRIVATE
from protocol.schema.declare import Many, Minutes, Moment, Person, Text
from protocol.schema.values import PersonId

MOST_PARTIES = 16


def _other_parties(view: View, thread: Thread) -> set[bytes]:
    """Returns the parties to a pact, without its author."""
    del thread
    assert isinstance(view, Pact), "only a pact has parties"
    return set(view.parties) - {view.author}


@kind("pact", audience=PRIVATE)
class Pact(Kind):
    """A promise between several people; only they see it, and it moves no balance."""

    class State(States):
        """The states of a pact."""

        OFFERED = "offered", "A party has not accepted it yet."
        AGREED = (
            "agreed",
            "Every party has accepted it (`accept`), even if one declined it before.",
        )
        DECLINED = (
            "declined",
            "A party declined it (`close`), and not every party has accepted it.",
        )
        WITHDRAWN = (
            "withdrawn",
            "Its author withdrew it (`close`), and not every party has accepted it.",
        )
        ENDED = "ended", "Every party has accepted it, and one of them ended it (`close`)."

    wording = Words("Pact", begin="Make a promise together", happened="{who} offered the pact")
    example = {"parties": [SOMEBODY], "text": "We water the trees in turn."}
    accept = By(
        "parties",
        while_=(State.OFFERED,),
        rule="R-15.9",
        otherwise="a pact is accepted by its parties",
    )
    closing = {
        Mark.WITHDRAWN: By(
            "author",
            while_=(State.OFFERED, State.DECLINED),
            instead={State.AGREED: "end it instead (as ended)"},
        ),
        Mark.DECLINED: By(
            _other_parties,
            while_=(State.OFFERED,),
            instead={State.AGREED: "end it instead (as ended)"},
        ),
        Mark.ENDED: By(
            "parties",
            while_=(State.AGREED,),
            instead={State.OFFERED: "withdraw or decline it instead"},
        ),
    }

    parties: list[PersonId] = Many(
        of=Person(), required=True, max=MOST_PARTIES, help="who promises, beside you"
    )
    text: str | None = Text(required=True, min=1, max=2000, help="what is promised")
    minutes: int | None = Minutes(min=1)
    due: str | None = Moment(days_back=0)

    waiting: list[PersonId]

    def complete(self, thread: Thread) -> None:
        """Adds the author to the field `parties`, if the author is not named there."""
        del thread
        parties = self.parties or []
        self.parties = parties if self.author in parties else [self.author, *parties]

    def readers(self, thread: Thread, record: View) -> set[bytes]:
        """Returns the parties to the pact, the only people who can read its thread (R-15.2)."""
        del thread, record
        return set(self.parties)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the pact to the views, in the state "offered".

        Raises Refused if it has fewer than two parties, or if its author is no party (R-15.8).
        """
        parties = set(self.parties)
        if self.author not in parties or len(parties) < 2:  # noqa: PLR2004
            raise Refused("R-15.8", "a pact is between two people or more, its author among them")
        thread.add_view(self)

    def check_accept(self, thread: Thread, accept: View) -> None:
        """Raises AlreadySo if the author of the pact accepts it (R-15.9)."""
        del thread
        if accept.author == self.author:
            raise AlreadySo("R-15.9", "you have offered this pact, so you are bound by it", self.id)

    def settle(self, thread: Thread) -> None:
        """Sets the state of the pact, and lists the parties who have not accepted it (R-15.10).

        Once every party has accepted, earlier declines and withdrawals do not matter.
        """
        accepted = thread.marked_by(self.id, Mark.ACCEPTED)
        self.waiting = sorted(_other_parties(self, thread) - accepted)
        if not self.waiting:
            is_ended = thread.is_marked(self.id, Mark.ENDED)
            self.state = self.State.ENDED if is_ended else self.State.AGREED
        elif thread.is_marked(self.id, Mark.WITHDRAWN):
            self.state = self.State.WITHDRAWN
        elif thread.is_marked(self.id, Mark.DECLINED):
            self.state = self.State.DECLINED

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the parties, while the pact is offered or agreed."""
        del find
        return self.parties if self.state in {self.State.OFFERED, self.State.AGREED} else []

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """An offered pact waits for each party who has not accepted it."""
        del thread
        if self.state == self.State.OFFERED:
            for person in self.waiting:
                yield Awaited(person, ACCEPT, self.id)
