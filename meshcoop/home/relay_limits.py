"""The limits that a relay sets for each neighbourhood (specs/08-relays.md, R-08.8)."""

from dataclasses import dataclass

MEGABYTE = 1024**2


@dataclass(frozen=True)
class RelayLimits:
    """The limits for one neighbourhood at a relay.

    `room` is the space for the neighbourhood's records, in bytes. The relay drops sealed content
    that is older than `days` days. If the space is full, the relay drops sealed content earlier.
    """

    room: int = 1024 * MEGABYTE
    days: int = 400
