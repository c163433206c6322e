"""The occurrences of an agreement (specs/13, R-13.13 and R-13.18).

An occurrence is one day on which the agreement takes place. For each occurrence, one receipt that
both people have signed counts.
"""

from datetime import UTC, datetime

from protocol import recurrence
from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot

Occurrence = tuple[bytes, bytes, str | None]  # giver, receiver, and the day if it repeats

_DAY = len("2026-11-23")
_MONDAY = "2024-01-01"  # is used if nobody has named the first day


class _CountingReceipts(dict[bytes, dict[Occurrence, bytes]]):
    """For the id of each agreement or activity: the receipt that counts for each occurrence."""


def is_day_over(thread: Thread, entry: Entry, until: str | None) -> bool:
    """Returns True if the day of `until` was over when the record `entry` was made.

    The charter's offset from UTC decides when a day ends.
    """
    offset = int(thread.authority.charter["offset"]) * 60
    day = datetime.fromtimestamp(entry.time // 1000 + offset, UTC).date().isoformat()
    return until is not None and until[:_DAY] < day


def check_rule(starts: str | None, repeats: str | None) -> None:
    """Raises Refused if the RRULE `repeats` is not understood, or leaves out the day `starts`."""
    if repeats is None:
        return
    try:
        recurrence.occurrence_days(starts or _MONDAY, repeats)
    except Refused as refusal:
        # Without `starts`, _MONDAY is only an example. The RRULE may leave out that day.
        if starts or refusal.rule != "R-17.3":
            raise


def days_of(thread: Thread, agreement: View) -> tuple[str, ...]:
    """Returns the days on which an agreement takes place.

    Returns no days if the agreement does not repeat, or if its days cannot be worked out.
    """
    intent = thread.entries.get(agreement["intent"])
    starts = agreement["when"] or (intent.fields.get("starts") if intent else None)
    if not starts or not agreement["repeats"]:
        return ()
    try:
        return recurrence.occurrence_days(starts, agreement["repeats"])
    except Refused:
        return ()  # other software, which accepts other rules, signed it


def occurrence_of(thread: Thread, receipt: View) -> Occurrence:
    """Returns the occurrence that a receipt is for, as giver, receiver and day.

    The day is None if the agreement does not repeat. If this home cannot read the agreement, each
    day is an occurrence.
    """
    agreement = thread.entries.get(receipt["about"])
    is_single = (
        agreement is not None
        and agreement.kind == "agreement"
        and agreement.fields.get("repeats") is None
    )
    day = None if is_single else receipt["on"][:_DAY]
    return receipt["giver"], receipt["receiver"], day


def counting_receipts(thread: Thread, about: bytes) -> dict[Occurrence, bytes]:
    """Returns the receipt that counts for each occurrence of an agreement or an activity.

    `about` is the record that the receipts are about. If several receipts are confirmed, the
    earliest counts, by time and id. If `about` is an attendance, the receipts about all attendances
    of the same activity are compared (R-17.15).
    """
    target = thread.entries.get(about)
    activity = target.about if target is not None and target.kind == "attendance" else None
    index = thread.index(_CountingReceipts)
    place = activity or about
    if place not in index:
        if activity:
            receipts = common_pot.receipts_of_activity(thread, activity)
        else:
            receipts = thread.linked_views("receipt", "about", about)
        index[place] = _first_confirmed(thread, receipts)
    return index[place]


def last_unsigned_day(thread: Thread, agreement: View, today: str) -> str | None:
    """Returns the agreement's last day up to `today` without a confirmed receipt, or None."""
    signed = _signed_days(thread, agreement)
    past = [day for day in days_of(thread, agreement) if day <= today]
    return next((day for day in reversed(past) if day not in signed), None)


def is_all_signed(thread: Thread, agreement: View) -> bool:
    """Returns True if both people have signed a receipt for the agreement.

    If the agreement repeats, they must have signed a receipt for each of its days.
    """
    signed = _signed_days(thread, agreement)
    if not agreement["repeats"]:
        return bool(signed)
    days = days_of(thread, agreement)
    return bool(days) and signed.issuperset(days)


def check_unsigned(thread: Thread, agreement: View, on: str) -> None:
    """Raises Refused if the day `on` is not in the agreement, or has a confirmed receipt."""
    day = on[:_DAY]
    days = days_of(thread, agreement)
    if days and day not in days:
        raise Refused("R-13.18", f"it does not take place on {day}; name a day with `--on`")
    if day in _signed_days(thread, agreement):
        raise Refused("R-13.10", f"there is a confirmed receipt for {day} already")


def _first_confirmed(thread: Thread, receipts: list[View]) -> dict[Occurrence, bytes]:
    first: dict[Occurrence, bytes] = {}
    for receipt in sorted(receipts, key=lambda receipt: (receipt["created"], receipt["id"])):
        if "confirmed" in thread.marks[receipt["id"]]:
            first.setdefault(occurrence_of(thread, receipt), receipt["id"])
    return first


def _signed_days(thread: Thread, agreement: View) -> set[str | None]:
    """Returns the days of an agreement that have a confirmed receipt.

    If the agreement does not repeat, None stands for its day.
    """
    return {day for _, _, day in counting_receipts(thread, agreement["id"])}
