"""Works with the days and hours of requests and offers, by the neighbourhood's local clock.

A moment is written in ISO 8601. It is a day, such as 2026-11-23, or a day with an hour.
"""

import re
from datetime import date, datetime, timedelta

_DAY_CHARS = len("2026-11-23")
_RULE_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"BYDAY=([A-Z0-9,+-]+)")
_DEFAULT_MINUTES = 60  # for a post that does not say how long it takes

TimeSpan = tuple[datetime, datetime]


def weekdays_of(starts: str | None, repeats: str | None) -> frozenset[int] | None:
    """Returns the weekdays of a post, with 0 for Monday. Returns None if the post names no
    weekdays. `repeats` is a recurrence rule such as FREQ=WEEKLY;BYDAY=MO.
    """
    rule = (repeats or "").upper()
    by_day = _BY_DAY.search(rule)
    if by_day:
        # A rule may number a day, as in 1MO for the first Monday of a month.
        names = [name[-2:] for name in by_day[1].split(",")]
        return frozenset(_RULE_DAYS.index(name) for name in names if name in _RULE_DAYS) or None
    # Without BYDAY, only a weekly rule keeps the weekday of its first occurrence.
    if starts is None or (rule and "FREQ=WEEKLY" not in rule):
        return None
    return frozenset((date.fromisoformat(starts[:_DAY_CHARS]).weekday(),))


def time_span(moment: str | None, minutes: int | None) -> TimeSpan | None:
    """Returns the start and the end of an appointment. Returns None if the hour of the appointment
    is not known.
    """
    if moment is None or len(moment) == _DAY_CHARS:
        return None
    start = datetime.fromisoformat(moment.rstrip("Z"))
    try:
        return start, start + timedelta(minutes=minutes or _DEFAULT_MINUTES)
    except OverflowError:  # it ends after the year 9999
        return start, start


def is_overlapping(span: TimeSpan, other: TimeSpan) -> bool:
    """Returns whether two appointments overlap."""
    start, end = span
    other_start, other_end = other
    return start < other_end and other_start < end
