"""Kinds of actions in a matter, and of reports and verdicts on actions (specs/23-matters.md).

Only the people who raised the matter can confirm an action. A clock helps to decide who these
people are. So the views here contain only what people said. When a view is shown, `protocol.loops`
works out whether the action is confirmed.
"""

from datetime import date, timedelta
from typing import Any

from protocol.errors import Refused
from protocol.fold.kind import Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.schema.fields import Bytes, Choice, Integer, Moment, Person, Text

LONGEST_DAYS = 28


@kind("action", about=("measure",), lasting=True)
class Action(Kind):
    """Something that its author will do about a matter."""

    states = States(
        {
            "open": "Its owner has not reported it done.",
            "reported done": (
                "Its owner reported it done (`done`), and the raisers have neither confirmed nor "
                "reopened it."
            ),
            "confirmed": "As the loop shows it: enough raisers say that it is fixed (`verdict`).",
            "partly": "Never: an action that is only partly fixed is shown as reopened.",
            "reopened": (
                "As the loop shows it: a raiser says that it is partly or not fixed (`verdict`), and "
                "it is not confirmed."
            ),
            "overdue": "By the clock: it is open or reopened, and `due` is past.",
        }
    )
    owner = Person(help="who does it; its author if left out")
    what = Text(required=True, min=1, max=500)
    due = Moment(required=True, day_only=True, help="by when")
    window = Integer(min=-(2**31), filled=True, help="the window that opened the matter")
    n = Integer(filled=True, help="how many answers there were then")
    bad = Integer(filled=True, help="how many of them were bad, or the incidents")
    answers = Bytes(min=32, max=32, filled=True, help="SHA-256 of the answers' ids")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the author as the `owner` of the action, and as `due` the day in four weeks."""
        del thread
        last = date.fromisoformat(today) + timedelta(LONGEST_DAYS)
        return {"owner": entry.person, "due": last.isoformat(), **entry.fields}

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the measure is in use and the author owns the action (R-23.3)."""
        measure = thread.find_view(entry.about, "measure")
        if measure is not None and measure["state"] != "in use":
            raise Refused("R-23.3", f"this measure is {measure['state']}")
        if entry.fields["owner"] != entry.person:
            raise Refused("R-23.3", "one takes up an action oneself; hand the link on instead")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the action to the views, in the state "open" (R-23.3).

        Raises Refused unless the author is the owner: nobody can make another person responsible.
        """
        if entry.fields.get("owner", entry.person) != entry.person:
            raise Refused("R-23.3", "one takes up an action oneself")
        thread.make_view(entry, state="open", done=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """Lists the reports that the action is done, and sets the state of the action."""
        reports = thread.linked_views("done", "about", view["id"])
        view["done"] = [report["id"] for report in reports]
        if view["done"]:
            view["state"] = "reported done"


@kind("done", about=("action",), plural="reports", lasting=True)
class Done(Kind):
    """The owner of an action says that it is done."""

    states = States({"said": "Always."})
    text = Text(max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds to the views the report that an action is done.

        Raises Refused unless the owner of the action wrote the report (R-23.4).
        """
        if entry.person != thread.target_of(entry).person:
            raise Refused("R-23.4", "only its owner reports an action done")
        thread.make_view(entry, state="said")


@kind("verdict", about=("action",))
class Verdict(Kind):
    """Somebody who raised the matter says whether an action has fixed it."""

    states = States({"said": "Always."})
    fixed = Choice(required=True, words=("yes", "partly", "no"))
    text = Text(max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the verdict to the views. Raises Refused if the action's owner wrote it (R-23.5).

        Later, `protocol.loops` counts only the verdicts of people who raised the matter.
        """
        if entry.person == thread.target_of(entry).person:
            raise Refused("R-23.5", "the owner of an action does not judge it")
        thread.make_view(entry, state="said")
