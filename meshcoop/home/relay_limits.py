"""The limits that a relay sets for each neighbourhood (specs/08-relays.md, R-08.8)."""

from dataclasses import dataclass

MEGABYTE = 1024**2


@dataclass(frozen=True)
class RelayLimits:
    """The limits for one neighbourhood at a relay.

    `room` is the space for its records, in bytes. The relay keeps sealed content for at least
    `days` days.
    """

    room: int = 1024 * MEGABYTE
    days: int = 400
