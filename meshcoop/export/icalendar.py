"""Writes a person's diary as an iCalendar file (RFC 5545). People can import this file into a
calendar or print it.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from icalendar import Calendar, Event, vRecur

from meshcoop.export.observances import make_timezone
from protocol.recurrence import occurrence_days, occurrence_start
from protocol.time_zones import find_zone

Row = dict[str, Any]  # an entry of the diary, as the local API shows it

_DAY_LENGTH = len("2026-11-23")
_LAST_SECOND = time(23, 59, 59)


def encode_calendar(entries: Iterable[Row], timezone: str | None) -> bytes:
    """Returns the bytes of an iCalendar file with these entries. If `timezone` is None, the times
    have no zone, and calendars take them as local times.
    """
    zone = find_zone(timezone)
    events = [event for entry in entries for event in _make_events(entry, zone)]
    calendar = Calendar()
    calendar.add("prodid", "-//meshcoop//diary//EN")
    calendar.add("version", "2.0")
    if zone and events:
        calendar.add_component(make_timezone(zone, min(event.start.year for event in events)))
    for event in events:
        calendar.add_component(event)
    data: bytes = calendar.to_ical()
    return data


def _make_events(entry: Row, zone: tzinfo | None) -> Iterator[Event]:
    """Makes the event of an entry. Then makes a further event for each irregular day of the
    entry.
    """
    start = _parse_start(entry["starts"], zone)
    length = timedelta(minutes=entry["minutes"] or 0)
    event = _make_event(entry)
    if not entry["repeats"]:
        _add_times(event, start, length)
        yield event
        return
    event.add("dtstart", start)
    event.add("rrule", _make_rule(entry, start))
    if length and isinstance(start, datetime):
        event.add("duration", length)
    yield event
    if isinstance(start, datetime) and start.tzinfo:
        yield from _make_irregular_days(entry, start.tzinfo, length)


def _add_times(event: Event, start: date | datetime, length: timedelta) -> None:
    """Adds the times at which an event begins and ends. The event takes place only once."""
    if not isinstance(start, datetime):
        event.add("dtstart", start)
    elif start.tzinfo and _is_irregular(start, length):
        event.add("dtstart", start.astimezone(UTC))
        event.add("dtend", start.astimezone(UTC) + length)
    else:
        event.add("dtstart", start)
        if length:
            event.add("dtend", start + length)


def _make_event(entry: Row) -> Event:
    event = Event()
    event.add("uid", entry["id"])
    event.add("dtstamp", datetime.fromisoformat(entry["created"]))
    event.add("summary", entry["title"])
    event.add("status", entry["state"].upper())
    if entry["area"]:
        event.add("location", entry["area"])
    return event


def _make_irregular_days(entry: Row, zone: tzinfo, length: timedelta) -> Iterator[Event]:
    """Makes an event for each irregular day of a series."""
    for day in occurrence_days(entry["starts"], entry["repeats"]):
        local = datetime.fromisoformat(occurrence_start(entry["starts"], day))
        begin = local.replace(tzinfo=zone)
        if _is_irregular(begin, length):
            event = _make_event(entry)
            event.add("recurrence-id", begin)
            _add_times(event, begin, length)
            yield event


def _is_irregular(start: datetime, length: timedelta) -> bool:
    """Returns True if the clocks change during an event. Also returns True if the event begins or
    ends at a time that the clocks skip or repeat.

    Calendars disagree about such an event. If the times of the event are in UTC, all calendars
    agree.
    """
    # `fold` chooses between the two meanings of a clock time that comes twice, or is skipped.
    edges = [edge.replace(fold=fold) for edge in (start, start + length) for fold in (0, 1)]
    return len({edge.utcoffset() for edge in edges}) > 1


def _parse_start(starts: str, zone: tzinfo | None) -> date | datetime:
    if len(starts) == _DAY_LENGTH:
        return date.fromisoformat(starts)
    start = datetime.fromisoformat(starts)
    return start if start.tzinfo else start.replace(tzinfo=zone)


def _make_rule(entry: Row, start: date | datetime) -> vRecur:
    """Makes the rule of a series. The rule ends with the last day that this program shows for the
    series.
    """
    end = date.fromisoformat(occurrence_days(entry["starts"], entry["repeats"])[-1])
    if isinstance(start, datetime):
        # The rule ends late on that day, because readers disagree about a start that comes twice.
        end = datetime.combine(end, _LAST_SECOND, start.tzinfo)
        if start.tzinfo:
            # RFC 5545 wants this moment in UTC if the start has a time zone.
            end = end.astimezone(UTC)
    rule: vRecur = vRecur.from_ical(entry["repeats"])
    rule.pop("COUNT", None)
    rule["UNTIL"] = [end]
    return rule
