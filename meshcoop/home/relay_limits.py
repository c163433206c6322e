"""The limits for one neighbourhood at a relay (specs/08-relays.md, R-08.8)."""

from dataclasses import dataclass

MEGABYTE = 1024**2


@dataclass(frozen=True)
class RelayLimits:
    """The limits for one neighbourhood. `room` is in bytes. Sealed content is kept for at least
    `days`.
    """

    room: int = 1024 * MEGABYTE
    days: int = 400
