"""Kinds with which people erase words, flag them or hide them (specs/14-conversation.md)."""

from collections.abc import Iterable
from typing import TypedDict

from protocol.authority import register_change
from protocol.authority.authority import Authority
from protocol.authority.kind_names import HIDE, RETRACT
from protocol.authority.terms import Register
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import Awaited, Crowd, Subject, Way
from protocol.fold.fold import retracts
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import KINDS, kind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import NoStates, States, Tombstone
from protocol.kinds.council import Asked, CouncilRecord, is_on_council
from protocol.kinds.decisions import NO, YES
from protocol.local_clock import LocalClock
from protocol.record.envelope import OPEN
from protocol.schema.declare import Choice, Integer, Text
from protocol.schema.register_names import HIDDEN


class Concerned(TypedDict):
    """The words that moderators are asked to judge."""

    concerns: Subject


class ConcernedAndAsked(Concerned, Asked):
    """The words that moderators are asked to judge, and the moderators who ask to hide or to show
    these words.
    """


@kind(RETRACT, about=("*",), audience=OPEN, lasting=True)
class Retract(Kind):
    """Erases the content of your own record at every home. Your log can still be verified."""

    State = NoStates
    wording = Words("Retraction", happened="{who} took words back", submit="Take back")
    example = {}
    sways_others = True
    stands_alone = True
    is_sure = True

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields one way if the person wrote the record and its kind is not lasting.

        Others rely on records of a lasting kind, so these cannot be erased.
        """
        del thread
        declared = KINDS.get(target.kind or "")
        if target.person == person and not (declared is not None and declared.lasting):
            yield Way(ask=())

    def check_before_signing(self, thread: Thread) -> None:
        """Raises AlreadySo if the author has retracted the record already (R-01.17)."""
        target = thread.target(self)
        if isinstance(thread.views.get(target.id), Tombstone) and target.person == self.author:
            raise AlreadySo("R-01.17", "you have taken this back already", target.id)

    def fold_entry(self, thread: Thread) -> None:
        """Raises Refused if the retraction is not allowed and so erases nothing (R-01.17).

        An allowed retraction has nothing to do here: the fold has already erased the content.
        """
        if not retracts(thread.entries[self.id], thread.target(self)):
            raise Refused(
                "R-01.17",
                "only one's own words can be retracted, and not what others rely on; "
                "a correction or a close says that something has changed",
            )


@kind("flag", about=("*",))
class Flag(Kind):
    """Asks the moderators to look at something."""

    class State(States):
        """The states of a flag."""

        OPEN = "open", "The record that it is about is not hidden."
        SETTLED = "settled", "The record that it is about is hidden (`hide`, `proposal`)."

    wording = Words("Flag", happened="{who} flagged something for the moderators", submit="Flag")
    example = {"reason": "unkind to a neighbour"}
    begins_branch = True
    is_sure = True

    reason: str | None = Text(required=True, min=1, max=500)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if there is nothing to hide, because the record has no view (R-14.4).

        Raises AlreadySo if the author has flagged the record, or if it is hidden already.
        """
        target = thread.target(self)
        for flag in thread.linked_views(Flag, "about", target.id):
            if flag.author == self.author:
                raise AlreadySo("R-14.4", "you have flagged it already", flag.id)
        if thread.is_hidden(target.id):
            raise AlreadySo("R-14.4", "its words are hidden already", target.id)
        view = thread.views.get(target.id)
        if view is None or isinstance(view, Tombstone):
            raise Refused("R-14.4", "nothing of it is shown; flag the record that it is about")

    def ties(self) -> Iterable[bytes]:
        """A flag is tied to the other flags of its author on the same record."""
        yield b"flag" + self.author + (self.about or b"")

    def fold_entry(self, thread: Thread) -> None:
        """Adds the flag to the views, for the moderators' list. Changes nothing else (R-14.4).

        Raises Refused if its author has flagged this record already.
        """
        flags = thread.linked_views(Flag, "about", thread.target(self).id)
        if any(flag.author == self.author for flag in flags):
            raise Refused("R-14.4", "they have flagged it already")
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Gives the flag the state "settled" if the flagged record is hidden (R-14.4).

        The flagged record may have no view, because homes that do not know its kind make no view of
        it.
        """
        if thread.is_hidden(self.about or b""):
            self.state = self.State.SETTLED

    def further_values(self, authority: Authority, clock: LocalClock) -> Concerned:
        """Returns the words that moderators are asked to judge."""
        del authority, clock
        return {"concerns": Subject(self.about or b"", is_person=False)}

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """An open flag waits for the moderators, who may hide the flagged record."""
        del thread
        if self.state == self.State.OPEN:
            yield Awaited(Crowd.MODERATORS, HIDE, self.about or b"")


@kind(HIDE, about=("*",), audience=OPEN, lasting=True)
class Hide(CouncilRecord):
    """A moderator asks to hide words. A majority of at least three moderators hides them."""

    class State(States):
        """The states of a hide."""

        STATED = "said", "The register of the words has a number lower than `n`."
        IN_FORCE = (
            "in force",
            "The register of the words has the number `n` (`hide`, `proposal`).",
        )
        PAST = (
            "past",
            "The register of the words has a number higher than `n` (`hide`, `proposal`).",
        )

    wording = Words(
        "Hidden words",
        happened="{who}, a moderator, said whether to hide words",
        submit="Confirm",
    )
    example = {"hidden": YES, "n": 1}
    stands_alone = True

    # This field takes the place of the mark that views of hidden records have.
    hidden: str | None = Choice(  # type: ignore[assignment]
        words=(YES, NO), default=YES, help="no: show them again"
    )
    reason: str | None = Text(max=500, beside=True, help="for the neighbourhood to read")
    n: int = Integer(required=True, min=1, max=register_change.MAX_NUMBER, filled=True)

    @property
    def register(self) -> Register:
        """The register that says whether the words are hidden."""
        return HIDDEN, self.about or b""

    @property
    def wants_hidden(self) -> bool:
        """True if this record asks to hide the words, False if it asks to show them again."""
        return self.hidden != NO

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """If the person is a moderator, yields two ways: to hide the words, and to show them.

        The words are either hidden or shown now, so one of the two ways changes nothing (R-14.5i).
        """
        del target
        if is_on_council(thread.authority, person):
            yield Way({"hidden": YES}, ask=("reason",))
            yield Way({"hidden": NO}, ask=("reason",))

    def complete(self, thread: Thread) -> None:
        """Fills in `n`, the number of the register that says whether the words are hidden.

        An odd number hides the words, and an even number shows them. If the number in force already
        does what the author wants, `n` is that number. Otherwise `n` is the next number.
        """
        number = thread.authority.holding(self.register).n
        is_odd = number % 2 == 1
        wanted = number if is_odd == self.wants_hidden else number + 1
        self.n = self.n or max(wanted, 1)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the author is no moderator, or if there are fewer than three moderators
        (R-14.5). Raises Refused also if the words are about the author.

        Raises AlreadySo if the words are already hidden or shown, as the author wants, or if the
        author has asked for this before.
        """
        target = thread.target(self)
        if not self.is_by_council(thread):
            raise Refused(
                "R-14.5",
                "three or more moderators hide together, and you are none of them; flag it, "
                "or ask everybody: `meshcoop post proposal --change hide ID`",
            )
        if self.author in thread.people_about(target):
            raise Refused("R-14.5", "it is about you, so the other moderators judge it")
        if thread.is_hidden(target.id) == self.wants_hidden:
            shown = "hidden" if self.wants_hidden else "shown"
            raise AlreadySo("R-14.5", "its words are {shown} already", shown=shown)
        if (self.n % 2 == 1) != self.wants_hidden:
            raise Refused("R-14.5", "an odd number hides words, and an even number shows them")
        if self.is_posted(thread):
            raise AlreadySo(
                "R-14.5", "you have asked for this already; the other moderators decide"
            )

    def further_values(self, authority: Authority, clock: LocalClock) -> ConcernedAndAsked:
        """Returns the words that moderators are asked to judge.

        Also returns the moderators who ask for the same as this record.
        """
        del clock
        return {
            "concerns": Subject(self.about or b"", is_person=False),
            "asked_by": self.people_who_ask(authority),
        }

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """In the state "said", the record waits for the other moderators, who may also ask to hide
        the words.
        """
        del thread
        if self.state == self.State.STATED:
            yield Awaited(Crowd.MODERATORS, HIDE, self.about or b"")
