"""Local time: what the clocks of a neighbourhood show (R-10.17).

Code that depends on "now" or "today" asks a `LocalClock`. For example, it asks what is over, which
day a form suggests, and how a time is shown. The protocol reads no clock itself. Software hands in
the time and the time zone when it signs or shows something. A fold gets no `LocalClock`, because
time-zone tables differ between versions.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property

_DAY = len("2026-11-23")
_MINUTE = len("2026-11-23T09:30")
_SECOND = len("2026-11-23T09:30:00")
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
_UNITS = {  # the length of a moment → how long it lasts
    _DAY: timedelta(days=1),
    _MINUTE: timedelta(minutes=1),
    _SECOND: timedelta(seconds=1),
}


@dataclass(frozen=True)
class LocalClock:
    """What the clocks of a neighbourhood show at one time.

    `time` is in milliseconds since 1970. `zone` is the time zone that the charter names. A moment
    is a text, such as 2026-11-23 or 2026-11-23T09:30. A moment that ends with "Z" is in UTC.
    """

    time: int
    zone: tzinfo

    @cached_property
    def today(self) -> str:
        """The local day, as YYYY-MM-DD."""
        return self.day_of(self.time)

    @cached_property
    def now(self) -> str:
        """The local day and minute, as YYYY-MM-DDTHH:MM."""
        return write_locally(self.time, self.zone)

    def moved_by(self, days: int) -> "LocalClock":
        """Returns a clock that is `days` days ahead of this clock. `days` may be negative."""
        return LocalClock(self.time + days * _DAY_MS, self.zone)

    @property
    def zone_name(self) -> str:
        """The name of the zone, such as Europe/London."""
        return str(self.zone)

    def day_of(self, time: int) -> str:
        """Returns the local day, as YYYY-MM-DD, at the moment `time` (ms). This moment need not be
        now.
        """
        return write_locally(time, self.zone)[:_DAY]

    def day_in(self, days: int) -> str:
        """Returns the local day that comes `days` days after today, as YYYY-MM-DD."""
        return (date.fromisoformat(self.today) + timedelta(days)).isoformat()

    def to_local(self, moment: str) -> str:
        """Returns a moment as the clocks show it. Only a moment in UTC changes."""
        return to_local(moment, self.zone)

    def has_begun(self, moment: str) -> bool:
        """Returns True if a moment has begun. A day begins with its first minute."""
        return self.time >= start_of(moment, self.zone)

    def is_past(self, moment: str, minutes: int = 0) -> bool:
        """Returns True if a moment is over. A day is over when the next day begins.

        If `minutes` is given, returns True if that many minutes have passed since the moment began.
        A change to or from summer time in between makes no difference.
        """
        if minutes:
            return self.time >= start_of(moment, self.zone) + minutes * _MINUTE_MS
        return self.time >= end_of(moment, self.zone)


def write_locally(time: int, zone: tzinfo) -> str:
    """Returns the local day and minute of a time (ms), as YYYY-MM-DDTHH:MM."""
    return datetime.fromtimestamp(time / 1000, zone).isoformat()[:_MINUTE]


def to_local(moment: str, zone: tzinfo) -> str:
    """Returns a moment as clocks in the zone show it. Only a moment in UTC changes."""
    return write_locally(start_of(moment, zone), zone) if moment.endswith("Z") else moment


def read_time(text: str) -> int:
    """Returns a time, in milliseconds since 1970, that is written in UTC as ISO 8601 with a "Z"."""
    return start_of(text, UTC)


def start_of(moment: str, zone: tzinfo) -> int:
    """Returns the time (ms) at which a moment begins (R-17.4).

    If the change to summer time skips the moment, the offset before the change is used. If the
    moment comes twice in autumn, the first of the two is meant.
    """
    return _to_ms(datetime.fromisoformat(moment.rstrip("Z")), UTC if moment[-1:] == "Z" else zone)


def end_of(moment: str, zone: tzinfo) -> int:
    """Returns the time (ms) at which a moment is over.

    A moment lasts as long as the smallest part that it names: a day, a minute or a second.
    """
    bare = moment.rstrip("Z")
    if len(bare) != _DAY:
        return start_of(moment, zone) + int(_UNITS[len(bare)].total_seconds() * 1000)
    # The clocks may change on this day, so it need not have 24 hours.
    day = date.fromisoformat(bare)
    next_day = day + _UNITS[_DAY] if day < date.max else day
    return start_of(next_day.isoformat(), zone)


def offset_at_start(moment: str, zone: tzinfo) -> int:
    """Returns by how many minutes a zone is ahead of UTC when a local moment begins."""
    return (start_of(moment, UTC) - start_of(moment, zone)) // _MINUTE_MS


def offset_at_end(moment: str, zone: tzinfo) -> int:
    """Returns by how many minutes a zone is ahead of UTC when a local moment is over."""
    return (end_of(moment, UTC) - end_of(moment, zone)) // _MINUTE_MS


def standard_offset(zone: tzinfo, year: int) -> int:
    """Returns by how many minutes a zone is ahead of UTC in a year, outside summer time."""
    return min(offset_at_start(f"{year}-{month}-01", zone) for month in ("01", "07"))


def _to_ms(wall: datetime, zone: tzinfo) -> int:
    return int(wall.replace(tzinfo=zone).timestamp() * 1000)
