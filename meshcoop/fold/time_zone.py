"""The neighbourhood's time zone, for exports and for times on the screen (R-17.4)."""

from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo


def zone_of(charter: Mapping[str, Any]) -> tzinfo:
    """Returns the time zone that the charter names. If the charter names none, or this machine does
    not know the zone, returns the charter's fixed offset from UTC.
    """
    try:
        return ZoneInfo(charter["timezone"] or "")
    except (ValueError, OSError, KeyError):
        return timezone(timedelta(minutes=charter["offset"]))
