"""The part of an iCalendar file about a time zone (RFC 5545, 3.6.5). It says when the zone changes
its clocks.

The `icalendar` package can only list the changes one by one, up to 2038. Some calendars use only
the first change of such a list. So this module finds the rule behind the changes, such as "the last
Sunday in March". If the changes of a zone follow no such rule, each change gets an entry.
"""

from calendar import monthrange
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

_FIRST_YEAR = 1970  # the first in which an event may start
_LAST_YEAR = 2100  # the last for which single changes are listed
_CYCLE = 28  # after so many years, each date falls on the same weekday again
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEK = 7


class _Clock(NamedTuple):
    """The time that the clocks of a zone show between two changes."""

    offset: timedelta  # from UTC
    name: str
    is_summer_time: bool


class _Change(NamedTuple):
    """One change of the clocks of a zone."""

    moment: datetime  # by the clock before the change
    before: _Clock
    after: _Clock


def make_timezone(zone: ZoneInfo, first_year: int) -> Timezone:
    """Describes a time zone for a calendar file. The description covers events from `first_year`
    on.
    """
    component = Timezone()
    component.add("tzid", zone.key)
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    clock = _clock_at(zone, start)
    # Some readers take a zone for UTC before its first change. So a clock comes before all changes.
    first = _Change(start.replace(year=_FIRST_YEAR, tzinfo=None), clock, clock)
    component.add_component(_make_observance(first, None))
    by_clocks: defaultdict[tuple[_Clock, _Clock, int], list[_Change]] = defaultdict(list)
    for change in _find_changes(zone):
        if change.moment.year >= first_year:
            by_clocks[change.before, change.after, change.moment.month].append(change)
    for alike in by_clocks.values():
        single, regular, rule = _split(alike)
        for change in single:
            component.add_component(_make_observance(change, None))
        if rule:
            component.add_component(_make_observance(regular[0], rule))
    return component


def _split(changes: list[_Change]) -> tuple[list[_Change], list[_Change], str | None]:
    """Splits a list of changes into two parts. The first part has single changes. The changes in
    the second part follow a rule. Returns both parts and this rule.

    The given changes are in the order of time.
    """
    moments = [change.moment for change in changes]
    for number in range(len(changes)):
        rule = _find_rule(moments[number:])
        if rule:
            return changes[:number], changes[number:], rule
    return changes, [], None


def _make_observance(change: _Change, rule: str | None) -> TimezoneDaylight | TimezoneStandard:
    observance = TimezoneDaylight() if change.after.is_summer_time else TimezoneStandard()
    observance.add("dtstart", change.moment)
    observance.add("tzoffsetfrom", change.before.offset)
    observance.add("tzoffsetto", change.after.offset)
    observance.add("tzname", change.after.name)
    if rule is not None:
        observance.add("rrule", vRecur.from_ical(rule))
    return observance


def _clock_at(zone: ZoneInfo, moment: datetime) -> _Clock:
    local = moment.astimezone(zone)
    return _Clock(local.utcoffset() or timedelta(), local.tzname() or "", bool(local.dst()))


@cache
def _find_changes(zone: ZoneInfo) -> tuple[_Change, ...]:
    """Lists the changes of a zone's clocks in the order of time."""
    start = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    # No zone changes its clocks twice in a week.
    weeks = [start + timedelta(days=number) for number in range(0, (end - start).days, _WEEK)]
    clocks = [_clock_at(zone, week) for week in weeks]
    return tuple(
        _find_change(zone, weeks[number], weeks[number + 1])
        for number, (clock, next_clock) in enumerate(pairwise(clocks))
        if clock != next_clock
    )


def _find_change(zone: ZoneInfo, early: datetime, late: datetime) -> _Change:
    """Returns the clock change between two moments, which are a week apart. The change happens on a
    full second.
    """
    before = _clock_at(zone, early)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if _clock_at(zone, middle) == before:
            early = middle
        else:
            late = middle
    local = (late + before.offset).replace(tzinfo=None)
    return _Change(local, before, _clock_at(zone, late))


def _find_rule(moments: list[datetime]) -> str | None:
    """Returns the RRULE that gives these moments. There is one moment in each year, always in the
    same month.

    Returns None if the moments follow no rule, if the rule has ended, or if there are too few
    moments.
    """
    years = [moment.year for moment in moments]
    if len(years) < _CYCLE or years != list(range(years[0], _LAST_YEAR + 1)):
        return None
    if len({(moment.weekday(), moment.time()) for moment in moments}) > 1:
        return None
    first = moments[0]
    weekday = _WEEKDAYS[first.weekday()]
    rule = f"FREQ=YEARLY;BYMONTH={first.month}"
    if all(moment.day + _WEEK > monthrange(moment.year, moment.month)[1] for moment in moments):
        return f"{rule};BYDAY=-1{weekday}"
    earliest = min(moment.day for moment in moments)
    if max(moment.day for moment in moments) - earliest >= _WEEK:
        return None
    if earliest % _WEEK == 1:
        return f"{rule};BYDAY={earliest // _WEEK + 1}{weekday}"
    days = ",".join(str(day) for day in range(earliest, earliest + _WEEK))
    return f"{rule};BYDAY={weekday};BYMONTHDAY={days}"
