"""Kinds with which people erase words, flag them or hide them (specs/14-conversation.md)."""

from typing import Any

from protocol.authority import register_change
from protocol.errors import Refused
from protocol.fold.fold import retracts
from protocol.fold.kind import NO_VIEW, Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.decisions import register_state
from protocol.record.envelope import OPEN
from protocol.schema.fields import Choice, Integer, Text
from protocol.schema.majority import MIN_COUNCIL
from protocol.schema.register_names import HIDDEN


@kind("retract", about=("*",), audience=OPEN, lasting=True)
class Retract(Kind):
    """Erases the content of your own record at every home. Your log can still be verified."""

    states = NO_VIEW
    stands_alone = True

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the retraction is not allowed and so erases nothing (R-01.17).

        An allowed retraction has nothing to do here: the fold has already erased the content.
        """
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

    states = States(
        {
            "open": "The record that it is about is shown.",
            "settled": "The record that it is about is hidden (`hide`, `proposal`), or has no view.",
        }
    )
    reason = Text(required=True, min=1, max=500)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the flag to the views, for the moderators' list. Changes nothing else (R-14.4).

        Raises Refused if its author has flagged this record already.
        """
        flags = thread.linked_views("flag", "about", thread.target_of(entry).id)
        if any(flag["author"] == entry.person for flag in flags):
            raise Refused("R-14.4", "they have flagged it already")
        thread.make_view(entry, state="open")

    def settle_view(self, thread: Thread, view: View) -> None:
        """Settles the flag if the record that it is about is hidden or has no view (R-14.4)."""
        if view["about"] not in thread.views or thread.is_hidden(view["about"]):
            view["state"] = "settled"


@kind("hide", about=("*",), audience=OPEN, lasting=True)
class Hide(Kind):
    """A moderator asks to hide words. A majority of at least three moderators hides them."""

    judged_by_authority = True
    stands_alone = True
    states = States(
        {
            "said": "The register of the words has a number lower than `n`.",
            "in force": "The register of the words has the number `n` (`hide`, `proposal`).",
            "past": "The register of the words has a number higher than `n` (`hide`, `proposal`).",
        }
    )
    hidden = Choice(words=("yes", "no"), default="yes", help="no: show them again")
    reason = Text(max=500, beside=True, help="for the neighbourhood to read")
    n = Integer(required=True, min=1, max=register_change.MAX_NUMBER, filled=True)

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in `n`, the number of the register that says whether the words are hidden.

        An odd number hides the words, and an even number shows them. If the number in force already
        does what the author wants, it is used. Otherwise the next number is used.
        """
        del today
        number = thread.authority.holding((HIDDEN, entry.about or b"")).n
        wanted = 0 if entry.fields.get("hidden") == "no" else 1  # an even or an odd number
        if number % 2 != wanted:
            number += 1
        return {"n": max(number, 1)} | entry.fields

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the author is one of three or more moderators (R-14.5).

        Raises Refused also if the words are about the author, or are shown already.
        """
        term = thread.authority.term
        target = thread.target_of(entry)
        if entry.person not in term.moderators or len(term.moderators) < MIN_COUNCIL:
            raise Refused(
                "R-14.5",
                "three or more moderators hide together, and you are none of them; flag it, "
                "or ask everybody: `meshcoop post proposal --change hide ID`",
            )
        if entry.person in thread.people_about(target):
            raise Refused("R-14.5", "it is about you, so the other moderators judge it")
        if (entry.fields["n"] % 2 == 1) != (entry.fields.get("hidden", "yes") == "yes"):
            raise Refused("R-14.5", "its words are shown already")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the `hide` to the views (R-14.5).

        It is in force while the register of the words has the number `n`.
        """
        holding = thread.authority.holding((HIDDEN, entry.about or b""))
        thread.make_view(entry, state=register_state(entry.fields["n"], holding))
