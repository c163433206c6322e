"""Days and hours of what people ask and offer, by the local clock of the neighbourhood."""

import re
from datetime import date, datetime, timedelta

_DAY_CHARS = len("2026-11-23")
_RULE_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"BYDAY=([A-Z0-9,+-]+)")
_USUAL_MINUTES = 60  # of what does not say how long it takes

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def days_of(starts: str | None, repeats: str | None) -> frozenset[int] | None:
    """The days of the week, Monday first, on which something is; None if it does not say."""
    found = _BY_DAY.search((repeats or "").upper())
    if found:
        named = [one[-2:] for one in found[1].split(",")]
        return frozenset(_RULE_DAYS.index(one) for one in named if one in _RULE_DAYS) or None
    if starts is None or (repeats and "FREQ=WEEKLY" not in repeats.upper()):
        return None
    return frozenset((date.fromisoformat(starts[:_DAY_CHARS]).weekday(),))


def span(moment: str | None, minutes: int | None) -> tuple[datetime, datetime] | None:
    """From when to when something is, where the hour is known."""
    if moment is None or len(moment) == _DAY_CHARS:
        return None
    begins = datetime.fromisoformat(moment.rstrip("Z"))
    return begins, begins + timedelta(minutes=minutes or _USUAL_MINUTES)


def over(moment: str | None, now: str) -> bool:
    """Whether a moment is past; a day is so once it is over."""
    return moment is not None and now[: len(moment)] > moment.rstrip("Z")


def on_day(moment: str) -> str:
    """A day as people say it."""
    at = date.fromisoformat(moment[:_DAY_CHARS])
    return f"{at.day} {at:%B}"


def told(minutes: int) -> str:
    """A duration as people say it."""
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))
