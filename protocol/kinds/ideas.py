"""Kinds for ideas of neighbours, and for the people who support them (specs/25-ideas-and-trials.md).

A trial of an idea is in the thread of a service (`protocol/kinds/services/trials.py`).
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from protocol.errors import AlreadySo, Refused
from protocol.fold.kind import By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Mark, Thread
from protocol.fold.view import States
from protocol.schema.declare import RecordId, Text
from protocol.schema.values import PersonId


@kind("idea")
class Idea(Kind):
    """Something that a neighbour would like to try."""

    class State(States):
        """The states of an idea. The trials of the idea give it the states after "open"."""

        OPEN = "open", "Nobody tries it now, and no decision has adopted or dropped it."
        ON_TRIAL = "on trial", "As its trials show it: a decision began a trial of it (`trial`)."
        ADOPTED = "adopted", "As its trials show it: a decision adopted its last trial (`trial`)."
        DROPPED = "dropped", "As its trials show it: a decision dropped its last trial (`trial`)."

    wording = Words(
        "Idea",
        begin="Share an idea",
        before="Neighbours can support it. A trial then shows whether it helps.",
        happened="{who} had an idea",
    )
    example = {"title": "Empty the bins on two days", "text": "They are full by Thursday."}
    on_board = True

    title: str | None = Text(required=True, min=1, max=120)
    text: str | None = Text(max=2000)
    about: bytes | None = RecordId(help="the service that it would change, if it is about one")

    supporters: list[PersonId]

    def settle(self, thread: Thread) -> None:
        """Lists the people whose support is in force (R-25.2)."""
        supports = thread.linked_views(Support, "about", self.id)
        self.supporters = sorted(
            {support.author for support in supports if support.state == Support.State.IN_FORCE}
        )


@kind("support", about=("idea",))
class Support(Kind):
    """Says that a neighbour would like an idea to be tried. A support counts in no decision."""

    class State(States):
        """The states of a support."""

        IN_FORCE = "in force", "Its author has not withdrawn it."
        WITHDRAWN = "withdrawn", "Its author withdrew it (`close`)."

    wording = Words("Support", happened="{who} supports it", submit="Support")
    example: ClassVar[Mapping[str, object]] = {}
    closing = {Mark.WITHDRAWN: By("author", while_=(State.IN_FORCE,))}

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the author of this support also posted the idea. Raises AlreadySo if
        the author supports the idea already (R-25.1a).
        """
        if self.author == thread.target(self).person:
            raise Refused("R-25.1a", "it is your own idea")
        for support in self._standing_supports(thread):
            raise AlreadySo("R-25.1a", "you support it already", support.id)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the support to the views.

        Raises Refused if the author supports their own idea (R-25.1).
        """
        if self.author == thread.target(self).person:
            raise Refused("R-25.1", "nobody supports their own idea")
        thread.add_view(self)

    def _standing_supports(self, thread: Thread) -> Iterable["Support"]:
        supports = thread.linked_views(Support, "about", self.about or b"")
        return (
            support
            for support in supports
            if support.author == self.author and support.state == self.State.IN_FORCE
        )
