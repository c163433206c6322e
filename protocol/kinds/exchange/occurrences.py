"""The occurrences of an agreement: the days on which it takes place, and the receipts that both have
signed for each (specs/13, R-13.13 and R-13.18).
"""

from datetime import UTC, datetime

from protocol import recurrence
from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot

Occurrence = tuple[bytes, bytes, str | None]  # giver, receiver and, where it repeats, the day

_DAY = len("2026-11-23")
_MONDAY = "2024-01-01"  # stands for a beginning that nobody has named


class _CountingReceipts(dict[bytes, dict[Occurrence, bytes]]):
    """The receipt of each occurrence that counts, by the agreement or activity."""


def is_day_over(thread: Thread, entry: Entry, until: str | None) -> bool:
    """Whether the day of a moment is over at the time of a record, by the charter's offset."""
    offset = int(thread.authority.charter["offset"]) * 60
    day = datetime.fromtimestamp(entry.time // 1000 + offset, UTC).date().isoformat()
    return until is not None and until[:_DAY] < day


def check_rule(starts: str | None, repeats: str | None) -> None:
    """Raises Refused for a rule that is not understood, or that does not name the beginning's day."""
    if repeats is None:
        return
    try:
        recurrence.occurrence_days(starts or _MONDAY, repeats)
    except Refused as refusal:
        # Any rule may leave out the day that stands for a beginning nobody has named.
        if starts or refusal.rule != "R-17.3":
            raise


def days_of(thread: Thread, agreement: View) -> tuple[str, ...]:
    """The days on which an agreement takes place; none where it does not repeat, or nobody can tell."""
    intent = thread.entries.get(agreement["intent"])
    starts = agreement["when"] or (intent.fields.get("starts") if intent else None)
    if not starts or not agreement["repeats"]:
        return ()
    try:
        return recurrence.occurrence_days(starts, agreement["repeats"])
    except Refused:
        return ()  # signed by software that takes other rules


def occurrence_of(thread: Thread, receipt: View) -> Occurrence:
    """The occurrence that a receipt is for. Where the agreement cannot be read, each day is one."""
    agreement = thread.entries.get(receipt["about"])
    is_single = (
        agreement is not None
        and agreement.kind == "agreement"
        and agreement.fields.get("repeats") is None
    )
    day = None if is_single else receipt["on"][:_DAY]
    return receipt["giver"], receipt["receiver"], day


def counting_receipts(thread: Thread, about: bytes) -> dict[Occurrence, bytes]:
    """The receipt that counts for each occurrence of an agreement: of the confirmed ones the lowest
    (time, id). For an attendance, of those about all attendances of its activity (R-17.15).
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
    """The last day up to today for which there is no confirmed receipt."""
    signed = _signed_days(thread, agreement)
    past = [day for day in days_of(thread, agreement) if day <= today]
    return next((day for day in reversed(past) if day not in signed), None)


def is_all_signed(thread: Thread, agreement: View) -> bool:
    """Whether both have signed for all of an agreement: of what repeats, for each of its days."""
    signed = _signed_days(thread, agreement)
    if not agreement["repeats"]:
        return bool(signed)
    days = days_of(thread, agreement)
    return bool(days) and signed.issuperset(days)


def check_unsigned(thread: Thread, agreement: View, on: str) -> None:
    """Raises Refused for a moment at which it does not take place, or for which both signed."""
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
    """The days of an agreement for which there is a confirmed receipt; None where it is single."""
    return {day for _, _, day in counting_receipts(thread, agreement["id"])}
