"""Series: the days on which a repeated event takes place (specs/17-activities.md).

The state that all homes share has only days and local clock times, because time-zone tables differ
between machines. Software needs a time zone only to show a moment, to export it or to compare it
with the current time.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import dropwhile, islice, takewhile
from typing import NamedTuple

from protocol.errors import Refused

MAX_YEARS = 10  # how far ahead the days of a series are worked out

_FIRST_YEAR = 1970
_LAST_YEAR = 2199
_DAY = len("2026-11-23")
_MAX_DAYS = 366 * MAX_YEARS
_MONTHS = 12  # of a year

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY = f"({'|'.join(_WEEKDAYS)})"
_NTH_WEEKDAY = f"([+-]?[1-4])?{_WEEKDAY}"  # not every month has a fifth Monday
_PARTS = {  # the parts of an RRULE, each with the pattern of its values
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "COUNT": "[1-9][0-9]{0,9}",
    "UNTIL": "[0-9]{8}",
    "WKST": _WEEKDAY,
    "BYDAY": f"{_NTH_WEEKDAY}(,{_NTH_WEEKDAY})*",
    "BYMONTHDAY": r"[+-]?[1-9][0-9]?(,[+-]?[1-9][0-9]?)*",
    "BYMONTH": r"[1-9][0-2]?(,[1-9][0-2]?)*",
    "BYSETPOS": r"[+-]?[1-4](,[+-]?[1-4])*",
}
_PARTS_OF_ALL = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
_FURTHER_PARTS = {  # FREQ → the other parts that it allows
    "DAILY": frozenset[str](),
    "WEEKLY": frozenset({"BYDAY"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTHDAY", "BYSETPOS"}),
    "YEARLY": frozenset({"BYDAY", "BYMONTHDAY", "BYMONTH"}),
}
_MAX_INTERVAL = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 11, "YEARLY": MAX_YEARS}
_MAX_MONTHDAY = 31
_MAX_MONTHDAY_YEARLY = 28  # every February has this day

_TIMED_UNTIL = re.compile("UNTIL=([0-9]{8}T[0-9]{6}Z?)")

_Rule = dict[str, str]  # part → value


def occurrence_days(starts: str, repeats: str | None) -> tuple[str, ...]:
    """Returns the local days (YYYY-MM-DD) on which an event takes place (R-17.2, R-17.3).

    `starts` is the local moment at which the event first begins. `repeats` is an RRULE of
    iCalendar, or None if the event takes place once. Days more than MAX_YEARS years after the first
    day are left out.

    Raises Refused if `starts` is in UTC or has a year that is out of range. Raises Refused also if
    the RRULE is not understood, or if it leaves out the first day.
    """
    series = _days_or_refusal(starts, repeats)
    if isinstance(series, Refused):
        # Without this, each time that the error is raised makes its traceback longer.
        raise series.with_traceback(None)
    return series


def occurrence_start(starts: str, day: str) -> str:
    """Returns the local moment at which an event begins on `day`.

    `starts` is the local moment at which the event first began. The event begins at the same clock
    time each day.
    """
    return day + starts[_DAY:]


def tidy_rule(repeats: str, starts: str | None, zone: tzinfo) -> str:
    """Rewrites an RRULE from the spelling of a calendar to the spelling of records (R-17.2c).

    `starts` is the local moment at which the event first begins. `zone` is the time zone of the
    neighbourhood. If a part is not understood, it stays as it is, so that a refusal can name it.
    """
    rule = "".join(repeats.upper().split()).removeprefix("RRULE:").strip(";")
    return _TIMED_UNTIL.sub(lambda until: _last_day_until(until, starts or "", zone), rule)


def _last_day_until(until: re.Match[str], starts: str, zone: tzinfo) -> str:
    try:
        end = datetime.fromisoformat(until[1])
    except ValueError:
        return until[0]
    if end.tzinfo is not None:
        end = end.astimezone(zone)
    if end.time().isoformat() < starts[_DAY + 1 :]:
        end -= timedelta(days=1)  # by this time, the event of that day has not begun
    return f"UNTIL={end:%Y%m%d}"


@lru_cache(maxsize=256)
def _days_or_refusal(starts: str, repeats: str | None) -> tuple[str, ...] | Refused:
    """Returns the days of an event, or the reason why it has none.

    Remembers refusals as well as days. So a refused RRULE is not worked out again when its thread
    is folded again.
    """
    try:
        return _work_out_days(starts, repeats)
    except Refused as refusal:
        return refusal.without_frames()


def _work_out_days(starts: str, repeats: str | None) -> tuple[str, ...]:
    if starts.endswith("Z"):
        raise Refused("R-17.1", "say when it starts by the clock here, without the Z of UTC")
    first = date.fromisoformat(starts[:_DAY])
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        raise Refused(
            "R-17.1",
            "it starts between {first_year} and {last_year}",
            first_year=_FIRST_YEAR,
            last_year=_LAST_YEAR,
        )
    if repeats is None:
        return (first.isoformat(),)
    rule = _read_rule(repeats)
    _check_rule(rule)
    ahead = dropwhile(lambda day: day < first, _all_days(first, rule))
    counted = islice(ahead, int(rule["COUNT"]) if "COUNT" in rule else None)
    last = _last_day(first, rule)
    series = tuple(takewhile(lambda day: day <= last, map(date.isoformat, counted)))
    if series[:1] != (first.isoformat(),):
        raise Refused(
            "R-17.3",
            "it starts on {first}, which is no day of {repeats}",
            first=first,
            repeats=repeats,
        )
    return series


def _last_day(first: date, rule: _Rule) -> str:
    """Returns the last day that a series may have. This day need not exist: it can be
    2034-02-29.
    """
    last = f"{first.year + MAX_YEARS}{first.isoformat()[4:]}"
    if "UNTIL" not in rule:
        return last
    return min(last, date.fromisoformat(rule["UNTIL"]).isoformat())


def _all_days(first: date, rule: _Rule) -> Iterator[date]:
    """Yields the days of an RRULE in order, for MAX_YEARS years and a little longer.

    Begins with the week, the month or the year of the first day. So some days may be earlier than
    the first day. Visits each day at most once, so that no RRULE can make the search long
    (R-17.3c).
    """
    interval = int(rule.get("INTERVAL", 1))
    match rule["FREQ"]:
        case "DAILY":
            last_day = first.toordinal() + _MAX_DAYS
            yield from map(date.fromordinal, range(first.toordinal(), last_day, interval))
        case "WEEKLY":
            yield from _days_of_weeks(first, rule, interval)
        case "MONTHLY":
            in_month = _MonthRule.of(first, rule)
            for months in range(0, _MONTHS * MAX_YEARS + 1, interval):
                years, month = divmod(first.month - 1 + months, _MONTHS)
                yield from in_month.days(first.year + years, month + 1)
        case "YEARLY":
            in_month = _MonthRule.of(first, rule)
            months_of_year = sorted(set(_numbers(rule.get("BYMONTH", str(first.month)))))
            for year in range(first.year, first.year + MAX_YEARS + 1, interval):
                for month in months_of_year:
                    yield from in_month.days(year, month)


def _days_of_weeks(first: date, rule: _Rule, interval: int) -> Iterator[date]:
    listed = rule.get("BYDAY", _WEEKDAYS[first.weekday()]).split(",")
    first_weekday = _WEEKDAYS.index(rule.get("WKST", _WEEKDAYS[0]))
    days_into_week = sorted({(_WEEKDAYS.index(name) - first_weekday) % 7 for name in listed})
    first_week = first.toordinal() - (first.weekday() - first_weekday) % 7
    for week in range(first_week, first.toordinal() + _MAX_DAYS, 7 * interval):
        for days in days_into_week:
            yield date.fromordinal(week + days)


class _MonthRule(NamedTuple):
    """The parts of an RRULE that choose days within a month."""

    weekdays: frozenset[tuple[int, int]]  # a weekday, and its number in the month or 0 for all
    monthdays: frozenset[int]
    places: frozenset[int]  # among the days of the month that the other parts choose

    @classmethod
    def of(cls, first: date, rule: _Rule) -> "_MonthRule":
        """Reads the parts of an RRULE. If they choose no days, the day of `first` is chosen."""
        if "BYDAY" in rule:
            items = rule["BYDAY"].split(",")
            weekdays = frozenset(
                (_WEEKDAYS.index(item[-2:]), int(item[:-2] or 0)) for item in items
            )
            places = frozenset(_numbers(rule["BYSETPOS"]) if "BYSETPOS" in rule else ())
            return cls(weekdays, frozenset(), places)
        monthdays = frozenset(_numbers(rule.get("BYMONTHDAY", str(first.day))))
        return cls(frozenset(), monthdays, frozenset())

    def days(self, year: int, month: int) -> Iterator[date]:
        """Yields the chosen days of one month, in order (R-17.3b)."""
        first_weekday, length = monthrange(year, month)
        chosen = {number if number > 0 else length + 1 + number for number in self.monthdays}
        for weekday, number in self.weekdays:
            same_weekday = range(1 + (weekday - first_weekday) % 7, length + 1, 7)
            if number == 0:
                chosen.update(same_weekday)
            else:  # every month has each weekday at least four times
                chosen.add(same_weekday[number - 1 if number > 0 else number])
        in_order = sorted(day for day in chosen if 1 <= day <= length)
        for place, day in enumerate(in_order, start=1):
            if not self.places or not self.places.isdisjoint({place, place - len(in_order) - 1}):
                yield date(year, month, day)


def _numbers(listed: str) -> list[int]:
    return [int(number) for number in listed.split(",")]


def _read_rule(text: str) -> _Rule:
    """Splits an RRULE into its parts, and returns the value of each part by its name.

    Raises Refused (R-17.2) if a part comes twice or is not understood here.
    """
    rule: _Rule = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        pattern = _PARTS.get(name)
        if name in rule or pattern is None or not re.fullmatch(pattern, value):
            raise _not_understood(f"{part[:40]!r} is not understood here")
        rule[name] = value
    return rule


def _check_rule(rule: _Rule) -> None:
    """Raises Refused (R-17.2) if a part of an RRULE is wrong, or if its parts do not fit together.

    After this check, every part has a meaning, no matter what the first day is.
    """
    frequency = rule.get("FREQ")
    if frequency is None:
        raise _not_understood("it does not say FREQ")
    if foreign := sorted(set(rule) - _PARTS_OF_ALL - _FURTHER_PARTS[frequency]):
        raise _not_understood(f"{foreign[0]} does not go with {frequency}")
    if int(rule.get("INTERVAL", 1)) > _MAX_INTERVAL[frequency]:
        raise _not_understood(f"INTERVAL is at most {_MAX_INTERVAL[frequency]} with {frequency}")
    if {"COUNT", "UNTIL"} <= set(rule):
        raise _not_understood("COUNT and UNTIL do not go together")
    if "UNTIL" in rule:
        _check_until(rule["UNTIL"])
    _check_combinations(frequency, rule)
    _check_numbers(frequency, rule)


def _check_until(until: str) -> None:
    """Raises Refused (R-17.2) if the day `until` (YYYYMMDD) does not exist, such as 20260230."""
    try:
        date.fromisoformat(until)
    except ValueError:
        raise _not_understood("there is no such day as UNTIL says") from None


def _check_combinations(frequency: str, rule: _Rule) -> None:
    """Raises Refused (R-17.2) if two parts of an RRULE do not go together."""
    weekdays = rule.get("BYDAY")
    monthdays = rule.get("BYMONTHDAY")
    is_numbered = weekdays is not None and any(character.isdigit() for character in weekdays)
    if weekdays and monthdays:
        raise _not_understood("BYDAY and BYMONTHDAY do not go together")
    if is_numbered and (frequency == "WEEKLY" or "BYSETPOS" in rule):
        raise _not_understood("BYDAY with numbers does not go with WEEKLY or BYSETPOS")
    if "BYSETPOS" in rule and weekdays is None:
        raise _not_understood("BYSETPOS needs BYDAY")
    if frequency == "YEARLY" and ("BYMONTH" in rule) != bool(weekdays or monthdays):
        raise _not_understood("with YEARLY, BYMONTH goes with BYDAY or BYMONTHDAY")


def _check_numbers(frequency: str, rule: _Rule) -> None:
    """Raises Refused (R-17.2) if the number of a month, or of a day of a month, is too high."""
    monthdays = [abs(day) for day in _numbers(rule.get("BYMONTHDAY", "1"))]
    if max(monthdays) > (_MAX_MONTHDAY_YEARLY if frequency == "YEARLY" else _MAX_MONTHDAY):
        raise _not_understood("BYMONTHDAY is at most 31, and 28 with YEARLY")
    if max(_numbers(rule.get("BYMONTH", "1"))) > _MONTHS:
        raise _not_understood("BYMONTH is at most 12")


def _not_understood(why: str) -> Refused:
    return Refused(
        "R-17.2",
        (
            "{why}; say how it repeats like FREQ=WEEKLY, "
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH or FREQ=MONTHLY;BYDAY=-1FR"
        ),
        why=why,
    )
