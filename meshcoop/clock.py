"""The clock of a home. Normally this is the clock of the machine. To try things out, people can set
the home's clock ahead or behind.
"""

import os
import re
import time
from datetime import UTC, datetime

from meshcoop.errors import Mistake

CLOCK_VARIABLE = "MESHCOOP_CLOCK_AHEAD"  # in hours; a number below zero sets the clock behind

_HOURS_PATTERN = re.compile(r"-?[0-9]{1,6}")
_HOUR_MS = 3_600_000


def now() -> int:
    """Returns the time of the home's clock, in milliseconds since 1970.

    Raises Mistake if the environment variable MESHCOOP_CLOCK_AHEAD is not a number of hours.
    """
    ahead = os.environ.get(CLOCK_VARIABLE, "0")
    if not _HOURS_PATTERN.fullmatch(ahead):
        raise Mistake(
            "{clock_variable} is a number of hours, not {ahead!r}; unset it.",
            2,
            clock_variable=CLOCK_VARIABLE,
            ahead=ahead,
        )
    return time.time_ns() // 1_000_000 + int(ahead) * _HOUR_MS


def iso_time(milliseconds: int) -> str:
    """Returns a time as an ISO 8601 text in UTC. The time is given in milliseconds since 1970."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
