"""Pacts: what several people promise each other (specs/15-circles-and-pages.md)."""

from typing import Any

from protocol.errors import Refused
from protocol.fold.kind import Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.record.envelope import PRIVATE
from protocol.schema.fields import Many, Minutes, Moment, Person, Text

MOST_PARTIES = 16


@kind("pact", audience=PRIVATE)
class Pact(Kind):
    """A promise between several people; only they see it, and it moves no balance."""

    states = States(
        {
            "offered": "A party has not accepted it yet.",
            "agreed": "Every party has accepted it (`accept`), even if one declined it before.",
            "declined": "A party declined it (`close`), and not every party has accepted it.",
            "withdrawn": "Its author withdrew it (`close`), and not every party has accepted it.",
            "ended": "Every party has accepted it, and one of them ended it (`close`).",
        }
    )
    extra_people_fields = ("waiting",)
    parties = Many(of=Person(), required=True, max=MOST_PARTIES, help="who promises, beside you")
    text = Text(required=True, min=1, max=2000, help="what is promised")
    minutes = Minutes(min=1)
    due = Moment()

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Adds the author to the field `parties`, if the author is not named there."""
        del thread, today
        parties = entry.fields.get("parties") or []
        if entry.person not in parties:
            parties = [entry.person, *parties]
        return {**entry.fields, "parties": parties}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Returns the parties to the pact, the only people who can read its thread (R-15.2)."""
        pact = entry if entry.kind == "pact" else thread.target_of(entry)
        return set(pact.fields["parties"])

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the pact to the views, in the state "offered".

        Raises Refused if it has fewer than two parties, or if its author is no party (R-15.8).
        """
        parties = set(entry.fields["parties"])
        if entry.person not in parties or len(parties) < 2:  # noqa: PLR2004
            raise Refused("R-15.8", "a pact is between two people or more, its author among them")
        thread.make_view(entry, state="offered", waiting=[])

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the pact is offered and waits for this person (R-15.9)."""
        pact = thread.find_view(entry.about, "pact")
        if pact is None:
            return
        if pact["state"] != "offered":
            raise Refused("R-15.9", f"the pact is {pact['state']} already")
        if entry.person not in pact["waiting"]:
            raise Refused("R-15.9", "you have accepted this pact, or are no party to it")

    def apply_accept(self, thread: Thread, entry: Entry) -> None:
        """Notes that a party accepts the pact (R-15.9).

        Raises Refused if the author of `entry` is not a party.
        """
        view = thread.find_view(entry.about, "pact")
        if view is None or entry.person not in view["parties"]:
            raise Refused("R-15.9", "a pact is accepted by its parties")
        thread.marks[view["id"]].add(f"accepted by {entry.person.hex()}")

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state of the pact, and lists the parties who have not accepted it (R-15.10).

        Once every party has accepted, earlier declines and withdrawals do not matter.
        """
        marks = thread.marks[view["id"]]
        view["waiting"] = [
            person
            for person in sorted(set(view["parties"]))
            if person != view["author"] and f"accepted by {person.hex()}" not in marks
        ]
        if not view["waiting"]:
            view["state"] = "ended" if "ended" in marks else "agreed"
        elif "withdrawn" in marks:
            view["state"] = "withdrawn"
        elif "declined" in marks:
            view["state"] = "declined"
