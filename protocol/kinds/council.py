"""The base class of the kinds `remove` and `hide` (specs/14 and 16).

With records of these kinds, three or more moderators decide together, as a council.
"""

from typing import TypedDict

from protocol.authority.authority import Authority
from protocol.authority.terms import Register
from protocol.fold.kind import Kind
from protocol.fold.thread import Thread
from protocol.schema.majority import MIN_COUNCIL
from protocol.schema.values import PersonId


class Asked(TypedDict):
    """The moderators who ask for one certain change: that a register gets a new number."""

    asked_by: list[PersonId]


def is_on_council(authority: Authority, person: bytes) -> bool:
    """Returns True if the person is one of three or more moderators."""
    moderators = authority.term.moderators
    return person in moderators and len(moderators) >= MIN_COUNCIL


class CouncilRecord(Kind):
    """A record by which a moderator asks to give a register the number `n`.

    If there are three or more moderators, and a majority of them asks for `n`, the register gets
    that number. Each subclass has three states, in this order: said, in force and past.
    """

    judged_by_authority = True

    n: int

    @property
    def register(self) -> Register:
        """The register to which this record gives the number `n`."""
        raise NotImplementedError

    def is_by_council(self, thread: Thread) -> bool:
        """Returns True if the author is one of three or more moderators."""
        return is_on_council(thread.authority, self.author)

    def people_who_ask(self, authority: Authority) -> list[PersonId]:
        """Returns the moderators of the term in force who ask for the same as this record."""
        return sorted(authority.council_posts.get(self.register, {}).get(self.n, ()))

    def is_posted(self, thread: Thread) -> bool:
        """Returns True if the author has asked for this number of the register already."""
        return thread.authority.has_posted(self.author, self.register, self.n)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the record to the views (R-14.5, R-16.7).

        The record is in the state "in force" while the register has the number `n`.
        """
        stated, in_force, past = tuple(self.State)
        number = thread.authority.holding(self.register).n
        if self.n == number:
            self.state = in_force
        else:
            self.state = stated if self.n > number else past
        thread.add_view(self)
