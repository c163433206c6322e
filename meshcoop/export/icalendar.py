"""A diary as an iCalendar file (RFC 5545), for the calendar on a telephone or a kitchen wall."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vRecur

Shown = dict[str, Any]

_DAY = len("2026-11-23")


def written(entries: Iterable[Shown], timezone: str | None) -> bytes:
    """The file. Without a time zone the clock on the wall counts, wherever that hangs."""
    zone = ZoneInfo(timezone) if timezone else None
    calendar = Calendar()
    calendar.add("prodid", "-//meshcoop//diary//EN")
    calendar.add("version", "2.0")
    for one in entries:
        calendar.add_component(_event(one, zone))
    calendar.add_missing_timezones()
    found: bytes = calendar.to_ical()
    return found


def _event(one: Shown, zone: tzinfo | None) -> Event:
    event = Event()
    event.add("uid", one["id"])
    event.add("dtstamp", datetime.fromisoformat(one["created"]))
    event.add("summary", one["title"])
    event.add("status", one["state"].upper())
    event.add("dtstart", _begins(one["starts"], zone))
    if one["minutes"] and len(one["starts"]) > _DAY:
        event.add("duration", timedelta(minutes=one["minutes"]))
    if one["area"]:
        event.add("location", one["area"])
    if one["repeats"]:
        event.add("rrule", _rule(one["repeats"], one["starts"], zone))
    return event


def _begins(starts: str, zone: tzinfo | None) -> date | datetime:
    if len(starts) == _DAY:
        return date.fromisoformat(starts)
    begins = datetime.fromisoformat(starts)
    return begins if begins.tzinfo else begins.replace(tzinfo=zone)


def _rule(repeats: str, starts: str, zone: tzinfo | None) -> vRecur:
    """The rule, its last day said as RFC 5545 wants it: in UTC where the beginning has a zone."""
    rule: vRecur = vRecur.from_ical(repeats)
    if "UNTIL" in rule:
        begins = _begins(starts, zone)
        last = date.fromisoformat(repeats.partition("UNTIL=")[2][: len("20261123")])
        if isinstance(begins, datetime):
            end = datetime.combine(last, time.max.replace(microsecond=0), begins.tzinfo)
            rule["UNTIL"] = [end.astimezone(UTC) if begins.tzinfo else end]
        else:
            rule["UNTIL"] = [last]
    return rule
