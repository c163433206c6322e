"""The occurrences of an agreement (specs/13, R-13.13 and R-13.18).

They are the days on which it takes place, and the receipts that both have signed for each day.
"""

from datetime import UTC, datetime

from protocol import recurrence
from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot

Occurrence = tuple[bytes, bytes, str | None]  # giver, receiver, day if it repeats

_DAY = len("2026-11-23")
_MONDAY = "2024-01-01"  # stands for a beginning that nobody has named


class _CountingReceipts(dict[bytes, dict[Occurrence, bytes]]):
    """The receipt that counts for each occurrence, by the agreement or activity."""


def is_day_over(thread: Thread, entry: Entry, until: str | None) -> bool:
    """Returns True if the day of `until` was over when the record was made.

    The charter's offset decides when a day ends.
    """
    offset = int(thread.authority.charter["offset"]) * 60
    day = datetime.fromtimestamp(entry.time // 1000 + offset, UTC).date().isoformat()
    return until is not None and until[:_DAY] < day


def check_rule(starts: str | None, repeats: str | None) -> None:
    """Raises Refused if the rule is not understood, or leaves out the day of the beginning."""
    if repeats is None:
        return
    try:
        recurrence.occurrence_days(starts or _MONDAY, repeats)
    except Refused as refusal:
        # If nobody has named a beginning, _MONDAY stands for it, and a rule may leave out that day.
        if starts or refusal.rule != "R-17.3":
            raise


def days_of(thread: Thread, agreement: View) -> tuple[str, ...]:
    """Returns the days on which an agreement takes place.

    Returns none if the agreement does not repeat, or if its days cannot be worked out.
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
    """Returns the occurrence that a receipt is for.

    If the agreement cannot be read, each day is an occurrence.
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
    """Returns the receipt that counts for each occurrence of an agreement.

    It is the earliest confirmed one, by time and id. For an attendance, the receipts about all
    attendances of its activity are compared (R-17.15).
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
    """Returns the last day up to today that has no confirmed receipt, or None."""
    signed = _signed_days(thread, agreement)
    past = [day for day in days_of(thread, agreement) if day <= today]
    return next((day for day in reversed(past) if day not in signed), None)


def is_all_signed(thread: Thread, agreement: View) -> bool:
    """Returns True if both have signed for all of an agreement.

    If it repeats, this means each of its days.
    """
    signed = _signed_days(thread, agreement)
    if not agreement["repeats"]:
        return bool(signed)
    days = days_of(thread, agreement)
    return bool(days) and signed.issuperset(days)


def check_unsigned(thread: Thread, agreement: View, on: str) -> None:
    """Raises Refused if `on` is no day of the agreement, or if both have signed for that day."""
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

    If the agreement does not repeat, its day is None.
    """
    return {day for _, _, day in counting_receipts(thread, agreement["id"])}
