"""Hours paid from the common pot: of an activity, for the people who ran it (specs/17-activities.md)."""

from typing import Any

from protocol.errors import Refused
from protocol.fold.balance import POT
from protocol.fold.thread import Entry, Thread, View

_DAY = len("2026-11-23")


def is_paid_from_pot(thread: Thread, receipt: Entry) -> bool:
    """Whether the receipt is, or asks to be, paid from the pot."""
    about = thread.entries.get(receipt.about or b"")
    at_once = about is not None and about.kind == "attendance"
    return at_once or receipt.fields.get("receiver") == POT


def default_terms(thread: Thread, receipt: Entry) -> dict[str, Any]:
    """What may be left out: the pot, the day, the activity's minutes, the only one who came."""
    attendance = _attendance(thread, receipt)
    activity = thread.views[attendance["about"]]
    others = [one for one in attendance["people"] if one != receipt.person]
    return {
        "giver": others[0] if len(others) == 1 else None,
        "receiver": POT,
        "minutes": activity["minutes"],
        "on": attendance["on"],
    }


def check_before_signing(thread: Thread, receipt: Entry) -> None:
    """R-17.16: one receipt a person and day, while none is disputed."""
    attendance = _attendance(thread, receipt)
    for one in receipts_of_activity(thread, attendance["about"]):
        same = (one["giver"], one["on"][:_DAY]) == (receipt.fields["giver"], attendance["on"])
        if same and one["state"] != "disputed":
            raise Refused(
                "R-17.16", f"there is a {one['state']} receipt for them on that day already"
            )


def check_receipt(thread: Thread, receipt: Entry) -> None:
    """R-17.15: by the organiser, for somebody else who came, on the day; it goes to the pot's side."""
    giver, about = receipt.fields["giver"], thread.target_of(receipt)
    if receipt.fields["receiver"] != POT or giver == POT:
        raise Refused("R-17.15", "a receipt about an attendance is paid from the common pot")
    if about.kind not in {"attendance", None}:
        raise Refused("R-17.15", "the common pot pays for activities, about an attendance")
    if receipt.person != about.person or giver == receipt.person:
        raise Refused("R-17.15", "who organises it writes the receipts, and for others only")
    attendance = thread.find_view(about.id, "attendance")
    if attendance is not None and giver not in attendance["people"]:
        raise Refused("R-17.15", "who gave is one of those who came")
    if attendance is not None and receipt.fields["on"][:_DAY] != attendance["on"]:
        raise Refused("R-17.15", f"who came on {attendance['on']} gave on that day")


def receipts_of_activity(thread: Thread, activity: bytes) -> list[View]:
    """All receipts about attendances of the activity, whether or not these count."""
    attended = [
        one.id
        for one in thread.entries.values()
        if one.kind == "attendance" and one.about == activity
    ]
    return [receipt for one in attended for receipt in thread.linked_views("receipt", "about", one)]


def signers_of(thread: Thread, signed: View) -> set[bytes]:
    """Who signs for giver and receiver: for the pot whoever wrote the receipt."""
    if signed["receiver"] != POT:
        return {signed["giver"], signed["receiver"]}
    receipt = thread.entries[signed["about"] if signed["kind"] == "correction" else signed["id"]]
    return {signed["giver"], receipt.person}


def _attendance(thread: Thread, receipt: Entry) -> View:
    found = thread.find_view(receipt.about, "attendance")
    if found is None:
        raise Refused("R-17.15", "the attendance does not count")
    return found
