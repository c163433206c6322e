"""The limits that a relay sets for each neighbourhood (specs/08-relays.md, R-08.8)."""

from dataclasses import dataclass

MEGABYTE = 1024**2


@dataclass(frozen=True)
class RelayLimits:
    """The limits for one neighbourhood at a relay.

    The field `room` is the space for the neighbourhood's records, in bytes. The relay drops sealed
    content when it is older than `days` days, or earlier if the space is full.
    """

    room: int = 1024 * MEGABYTE
    days: int = 400
