"""Compares the answers during a trial with the answers before it (R-25.9 to R-25.11).

The answers of one window are not independent of each other. So the test compares windows: it ranks
the shares of bad answers, or the numbers of incidents, of all windows before and during the trial.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from protocol.loops.counted_answers import Report, Window
from protocol.loops.exact_tails import rank_sum_tails
from protocol.loops.points import COUNT, Point, Totals, sum_points
from protocol.loops.windows import Calendar, parse_day

FEWEST_WINDOWS = 3  # before and during a trial; with fewer, the test can never say "better"
ENOUGH_WINDOWS = 8  # a shorter trial says beforehand that it rarely shows anything
MOST_WINDOWS = 52
ASSUMED_ANSWERS = 20  # in a window, if nobody has answered yet

_CLEAR = Fraction(1, 20)

# In how many of 100 trials the test finds that bad answers fell from 20 % to 10 %, or incidents from
# 4 to 2 in a window. The answers of one window hang together a little (a correlation of .05). The
# columns are the numbers of windows before and during the trial. `tests/support/trial_power.py`
# makes this table with the test itself.
POWER_WINDOWS = (3, 4, 5, 6, 8, 10, 12, 16)
POWER_BY_ANSWERS: Mapping[int, tuple[int, ...]] = {
    5: (7, 6, 10, 14, 22, 30, 36, 47),
    10: (12, 15, 22, 28, 39, 46, 55, 68),
    20: (18, 24, 32, 41, 54, 64, 70, 82),
    30: (23, 28, 37, 47, 60, 69, 76, 88),
}
POWER_OF_COUNTS: tuple[int, ...] = (22, 31, 42, 52, 67, 78, 85, 93)


class Finding(StrEnum):
    """What the answers of a trial show."""

    BETTER = "trial_better"  # beyond chance
    WORSE = "trial_worse"  # beyond chance
    UNCLEAR = "trial_unclear"  # what differs could be chance
    TOO_FEW = "trial_too_few"  # too few windows have enough answers


class Comparison(NamedTuple):
    """The answers before a trial and during it, and what the exact test finds.

    The test puts the windows into a random order. `better` is the probability that the trial looks
    at least as good in a random order as in the real order. `worse` is the probability that the
    trial looks at least as bad. Both are None if there are too few windows.
    """

    windows_before: int
    windows_during: int
    before: Totals
    during: Totals
    better: Fraction | None
    worse: Fraction | None
    finding: Finding


def windows_of_trial(calendar: Calendar, starts: str, ends: str) -> range:
    """Returns the numbers of the windows that lie wholly within a trial.

    `starts` is the trial's first day, and `ends` is its last day.
    """
    last_before = calendar.window_of_day(parse_day(starts) - 1)
    first_after = calendar.window_of_day(parse_day(ends) + 1)
    return range(last_before + 1, first_after)


def windows_before(trial: range) -> range:
    """Returns the numbers of the windows just before a trial. There are as many of these windows as
    the trial has windows.
    """
    return range(trial.start - len(trial), trial.start)


def compare_windows(
    scale: str,
    windows: Mapping[int, Window],
    trial: range,
    openings: Collection[int],
    least: int,
    is_part: Callable[[Report], bool],
) -> Comparison:
    """Compares the windows of a trial with the windows before it. `is_part` says which answers
    belong to the part where something was tried.

    A window with fewer than `least` people in this part is left out. `openings` are windows that
    opened a matter. They are left out of the windows before the trial, because they were picked for
    being bad.
    """
    chosen = [number for number in windows_before(trial) if number not in openings]
    before = list(_points(scale, windows, chosen, least, is_part))
    during = list(_points(scale, windows, trial, least, is_part))
    better, worse, finding = _test_points(before, during)
    return Comparison(
        len(before), len(during), sum_points(before), sum_points(during), better, worse, finding
    )


def find_power(scale: str, windows: int, answers: int) -> int:
    """Returns in how many of 100 trials the test would find a certain change. Each trial has
    `windows` windows.

    The change is that bad answers fall from 20 % to 10 %, or incidents from 4 to 2 in a window.
    `answers` is the usual number of answers in a window.
    """
    rows = POWER_BY_ANSWERS
    row = POWER_OF_COUNTS
    if scale != COUNT:
        row = rows[max((n for n in rows if n <= answers), default=min(rows))]
    columns = [place for place, count in enumerate(POWER_WINDOWS) if count <= windows]
    return row[columns[-1]] if columns else 0


def _points(
    scale: str,
    windows: Mapping[int, Window],
    numbers: Sequence[int],
    least: int,
    is_part: Callable[[Report], bool],
) -> Iterator[Point]:
    for number in numbers:
        window = windows.get(number)
        point = _part_of(window, is_part).point(scale, least) if window is not None else None
        if point is not None:
            yield point


def _part_of(window: Window, is_part: Callable[[Report], bool]) -> Window:
    answers = [answer for answer in window.answers if is_part(answer)]
    incidents = [incident for incident in window.incidents if is_part(incident.head)]
    return Window(window.number, answers, incidents)


def _test_points(
    before: Sequence[Point], during: Sequence[Point]
) -> tuple[Fraction | None, Fraction | None, Finding]:
    if min(len(before), len(during)) < FEWEST_WINDOWS:
        return None, None, Finding.TOO_FEW
    better, worse = rank_sum_tails(
        [point.rate for point in before], [point.rate for point in during]
    )
    if better <= _CLEAR:
        return better, worse, Finding.BETTER
    return better, worse, Finding.WORSE if worse <= _CLEAR else Finding.UNCLEAR
