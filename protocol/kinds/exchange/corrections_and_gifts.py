"""Kinds that follow an exchange: other minutes than a receipt's, and gifts (specs/13)."""

from protocol.errors import Refused
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot as pot
from protocol.schema.fields import Minutes, Person, Text


@kind("correction", about=("receipt",), relied_on=True)
class Correction(Kind):
    """Other minutes than the receipt's: signed by one party, counted once the other confirms."""

    states = ("proposed", "confirmed", "disputed")
    naming = ("giver", "receiver")
    minutes = Minutes(required=True, help="what is right; 0 if nothing was given")
    why = Text(max=500, beside=True, help="for the neighbourhood to read")

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.19: software corrects what is confirmed, to something else, and never in vain."""
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
        known = thread.linked_views("correction", "about", receipt["id"])
        if any(one["state"] == "confirmed" and one["created"] >= entry.time for one in known):
            raise Refused(
                "R-13.19", "what counts was signed by a clock ahead of this one; try again later"
            )

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-13.17: by a party of a receipt that counts."""
        receipt = thread.find_view(entry.about, "receipt")
        if receipt is None:
            raise Refused("R-13.17", "the receipt itself does not count")
        if entry.person not in pot.signers_of(thread, receipt):
            raise Refused("R-13.17", "only giver and receiver correct a receipt")
        parties = {name: receipt[name] for name in ("giver", "receiver")}
        thread.make_view(entry, state="proposed", moved=None, **parties)

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-13.17: confirmed by the other party, whatever else was said."""
        marks = thread.marks[view["id"]]
        if "confirmed" in marks:
            view["state"] = "confirmed"
        elif "disputed" in marks:
            view["state"] = "disputed"


@kind("thanks", plural="thanks")
class Thanks(Kind):
    """Time given as a gift: counted, and it moves no balance. Who received says so."""

    states = ("given",)
    person = Person(required=True, help="who gave")
    minutes = Minutes(default=0, help="0 or more")
    text = Text(max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-13.20: for somebody else."""
        if entry.fields["person"] == entry.person:
            raise Refused("R-13.20", "one thanks somebody else")
        thread.make_view(entry, state="given", minutes=entry.fields.get("minutes") or 0)
