"""Writes a person's diary as an iCalendar file (RFC 5545), to import into a calendar or to
print.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vRecur

Row = dict[str, Any]  # an entry of the diary, as the local API shows it

_DAY_LENGTH = len("2026-11-23")


def encode_calendar(entries: Iterable[Row], timezone: str | None) -> bytes:
    """Returns the bytes of an iCalendar file with these entries. If `timezone` is None, the times
    have no zone, and each reader takes them as local times.
    """
    zone = ZoneInfo(timezone) if timezone else None
    calendar = Calendar()
    calendar.add("prodid", "-//meshcoop//diary//EN")
    calendar.add("version", "2.0")
    for entry in entries:
        calendar.add_component(_make_event(entry, zone))
    calendar.add_missing_timezones()
    data: bytes = calendar.to_ical()
    return data


def _make_event(entry: Row, zone: tzinfo | None) -> Event:
    event = Event()
    event.add("uid", entry["id"])
    event.add("dtstamp", datetime.fromisoformat(entry["created"]))
    event.add("summary", entry["title"])
    event.add("status", entry["state"].upper())
    event.add("dtstart", _parse_start(entry["starts"], zone))
    if entry["minutes"] and len(entry["starts"]) > _DAY_LENGTH:
        event.add("duration", timedelta(minutes=entry["minutes"]))
    if entry["area"]:
        event.add("location", entry["area"])
    if entry["repeats"]:
        event.add("rrule", _make_rule(entry["repeats"], entry["starts"], zone))
    return event


def _parse_start(starts: str, zone: tzinfo | None) -> date | datetime:
    if len(starts) == _DAY_LENGTH:
        return date.fromisoformat(starts)
    start = datetime.fromisoformat(starts)
    return start if start.tzinfo else start.replace(tzinfo=zone)


def _make_rule(repeats: str, starts: str, zone: tzinfo | None) -> vRecur:
    """Makes the rule by which an event repeats. If the event's start has a time zone, the end of
    the repetition is converted to UTC, as RFC 5545 requires.
    """
    rule: vRecur = vRecur.from_ical(repeats)
    if "UNTIL" in rule:
        start = _parse_start(starts, zone)
        last_day = date.fromisoformat(repeats.partition("UNTIL=")[2][: len("20261123")])
        if isinstance(start, datetime):
            end = datetime.combine(last_day, time.max.replace(microsecond=0), start.tzinfo)
            rule["UNTIL"] = [end.astimezone(UTC) if start.tzinfo else end]
        else:
            rule["UNTIL"] = [last_day]
    return rule
