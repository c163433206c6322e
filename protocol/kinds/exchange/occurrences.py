"""The occurrences of an agreement (specs/13, R-13.13 and R-13.18).

An occurrence is one day on which the agreement takes place.
"""

from protocol import recurrence
from protocol.errors import Refused

_MONDAY = "2024-01-01"  # is used if nobody has named the first day


def check_rule(starts: str | None, repeats: str | None) -> None:
    """Raises Refused if the RRULE `repeats` is not understood, or if its days do not include
    `starts`.
    """
    if repeats is None:
        return
    try:
        recurrence.occurrence_days(starts or _MONDAY, repeats)
    except Refused as refusal:
        # Without `starts`, _MONDAY is only an example. The RRULE may leave out that day.
        if starts or refusal.rule != "R-17.3":
            raise


def days_of(starts: str | None, repeats: str | None) -> tuple[str, ...]:
    """Returns the days on which something that repeats takes place.

    Returns no days if it does not repeat, or if its days cannot be worked out.
    """
    if not starts or not repeats:
        return ()
    try:
        return recurrence.occurrence_days(starts, repeats)
    except Refused:
        return ()  # other software, which accepts other rules, signed it
