"""The neighbourhood's common pot, which pays hours to people who ran an activity (specs/17)."""

from typing import Any

from protocol.errors import Refused
from protocol.fold.balance import COMMON_POT
from protocol.fold.thread import Entry, Thread, View

_DAY = len("2026-11-23")


def is_paid_from_pot(thread: Thread, receipt: Entry) -> bool:
    """Returns True if the receipt names the common pot as receiver, or is about an attendance."""
    about = thread.entries.get(receipt.about or b"")
    is_about_attendance = about is not None and about.kind == "attendance"
    return is_about_attendance or receipt.fields.get("receiver") == COMMON_POT


def default_terms(thread: Thread, receipt: Entry) -> dict[str, Any]:
    """Returns the usual terms of a receipt that the common pot pays.

    The receiver is the pot. The minutes are those of the activity, and the day is that of the
    attendance. If only one other person came, that person is the giver.
    """
    attendance = _attendance_of(thread, receipt)
    activity = thread.views[attendance["about"]]
    others = [person for person in attendance["people"] if person != receipt.person]
    return {
        "giver": others[0] if len(others) == 1 else None,
        "receiver": COMMON_POT,
        "minutes": activity["minutes"],
        "on": attendance["on"],
    }


def check_before_signing(thread: Thread, receipt: Entry) -> None:
    """Raises Refused if the giver already has a receipt for that day (R-17.16).

    Disputed receipts do not count here.
    """
    attendance = _attendance_of(thread, receipt)
    wanted = (receipt.fields["giver"], attendance["on"])
    for other in receipts_of_activity(thread, attendance["about"]):
        is_same = (other["giver"], other["on"][:_DAY]) == wanted
        if is_same and other["state"] != "disputed":
            raise Refused(
                "R-17.16", f"there is a {other['state']} receipt for them on that day already"
            )


def check_receipt(thread: Thread, receipt: Entry) -> None:
    """Raises Refused unless the common pot may pay this receipt (R-17.15).

    The organiser must write the receipt, for another person who came. Its day must be the day of
    the attendance.
    """
    giver = receipt.fields["giver"]
    about = thread.target_of(receipt)
    if receipt.fields["receiver"] != COMMON_POT or giver == COMMON_POT:
        raise Refused("R-17.15", "a receipt about an attendance is paid from the common pot")
    if about.kind not in {"attendance", None}:
        raise Refused("R-17.15", "the common pot pays for activities, about an attendance")
    if receipt.person != about.person or giver == receipt.person:
        raise Refused("R-17.15", "only the organiser writes the receipts, and only for others")
    attendance = thread.find_view(about.id, "attendance")
    if attendance is None:
        return  # the attendance has lost its content, so nobody can tell who came
    if giver not in attendance["people"]:
        raise Refused("R-17.15", "the giver must be one of those who came")
    if receipt.fields["on"][:_DAY] != attendance["on"]:
        raise Refused(
            "R-17.15",
            f"the attendance is for {attendance['on']}, and the receipt must be for that day",
        )


def receipts_of_activity(thread: Thread, activity: bytes) -> list[View]:
    """Returns all receipts about attendances of the activity.

    Receipts about attendances that do not count are included.
    """
    attendances = [
        entry.id
        for entry in thread.entries.values()
        if entry.kind == "attendance" and entry.about == activity
    ]
    return [
        receipt
        for attendance in attendances
        for receipt in thread.linked_views("receipt", "about", attendance)
    ]


def signers_of(thread: Thread, view: View) -> set[bytes]:
    """Returns the two people who sign a receipt or correction, for its giver and its receiver.

    If the receiver is the common pot, the author of the receipt signs for the pot.
    """
    if view["receiver"] != COMMON_POT:
        return {view["giver"], view["receiver"]}
    receipt = thread.entries[view["about"] if view["kind"] == "correction" else view["id"]]
    return {view["giver"], receipt.person}


def _attendance_of(thread: Thread, receipt: Entry) -> View:
    attendance = thread.find_view(receipt.about, "attendance")
    if attendance is None:
        raise Refused("R-17.15", "the attendance does not count")
    return attendance
