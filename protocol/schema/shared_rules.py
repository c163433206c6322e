"""Rules for forms on the screen. They belong to no field of any kind of record."""

from datetime import date, timedelta

from protocol.schema.fields import Text

# A street address goes directly from home to home. It is never in a record.
ADDRESS = Text(
    required=True, min=1, max=500, help="street, number, floor, and how to find the door"
)
MERGEABLE_DAYS = 14  # days between two reports of one incident, at most
_A_MONDAY = date(1970, 1, 5)  # a window begins on this day, whatever its length (R-22.2a)


def window_begin(day: str, length: int) -> str:
    """Returns the first day of the window in which the day `day` lies. Each window has `length`
    days.
    """
    into_window = (date.fromisoformat(day) - _A_MONDAY).days % length
    return (date.fromisoformat(day) - timedelta(days=into_window)).isoformat()
