"""The neighbourhood's time zone, for what is shown beside the time now and for exports (R-17.4)."""

from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo


def zone_of(charter: Mapping[str, Any]) -> tzinfo:
    """The charter's time zone, or its offset where the zone is empty or unknown here."""
    try:
        return ZoneInfo(charter["timezone"] or "")
    except (ValueError, OSError, KeyError):
        return timezone(timedelta(minutes=charter["offset"]))
