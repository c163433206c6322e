"""Kinds that help neighbours find each other (specs/19-matching.md)."""

from protocol.errors import Refused
from protocol.fold.kind import Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.schema.fields import Many, Person, Text


class Assertion(Kind):
    """A base class of kinds. A record of such a kind is in force until its author withdraws it."""

    states = States(
        {
            "in force": "Its author has not withdrawn it.",
            "withdrawn": "Its author withdrew it (`close`).",
        }
    )

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state to "withdrawn" if the author has closed the record (R-19.2)."""
        if "withdrawn" in thread.marks[view["id"]]:
            view["state"] = "withdrawn"


@kind("synonym")
class Synonym(Assertion):
    """Words that mean the same in this neighbourhood, for software that matches people."""

    words = Many(of=Text(min=1, max=40), required=True, help="words that mean the same here")

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the synonym has fewer than two different words (R-19.1)."""
        del thread
        if len(set(entry.fields["words"])) < 2:  # noqa: PLR2004
            raise Refused("R-19.1", "it takes two words that mean the same; add --words once more")


@kind("vouch", plural="vouches")
class Vouch(Assertion):
    """A good word for somebody. It admits nobody and counts in no decision."""

    person = Person(required=True, help="for whom")
    text = Text(max=500, help="what you know them by")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the `vouch` to the views.

        Raises Refused if the author vouches for themselves (R-19.3).
        """
        if entry.fields["person"] == entry.person:
            raise Refused("R-19.3", "a good word is for somebody else than yourself")
        super().fold_entry(thread, entry)
