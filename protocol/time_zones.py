"""Time zones, by their names in the tables of the package `tzdata`.

The version of `tzdata` is pinned, and the tables of the machine are not read. So every home with
the same version of this program knows the same zones. Homes with other versions may know other
zones. Because of that, no fold reads a zone. Software reads zones only when it signs, shows or
exports something (R-17.4).
"""

from datetime import UTC
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo

from protocol.local_clock import LocalClock

_MOST_NEAR = 3  # names in a refusal
_LEAST_LIKENESS = 0.6


@cache
def zone_names() -> dict[str, str]:
    """Returns a map of all time zones. It maps each name in small letters to the name itself."""
    names = (_tables() / "zones").read_text(encoding="ascii").split()
    return {name.lower(): name for name in names}


@lru_cache(maxsize=64)
def find_zone(name: str | None) -> ZoneInfo | None:
    """Returns the time zone with this name, or None if there is none."""
    if name is None or zone_names().get(name.lower()) != name:
        return None
    with (_tables() / "zoneinfo" / name).open("rb") as table:
        return ZoneInfo.from_file(table, key=name)


def local_clock(time: int, zone_name: str | None) -> LocalClock:
    """Returns what the clocks of a zone show at a time, in milliseconds since 1970.

    If no zone is named, or if this program does not know the zone, the clocks show UTC (R-10.17).
    """
    return LocalClock(time, find_zone(zone_name) or UTC)


def near_zone_names(typed: str) -> list[str]:
    """Returns names of zones that somebody may have meant by a wrong name.

    A wrong name can be misspelt, or it can be an abbreviation on a clock, such as BST.
    """
    likely = [name for name, shown in _shown_on_clocks().items() if typed.upper() in shown]
    if likely:
        return likely[:_MOST_NEAR]
    cities = {name.rpartition("/")[2]: name for name in zone_names()}
    near = get_close_matches(typed.lower(), [*zone_names(), *cities], _MOST_NEAR, _LEAST_LIKENESS)
    return list(dict.fromkeys(zone_names()[cities.get(name, name)] for name in near))


@cache
def _shown_on_clocks() -> dict[str, frozenset[str]]:
    """Returns the abbreviations that clocks show in each zone now, such as GMT and BST."""
    table = (_tables() / "zoneinfo" / "zone1970.tab").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return {line[2]: _abbreviations(line[2]) for line in lines}


def _abbreviations(name: str) -> frozenset[str]:
    # A table ends with a line for the years to come, such as GMT0BST,M3.5.0/1,M10.5.0.
    last_line = (_tables() / "zoneinfo" / name).read_bytes().split(b"\n")[-2]
    zone = last_line.partition(b",")[0].decode("ascii")
    letters = "".join(sign if sign.isalpha() else " " for sign in zone)
    return frozenset(letters.split())


def _tables() -> Traversable:
    return files("tzdata")
