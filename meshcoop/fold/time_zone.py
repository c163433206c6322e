"""The neighbourhood's time zone, for exports and for times on the screen (R-17.4)."""

from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo


def zone_of(charter: Mapping[str, Any]) -> tzinfo:
    """Returns the charter's time zone. If this is empty or unknown here, returns the charter's
    offset.
    """
    try:
        return ZoneInfo(charter["timezone"] or "")
    except (ValueError, OSError, KeyError):
        return timezone(timedelta(minutes=charter["offset"]))
