"""Says whether a measure continues an earlier one, so that a new target makes nobody forget the old
points (R-22.12).
"""

from collections.abc import Collection

from protocol.loops.windows import Calendar

LONGEST_BREAK = 366  # days without points, after which the old points do not count
MOST_TOGETHER = 4  # windows in which people may answer both; more: these are two questions


def continues(old: Collection[int], own_from: int | None, posted: int, calendar: Calendar) -> bool:
    """Returns True if a measure continues an earlier one.

    `old` are the windows in which the earlier measure has a point. `own_from` is the first window
    in which the later measure has a point. `posted` is the window in which the later measure was
    posted. All windows are windows of the later measure's `calendar`.
    """
    if not old:
        return False
    first_own = max(old) + 1 if own_from is None else own_from
    before = [number for number in old if number < first_own]
    together = len(old) - len(before)
    if not before or together > MOST_TOGETHER:
        return False
    last = max(before)
    return (max(first_own, posted) - last - 1) * calendar.days <= LONGEST_BREAK
