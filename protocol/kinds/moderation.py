"""Kinds that take words back, or away (specs/14-conversation.md)."""

from typing import Any

from protocol.authority import register_change as changes
from protocol.authority import registers
from protocol.authority.terms import HIDDEN
from protocol.errors import Refused
from protocol.fold.fold import retracts
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.record.envelope import OPEN
from protocol.schema.fields import Choice, Integer, Text


@kind("retract", about=("*",), audience=OPEN, relied_on=True)
class Retract(Kind):
    """Erases the content of one's own record everywhere; the log still verifies."""

    stands_alone = True

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Thread folding has dropped what is retracted; what reaches here erases nothing."""
        target = thread.target_of(entry)
        if not retracts(entry, target):
            raise Refused(
                "R-01.17",
                "only one's own words can be retracted, and not what others rely on; "
                "a correction or a close says that something has changed",
            )


@kind("flag", about=("*",))
class Flag(Kind):
    """Asks the moderators to look at something."""

    states = ("open", "settled")
    reason = Text(required=True, min=1, max=500)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-14.4: one flag a person; it changes nothing but the moderators' list."""
        flagged = thread.linked_views("flag", "about", thread.target_of(entry).id)
        if any(one["author"] == entry.person for one in flagged):
            raise Refused("R-14.4", "they have flagged it already")
        thread.make_view(entry, state="open")

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-14.4: settled once what it is about is hidden or taken back."""
        if view["about"] not in thread.views or thread.is_hidden(view["about"]):
            view["state"] = "settled"


@kind("hide", about=("*",), audience=OPEN, relied_on=True)
class Hide(Kind):
    """A moderator's word that words are not to be shown; a majority of three or more hides them."""

    judged = True
    stands_alone = True
    states = ("said", "in force", "past")
    hidden = Choice(words=("yes", "no"), default="yes", help="no: show them again")
    reason = Text(max=500, beside=True, help="for the neighbourhood to read")
    n = Integer(required=True, min=1, max=changes.MOST_NUMBERS, filled=True)

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """An odd number hides and an even one shows again: the one in force, else the next."""
        del today
        held = thread.authority.holding((HIDDEN, entry.about or b""))
        wanted = 0 if entry.fields.get("hidden") == "no" else 1
        return {"n": max(held.n + (held.n + wanted) % 2, 1)} | entry.fields

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-14.5: software lets moderators say so, of what does not speak of them."""
        term, target = thread.authority.term, thread.target_of(entry)
        if entry.person not in term.moderators or len(term.moderators) < registers.COUNCIL:
            raise Refused(
                "R-14.5",
                "three or more moderators hide together, and you are none of them; flag it, "
                "or ask everybody: `meshcoop post proposal --change hide ID`",
            )
        if entry.person in thread.people_about(target):
            raise Refused("R-14.5", "it speaks of you, and that is for the others to judge")
        if (entry.fields["n"] % 2 == 1) != (entry.fields.get("hidden", "yes") == "yes"):
            raise Refused("R-14.5", "its words are shown already")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-14.5: in force while the register has this number."""
        held = thread.authority.holding((HIDDEN, entry.about or b""))
        n = entry.fields["n"]
        state = "in force" if n == held.n else "said" if n > held.n else "past"
        thread.make_view(entry, state=state)
