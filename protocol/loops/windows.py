"""Windows: runs of days. The answers to a measure are counted together in a window (R-22.2)."""

from datetime import date
from typing import NamedTuple

DAY_MS = 86_400_000
_MINUTE_MS = 60_000
_DAY_MINUTES = 1440
_MONDAY = 4  # days from 1970-01-01 to the first Monday after it
_EPOCH = date(1970, 1, 1).toordinal()


class Calendar(NamedTuple):
    """The calendar of a measure, which divides time into numbered windows.

    Each window has `days` days. Each of its days begins `offset` minutes before the day of the same
    date begins in UTC.
    """

    days: int
    offset: int

    def day_at(self, time: int) -> int:
        """Returns the day at `time` (ms), as the number of days since 1970-01-01."""
        return (time // _MINUTE_MS + self.offset) // _DAY_MINUTES

    def window_of_day(self, day: int) -> int:
        """Returns the number of the window that contains this day.

        If windows have seven days, they begin on Mondays.
        """
        return (day - _MONDAY) // self.days

    def window_at(self, time: int) -> int:
        """Returns the number of the window that contains this time (ms)."""
        return self.window_of_day(self.day_at(time))

    def window_start(self, window: int) -> int:
        """Returns the time at which a window begins, in ms."""
        return ((window * self.days + _MONDAY) * _DAY_MINUTES - self.offset) * _MINUTE_MS

    def first_day(self, window: int) -> str:
        """Returns the first day of a window, as YYYY-MM-DD."""
        return format_day(window * self.days + _MONDAY)


def parse_day(text: str) -> int:
    """Reads a day YYYY-MM-DD as a number of days since 1970-01-01."""
    return date.fromisoformat(text).toordinal() - _EPOCH


def format_day(day: int) -> str:
    """Writes a number of days since 1970-01-01 as YYYY-MM-DD. A day before the year 1 becomes the
    first day of that year, and a day after the year 9999 the last of that year: records can name these days,
    and windows go beyond them.
    """
    ordinal = min(max(date.min.toordinal(), _EPOCH + day), date.max.toordinal())
    return date.fromordinal(ordinal).isoformat()
