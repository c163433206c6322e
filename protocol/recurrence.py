"""Series: the days on which something that repeats takes place (specs/17-activities.md).

Shared state knows days and clocks on the wall only. Time-zone tables differ from machine to machine:
a zone is used where a moment is shown, exported or compared with now.
"""

import re
from datetime import date, datetime, tzinfo
from functools import lru_cache
from itertools import takewhile

from protocol.errors import Refused

YEARS = 10  # for which a series is worked out
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_DAY = len("2026-11-23")

_WEEKDAY = "(MO|TU|WE|TH|FR|SA|SU)"
_NTH = f"([+-]?[1-4])?{_WEEKDAY}"  # a fifth one there is not in every month
_PARTS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "COUNT": "[1-9][0-9]{0,9}",
    "UNTIL": "[0-9]{8}",
    "WKST": _WEEKDAY,
    "BYDAY": f"{_NTH}(,{_NTH})*",
    "BYMONTHDAY": r"[+-]?[1-9][0-9]?(,[+-]?[1-9][0-9]?)*",
    "BYMONTH": r"[1-9][0-2]?(,[1-9][0-2]?)*",
    "BYSETPOS": r"[+-]?[1-4](,[+-]?[1-4])*",
}
_ANY = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
_MORE = {
    "DAILY": frozenset[str](),
    "WEEKLY": frozenset({"BYDAY"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTHDAY", "BYSETPOS"}),
    "YEARLY": frozenset({"BYDAY", "BYMONTHDAY", "BYMONTH"}),
}
_LONGEST = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 11, "YEARLY": YEARS}

_Parts = dict[str, str]


@lru_cache(maxsize=256)
def days(starts: str, repeats: str | None) -> tuple[str, ...]:
    """R-17.2, R-17.3: the local days, as YYYY-MM-DD, of what begins at the local moment `starts` and
    repeats by an RRULE. Raises Refused.
    """
    if starts.endswith("Z"):
        raise Refused("R-17.1", "say when it starts by the clock here, without the Z of UTC")
    first = date.fromisoformat(starts[:_DAY])
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        raise Refused("R-17.1", f"it starts between {_FIRST_YEAR} and {_LAST_YEAR}")
    if repeats is None:
        return (first.isoformat(),)
    _check(_parts(repeats))
    from dateutil.rrule import rrulestr  # late: most commands meet no series

    # Every rule that `_check` lets through names days again and again, so this ends soon.
    rule = rrulestr(repeats, dtstart=datetime.fromisoformat(first.isoformat()))
    last = f"{first.year + YEARS}{first.isoformat()[4:]}"
    found = tuple(takewhile(lambda day: day <= last, (one.date().isoformat() for one in rule)))
    if found[:1] != (first.isoformat(),):
        raise Refused("R-17.3", f"it starts on {first}, which is no day of {repeats}")
    return found


def moment(starts: str, day: str) -> str:
    """The local moment of the occurrence on `day`: the clock on the wall says the same each time."""
    return day + starts[_DAY:]


def instant(local: str, zone: tzinfo) -> int:
    """R-17.4: when a local moment is, in milliseconds. An hour that the change to summer time leaves
    out is counted by the offset before it; of a doubled hour it is the first.
    """
    return int(datetime.fromisoformat(local).replace(tzinfo=zone).timestamp() * 1000)


def _parts(rule: str) -> _Parts:
    found: _Parts = {}
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if name in found or not re.fullmatch(_PARTS.get(name, "(?!)"), value):
            raise _nonsense(f"{part[:40]!r} is not understood here")
        found[name] = value
    return found


def _check(parts: _Parts) -> None:
    """R-17.2: a rule that names days again and again, whatever it starts from."""
    often = parts.get("FREQ")
    if often is None:
        raise _nonsense("it does not say FREQ")
    if foreign := sorted(set(parts) - _ANY - _MORE[often]):
        raise _nonsense(f"{foreign[0]} does not go with {often}")
    if int(parts.get("INTERVAL", 1)) > _LONGEST[often]:
        raise _nonsense(f"INTERVAL is at most {_LONGEST[often]} with {often}")
    if {"COUNT", "UNTIL"} <= set(parts):
        raise _nonsense("COUNT and UNTIL do not go together")
    if "UNTIL" in parts:
        _check_until(parts["UNTIL"])
    _check_month(often, parts)


def _check_until(until: str) -> None:
    try:
        date.fromisoformat(until)
    except ValueError:
        raise _nonsense("there is no such day as UNTIL says") from None


def _check_month(often: str, parts: _Parts) -> None:
    by_day, by_monthday = parts.get("BYDAY"), parts.get("BYMONTHDAY")
    numbered = by_day is not None and any(one.isdigit() for one in by_day)
    if by_day and by_monthday:
        raise _nonsense("BYDAY and BYMONTHDAY do not go together")
    if numbered and (often == "WEEKLY" or "BYSETPOS" in parts):
        raise _nonsense("BYDAY with numbers does not go with WEEKLY or BYSETPOS")
    if "BYSETPOS" in parts and by_day is None:
        raise _nonsense("BYSETPOS needs BYDAY")
    if often == "YEARLY" and ("BYMONTH" in parts) != bool(by_day or by_monthday):
        raise _nonsense("with YEARLY, BYMONTH goes with BYDAY or BYMONTHDAY")
    furthest = max((abs(int(one)) for one in (by_monthday or "1").split(",")), default=1)
    if furthest > (28 if often == "YEARLY" else 31):
        raise _nonsense("BYMONTHDAY is at most 31, and 28 with YEARLY")
    if any(int(one) > 12 for one in parts.get("BYMONTH", "1").split(",")):  # noqa: PLR2004
        raise _nonsense("BYMONTH is at most 12")


def _nonsense(why: str) -> Refused:
    return Refused(
        "R-17.2",
        f"{why}; say how it repeats like FREQ=WEEKLY, FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH or "
        "FREQ=MONTHLY;BYDAY=-1FR",
    )
