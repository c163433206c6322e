"""Kinds that help neighbours find each other (specs/19-matching.md)."""

from collections.abc import Iterable
from typing import Self

from protocol.errors import Refused
from protocol.fold.facets import MatchingFact, Recommendation, SameWords
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Mark, Thread
from protocol.fold.view import States
from protocol.local_clock import LocalClock
from protocol.schema.declare import Many, Person, Text
from protocol.schema.values import PersonId


class Assertion(Kind):
    """A base class of kinds. Records of these kinds are in force until their author withdraws them.

    If the author has closed such a record, the inherited `settle` sets its state to "withdrawn"
    (R-19.2).
    """

    class State(States):
        """The states of a synonym or a vouch."""

        IN_FORCE = "in force", "Its author has not withdrawn it."
        WITHDRAWN = "withdrawn", "Its author withdrew it (`close`)."

    closing = {Mark.WITHDRAWN: By("author", while_=(State.IN_FORCE,))}

    @classmethod
    def standing(cls, views: Iterable[Self], clock: LocalClock) -> Iterable[Self]:
        """Returns those of `views` that are in force."""
        del clock
        return (view for view in views if view.state == cls.State.IN_FORCE)


@kind("synonym")
class Synonym(Assertion):
    """Words that mean the same in this neighbourhood, for software that matches people."""

    wording = Words(
        "Words that mean the same",
        begin="Words that mean the same here",
        happened="{who} said that these words mean the same",
    )
    example = {"words": ["bike", "bicycle"]}

    words: list[str] | None = Many(
        of=Text(min=1, max=40), required=True, help="words that mean the same here"
    )

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the synonym has fewer than two different words (R-19.1)."""
        del thread
        if len(set(self.words or ())) < 2:  # noqa: PLR2004
            raise Refused("R-19.1", "it takes two words that mean the same; add --words once more")

    def matching_facts(self) -> Iterable[MatchingFact]:
        """Returns the words, while the synonym is in force."""
        if self.state == self.State.IN_FORCE and self.words:
            yield SameWords(tuple(self.words))


@kind("vouch", plural="vouches")
class Vouch(Assertion):
    """A good word for somebody. It admits nobody and counts in no decision."""

    wording = Words(
        "Recommendation", begin="Recommend somebody", happened="{who} recommended somebody"
    )
    example = {"person": SOMEBODY, "text": "She mends what others throw away."}

    person: PersonId = Person(required=True, help="for whom")
    text: str | None = Text(max=500, help="what you know them by")

    def fold_entry(self, thread: Thread) -> None:
        """Adds the `vouch` to the views.

        Raises Refused if the author vouches for themselves (R-19.3).
        """
        if self.person == self.author:
            raise Refused("R-19.3", "a good word is for somebody else than yourself")
        super().fold_entry(thread)

    def matching_facts(self) -> Iterable[MatchingFact]:
        """Returns the person that the author recommends, while the vouch is in force."""
        if self.state == self.State.IN_FORCE:
            yield Recommendation(self.person)
