"""Kinds that follow an exchange: corrections of a receipt's minutes, and gifts (specs/13)."""

from protocol.errors import Refused
from protocol.fold.kind import Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot
from protocol.schema.fields import Minutes, Person, Text


@kind("correction", about=("receipt",), lasting=True)
class Correction(Kind):
    """Corrects a receipt's minutes. One party signs it. It counts once the other party confirms."""

    states = States(
        {
            "proposed": "One party has signed it.",
            "confirmed": "The other party has signed it too (`confirm`), even after a dispute.",
            "disputed": "The other party disputes it (`close`) and has not confirmed it.",
        }
    )
    extra_people_fields = ("giver", "receiver")
    minutes = Minutes(required=True, help="what is right; 0 if nothing was given")
    why = Text(max=500, beside=True, help="for the neighbourhood to read")

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the receipt is confirmed and the new minutes differ (R-13.19)."""
        receipt = thread.find_view(entry.about, "receipt")
        if receipt is None:
            return
        if receipt["state"] != "confirmed":
            raise Refused(
                "R-13.19",
                f"the receipt is {receipt['state']}, so nothing counts yet; write another one",
            )
        minutes = receipt["minutes"] if receipt["corrected"] is None else receipt["corrected"]
        if minutes == entry.fields["minutes"]:
            raise Refused("R-13.19", f"{minutes} minutes are what counts already")
        # The latest correction counts. A correction before a confirmed one would change nothing.
        is_overtaken = any(
            correction["state"] == "confirmed" and correction["created"] >= entry.time
            for correction in thread.linked_views("correction", "about", receipt["id"])
        )
        if is_overtaken:
            raise Refused(
                "R-13.19", "what counts was signed by a clock ahead of this one; try again later"
            )

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the correction to the views, in the state "proposed" (R-13.17).

        Raises Refused unless the receipt counts and its giver or receiver signs the correction.
        """
        receipt = thread.find_view(entry.about, "receipt")
        if receipt is None:
            raise Refused("R-13.17", "the receipt itself does not count")
        if entry.person not in common_pot.signers_of(thread, receipt):
            raise Refused("R-13.17", "only giver and receiver correct a receipt")
        parties = {name: receipt[name] for name in ("giver", "receiver")}
        thread.make_view(entry, state="proposed", moved=None, **parties)

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state of the correction (R-13.17).

        Once the other party confirms the correction, it is confirmed, even after a dispute.
        """
        marks = thread.marks[view["id"]]
        if "confirmed" in marks:
            view["state"] = "confirmed"
        elif "disputed" in marks:
            view["state"] = "disputed"


@kind("thanks", plural="thanks")
class Thanks(Kind):
    """The receiver says that time was a gift. The gift is counted, but it changes no balance."""

    states = States({"given": "Always: a gift needs no answer."})
    person = Person(required=True, help="who gave")
    minutes = Minutes(default=0, help="0 or more")
    text = Text(max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the gift to the views. Raises Refused if a person thanks themselves (R-13.20)."""
        if entry.fields["person"] == entry.person:
            raise Refused("R-13.20", "one thanks somebody else")
        thread.make_view(entry, state="given", minutes=entry.fields.get("minutes") or 0)
