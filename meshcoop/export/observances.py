"""The part of an iCalendar file that says how a time zone changes its clocks (RFC 5545, 3.6.5).

The `icalendar` package can only list the changes one by one, up to 2038, and several readers skip
all but the first of them. So this module works out the rule that the changes follow, such as "the
last Sunday in March". A zone whose changes follow no such rule gets one entry for each change.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

_YEARS = 28  # after so many years, each date falls on the same weekday again
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEK = 7
_EPOCH = datetime.fromisoformat("1970-01-01")


class _Clock(NamedTuple):
    """What the clocks of a zone show between two changes."""

    offset: timedelta  # from UTC
    name: str
    is_summer_time: bool


class _Change(NamedTuple):
    """A change of the clocks of a zone."""

    moment: datetime  # by the clock before the change
    before: _Clock
    after: _Clock


def make_timezone(zone_id: str, first_year: int) -> Timezone:
    """Describes the time zone with the IANA name `zone_id`, for events from `first_year` on."""
    zone = ZoneInfo(zone_id)
    component = Timezone()
    component.add("tzid", zone_id)
    # The year before tells which clock holds at the start of the first year.
    changes = list(_find_changes(zone, first_year - 1))
    if not changes:
        clock = _clock_at(zone, datetime(first_year, 1, 1, tzinfo=UTC))
        changes = [_Change(_EPOCH, clock, clock)]
    by_clocks: defaultdict[tuple[_Clock, _Clock, int], list[_Change]] = defaultdict(list)
    for change in changes:
        by_clocks[change.before, change.after, change.moment.month].append(change)
    for alike in by_clocks.values():
        rule = _find_rule([change.moment for change in alike])
        if rule is not None:
            # Some readers take a zone for UTC if its rules begin late and its winter is that of UTC.
            # So the rules begin in 1970, with the date that they have again after each cycle.
            cycle_start = next(
                change for change in alike if (change.moment.year - 1970) % _YEARS == 0
            )
            first_moment = cycle_start.moment.replace(year=1970)
            component.add_component(_make_observance(cycle_start, first_moment, rule))
        else:
            for change in alike:
                component.add_component(_make_observance(change, change.moment, None))
    return component


def _make_observance(
    change: _Change, moment: datetime, rule: str | None
) -> TimezoneDaylight | TimezoneStandard:
    observance = TimezoneDaylight() if change.after.is_summer_time else TimezoneStandard()
    observance.add("dtstart", moment)
    observance.add("tzoffsetfrom", change.before.offset)
    observance.add("tzoffsetto", change.after.offset)
    observance.add("tzname", change.after.name)
    if rule is not None:
        observance.add("rrule", vRecur.from_ical(rule))
    return observance


def _clock_at(zone: ZoneInfo, moment: datetime) -> _Clock:
    local = moment.astimezone(zone)
    return _Clock(local.utcoffset() or timedelta(), local.tzname() or "", bool(local.dst()))


def _find_changes(zone: ZoneInfo, first_year: int) -> Iterator[_Change]:
    """Yields the changes of the clocks in the years from `first_year` on, in their order."""
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    end = datetime(first_year + _YEARS + 1, 1, 1, tzinfo=UTC)
    days = (start + timedelta(days=number) for number in range((end - start).days))
    for day, next_day in pairwise(days):
        if _clock_at(zone, day) != _clock_at(zone, next_day):
            yield _find_change(zone, day, next_day)


def _find_change(zone: ZoneInfo, early: datetime, late: datetime) -> _Change:
    """Returns the change between two moments, which lie a day apart. It is on a full second."""
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
    """Returns the RRULE that gives these moments, one for each year.

    Returns None if there is no such rule, or if there are too few moments to see one. All moments
    are in the same month.
    """
    if len(moments) < _YEARS or len({moment.year for moment in moments}) < len(moments):
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
