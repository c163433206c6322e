"""The limits of what one neighbourhood may use of a relay (specs/08-relays.md, R-08.8)."""

from dataclasses import dataclass

MEGABYTE = 1024**2


@dataclass(frozen=True)
class RelayLimits:
    """The limits of one neighbourhood. `room` in bytes; `days`: sealed content is kept so long, at
    least.
    """

    room: int = 1024 * MEGABYTE
    days: int = 400
