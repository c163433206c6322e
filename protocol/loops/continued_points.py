"""Says whether a measure continues an earlier one, so that a new target makes nobody forget the old
points (R-22.12).
"""

from collections.abc import Mapping

from protocol.loops.windows import Calendar

LONGEST_BREAK = 366  # days without points, after which the old points do not count
MOST_TOGETHER = 4  # windows in which people may answer both; more: these are two questions


def continues(
    old: Mapping[int, int], own: Mapping[int, int], posted: int, calendar: Calendar
) -> bool:
    """Returns True if a measure continues an earlier one (R-22.12h, R-22.12i).

    `old` says how many people answered the earlier measure, for each window in which they were
    enough for a point. `own` says the same of the later measure. `posted` is the window in which the
    later measure was posted. All windows are windows of the later measure's `calendar`.
    """
    if not old:
        return False
    first_own = min(own, default=max(old) + 1)
    before = [number for number in old if number < first_own]
    # Few people who go on answering the earlier measure must not hide what it showed.
    together = [
        number for number in old if number >= first_own and 2 * old[number] >= own.get(number, 0)
    ]
    if not before or len(together) > MOST_TOGETHER:
        return False
    last = max(before)
    return (max(first_own, posted) - last - 1) * calendar.days <= LONGEST_BREAK
