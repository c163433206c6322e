"""What the clocks of a neighbourhood show, for tests."""

from datetime import UTC

from protocol.local_clock import LocalClock, start_of
from protocol.time_zones import find_zone


def clock_at(moment, zone=None):
    """Returns the clock of a neighbourhood at a local moment. Without the name of a zone, it shows
    UTC.
    """
    tables = find_zone(zone) or UTC
    return LocalClock(start_of(moment, tables), tables)
