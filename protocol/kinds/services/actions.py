"""Kinds of doing something about it (specs/23-matters.md): actions, and whether they helped.

Whether an action is confirmed depends on who raised the matter, which a clock has a part in: so a
view has what was said, and `protocol.loops` says what it comes to when it is shown.
"""

from datetime import date, timedelta
from typing import Any

from protocol.errors import Refused
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.schema.fields import Bytes, Choice, Integer, Moment, Person, Text

LONGEST_DAYS = 28


@kind("action", about=("measure",), relied_on=True)
class Action(Kind):
    """What somebody takes up in a matter."""

    states = ("open", "reported done", "confirmed", "partly", "reopened", "overdue")
    owner = Person(help="who does it; its author if left out")
    what = Text(required=True, min=1, max=500)
    due = Moment(required=True, day_only=True, help="by when")
    window = Integer(min=-(2**31), filled=True, help="the window that opened the matter")
    n = Integer(filled=True, help="how many answers there were then")
    bad = Integer(filled=True, help="how many of them were bad, or the incidents")
    answers = Bytes(min=32, max=32, filled=True, help="SHA-256 of the answers' ids")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Its author does it, within four weeks."""
        del thread
        last = date.fromisoformat(today) + timedelta(LONGEST_DAYS)
        return {"owner": entry.person, "due": last.isoformat(), **entry.fields}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-23.3: software acts on a measure in use, within four weeks."""
        measure = thread.find_view(entry.about, "measure")
        if measure is not None and measure["state"] != "in use":
            raise Refused("R-23.3", f"this measure is {measure['state']}")
        if entry.fields["owner"] != entry.person:
            raise Refused("R-23.3", "one takes up an action oneself; hand the link on instead")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-23.3: one takes it up oneself: nobody is made responsible by another's word."""
        if entry.fields.get("owner", entry.person) != entry.person:
            raise Refused("R-23.3", "one takes up an action oneself")
        thread.make_view(entry, state="open", done=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """What was reported done, in order."""
        view["done"] = [one["id"] for one in thread.linked_views("done", "about", view["id"])]
        if view["done"]:
            view["state"] = "reported done"


@kind("done", about=("action",), plural="reports", relied_on=True)
class Done(Kind):
    """Its owner's word that an action is done."""

    states = ("said",)
    text = Text(max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-23.4: whose action it is says so."""
        if entry.person != thread.target_of(entry).person:
            raise Refused("R-23.4", "an action is reported done by whose it is")
        thread.make_view(entry, state="said")


@kind("verdict", about=("action",))
class Verdict(Kind):
    """What somebody who raised the matter says of the action."""

    states = ("said",)
    fixed = Choice(required=True, words=("yes", "partly", "no"))
    text = Text(max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-23.5: never its owner; whether they raised it is told when it is counted."""
        if entry.person == thread.target_of(entry).person:
            raise Refused("R-23.5", "whose action it is does not judge it")
        thread.make_view(entry, state="said")
