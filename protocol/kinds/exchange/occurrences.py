"""The occurrences of an agreement: the days on which it takes place, and what both have signed of
each (specs/13, R-13.13 and R-13.18).
"""

from datetime import UTC, datetime

from protocol import recurrence as series
from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot as pot

Occurrence = tuple[bytes, bytes, str | None]  # giver, receiver and, where it repeats, the day

_DAY = len("2026-11-23")
_MONDAY = "2024-01-01"  # stands for a beginning that nobody has named


def is_day_over(thread: Thread, entry: Entry, until: str | None) -> bool:
    """Whether the day of a moment is over at the time of a record, by the charter's offset."""
    offset = int(thread.authority.charter["offset"]) * 60
    day = datetime.fromtimestamp(entry.time // 1000 + offset, UTC).date().isoformat()
    return until is not None and until[:_DAY] < day


def check_rule(starts: str | None, repeats: str | None) -> None:
    """Raises Refused for a rule that is not understood, or of which the beginning is no day."""
    if repeats is None:
        return
    try:
        series.days(starts or _MONDAY, repeats)
    except Refused as refusal:
        if starts or refusal.rule != "R-17.3":
            raise


def days_of(thread: Thread, agreement: View) -> tuple[str, ...]:
    """The days on which it takes place; none where it does not repeat, or nobody can tell."""
    intent = thread.entries.get(agreement["intent"])
    starts = agreement["when"] or (intent.fields.get("starts") if intent else None)
    if not starts or not agreement["repeats"]:
        return ()
    try:
        return series.days(starts, agreement["repeats"])
    except Refused:
        return ()  # signed by software that takes other rules


def occurrence_of(thread: Thread, receipt: View) -> Occurrence:
    """What a receipt is about. Where the agreement cannot be read, each day is one by itself."""
    agreement = thread.entries.get(receipt["about"])
    once = agreement and agreement.kind == "agreement" and agreement.fields.get("repeats") is None
    return receipt["giver"], receipt["receiver"], None if once else receipt["on"][:_DAY]


def counting_receipts(thread: Thread, agreement: bytes) -> dict[Occurrence, bytes]:
    """Of the confirmed receipts of each occurrence the one that counts: the lowest (time, id). Of an
    attendance, those about all attendances of its activity (R-17.15).
    """
    about = thread.entries.get(agreement)
    activity = about.about if about is not None and about.kind == "attendance" else None
    place = b"counting " + (activity or agreement)
    if place not in thread.memo:
        found: dict[Occurrence, bytes] = {}
        receipts = (
            pot.receipts_of_activity(thread, activity)
            if activity
            else thread.linked_views("receipt", "about", agreement)
        )
        for one in sorted(receipts, key=lambda view: (view["created"], view["id"])):
            if "confirmed" in thread.marks[one["id"]]:
                found.setdefault(occurrence_of(thread, one), one["id"])
        thread.memo[place] = found
    known: dict[Occurrence, bytes] = thread.memo[place]
    return known


def last_unsigned_day(thread: Thread, agreement: View, today: str) -> str | None:
    """The last day up to today for which there is no confirmed receipt."""
    signed = {day for _, _, day in counting_receipts(thread, agreement["id"])}
    past = (day for day in reversed(days_of(thread, agreement)) if day <= today)
    return next((day for day in past if day not in signed), None)


def is_all_signed(thread: Thread, agreement: View) -> bool:
    """Whether both have signed for all of it: of what repeats, for each of its days."""
    signed = {day for _, _, day in counting_receipts(thread, agreement["id"])}
    if not agreement["repeats"]:
        return bool(signed)
    known = days_of(thread, agreement)
    return bool(known) and signed.issuperset(known)


def check_unsigned(thread: Thread, agreement: View, on: str) -> None:
    """Raises Refused for a moment at which it does not take place, or for which both signed."""
    day, known = on[:_DAY], days_of(thread, agreement)
    if known and day not in known:
        raise Refused("R-13.18", f"it does not take place on {day}; name a day with `--on`")
    if any(day == signed for _, _, signed in counting_receipts(thread, agreement["id"])):
        raise Refused("R-13.10", f"there is a confirmed receipt for {day} already")
