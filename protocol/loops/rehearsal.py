"""A rehearsal: what the rules would do with a measure, told before people vote on the measure
(R-20.8).

A rehearsal draws many streets that are like the neighbourhood, and lets the rules of this package
judge each of them. It counts the matters that a year would bring. It also counts the windows that
pass until the rules notice a change for the worse.

A street is a row of windows. Each window has a point (its counted answers), or a gap. The streets
are drawn from the neighbourhood's own points, or from a process that somebody assumes.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import islice
from math import ceil, floor
from statistics import fmean, median
from typing import NamedTuple

from protocol.loops.change_detection import BASELINE, run_change_test
from protocol.loops.matters import QUIET_POINTS
from protocol.loops.points import COUNT, Point, sum_points
from protocol.loops.street_draw import (
    Chance,
    Entry,
    Street,
    Worsening,
    draw_assumed,
    draw_like,
    worsen,
)
from protocol.loops.target_check import MEANS, misses_target

FEWEST_POINTS = 26  # with fewer own points, the ranges of a rehearsal would mislead
FALL = 20  # percent of the answers: the change that a rehearsal looks for on the scale `share`
LEAST_RISE = 2  # incidents in a window: the smallest such change on the scale `count`

_YEAR_DAYS = 365
_YEARS = 2  # so many years of each street are counted
_POINTS_BEFORE = BASELINE[-1] + QUIET_POINTS
_TENTH = 10  # a range leaves out the lowest and the highest tenth
_LEAST_HIGH = 1  # matters in a year: the least upper end of a range from own points


class Process(NamedTuple):
    """A process that somebody assumes, in which every window is like all others.

    `rate` is the percentage of good answers, or the number of incidents in a window. `answers` is
    the number of answers in a window; on the scale `count`, it is 1.
    """

    rate: float
    answers: int


class Case(NamedTuple):
    """What a rehearsal is about: a measure, and the windows to draw from.

    `aim` is the target, as `misses_target` takes it. `days` is the length of a window. If `assumed`
    is None, made-up streets are drawn from `history`.
    """

    scale: str
    aim: int
    days: int
    history: tuple[Entry, ...]
    assumed: Process | None

    @property
    def year(self) -> int:
        """How many windows a year has."""
        return max(1, round(_YEAR_DAYS / self.days))

    @property
    def usual(self) -> Fraction:
        """The usual rate: the percentage of good answers, or the incidents in a window."""
        if self.assumed is not None:
            return Fraction(self.assumed.rate).limit_denominator(100)
        n, bad = sum_points(point for point in self.history if point is not None)
        return Fraction(bad, n) if self.scale == COUNT else Fraction(100 * (n - bad), n)

    @property
    def worsening(self) -> Worsening | None:
        """The change for the worse that a rehearsal looks for (R-20.8e). It is None if the usual
        rate cannot become worse.
        """
        if self.scale == COUNT:
            before = round(float(self.usual), 1)
            return Worsening(self.scale, before, round(before + max(before, LEAST_RISE), 1))
        percent = round(self.usual)
        return Worsening(self.scale, percent, max(0, percent - FALL)) if percent else None

    @property
    def keeps_target(self) -> bool:
        """True if the usual rate of good answers, or of incidents, meets the target."""
        if self.scale == COUNT:
            return self.usual * 1000 <= MEANS[self.aim]
        return self.usual >= self.aim


class Signs(NamedTuple):
    """What the tests say of one window with enough answers."""

    misses_target: bool
    is_worse: bool

    @property
    def needs_attention(self) -> bool:
        """True if these signs open a matter, or join one."""
        return self.misses_target or self.is_worse


class Outcome(NamedTuple):
    """What the rules of the loops did with a measure in one made-up street."""

    matters: tuple[int, ...]  # that opened in each counted year
    delay: int | None  # windows from the change to the sign of it; None: not within a year


class Range(NamedTuple):
    """A range that holds eight of ten made-up streets. If `low` or `high` is None, this end of the
    range is more than a year.
    """

    low: int | None
    high: int | None
    mean: float
    median: float


class Summary:
    """What the rules of the loops did with a measure in several made-up streets, counted
    together.
    """

    def __init__(self, case: Case, outcomes: Sequence[Outcome]) -> None:
        self._case = case
        self._outcomes = outcomes

    @cached_property
    def alarms(self) -> Range:
        """The number of matters in a year."""
        counts = [count for outcome in self._outcomes for count in outcome.matters]
        alarms = _range_of(counts)
        # A matter in every tenth year is more than none, so the range holds the mean (R-20.8h).
        low = min(alarms.low or 0, floor(alarms.mean))
        high = max(alarms.high or 0, ceil(alarms.mean))
        if self._case.assumed is None:
            # The few own points may lack a bad week by chance alone (R-20.8m).
            high = max(high, _LEAST_HIGH)
        return alarms._replace(low=low, high=high)

    @cached_property
    def by_chance(self) -> Range | None:
        """The number of matters in a year that only chance opens. None if nobody can know it
        (R-20.8g).
        """
        is_known = self._case.assumed is not None and self._case.keeps_target
        return self.alarms if is_known else None

    @cached_property
    def delay(self) -> Range | None:
        """The number of windows until the rules notice the change. None if nothing can become
        worse.
        """
        if self._case.worsening is None:
            return None
        never = self._case.year + 1
        delay = _range_of([outcome.delay or never for outcome in self._outcomes])
        return delay._replace(
            low=None if delay.low == never else delay.low,
            high=None if delay.high == never else delay.high,
        )


def replay(case: Case) -> list[int]:
    """Returns where the neighbourhood's own answers would have opened matters, as places in the
    history (R-20.8a).
    """
    places = []
    points: list[Point] = []
    for place, entry in enumerate(case.history):
        if entry is not None:
            points.append(entry)
            places.append(place)
    lengths = range(1, len(points) + 1)
    signs = [_read_signs(case, points[:length]) for length in lengths]
    return [places[number] for number in _openings(signs)]


def rehearse_once(case: Case, chance: Chance) -> Outcome:
    """Draws one made-up street, and returns what the rules say about it."""
    street = _draw_street(case, chance)
    points = list(islice((entry for entry in street if entry is not None), _POINTS_BEFORE))
    signs: list[Signs | None] = [
        _read_signs(case, points[:length]) for length in range(BASELINE[-1] + 1, len(points) + 1)
    ]
    before = signs[-1]
    assert before is not None, "a baseline is followed by points"
    delay = _measure_delay(case, [*points], before, street, chance)
    counted = len(signs)
    for entry in islice(street, _YEARS * case.year):
        if entry is not None:
            points.append(entry)
        signs.append(None if entry is None else _read_signs(case, points))
    opened = [place - counted for place in _openings(signs) if place >= counted]
    years = [place // case.year for place in opened]
    return Outcome(tuple(years.count(year) for year in range(_YEARS)), delay)


def _draw_street(case: Case, chance: Chance) -> Street:
    if case.assumed is not None:
        return draw_assumed(case.scale, case.assumed.rate, case.assumed.answers, chance)
    # Another history of the same length could have been as likely as this one. Without this
    # step, the ranges would treat the few own points as the whole truth (R-20.8c).
    history = tuple(islice(draw_like(case.history, chance), len(case.history)))
    return draw_like(history if any(history) else case.history, chance)


def _read_signs(case: Case, points: Sequence[Point]) -> Signs:
    return Signs(
        misses_target(case.scale, case.aim, points),
        run_change_test(case.scale, points).change == "worse",
    )


def _openings(signs: Iterable[Signs | None]) -> Iterator[int]:
    """Yields the place of each window in which a matter opens (R-20.8b). `signs` has the signs of
    each window, or None for a window without enough answers.
    """
    quiet = QUIET_POINTS
    for place, sign in enumerate(signs):
        if sign is None:
            continue
        if not sign.needs_attention:
            quiet += 1
            continue
        if quiet >= QUIET_POINTS:
            yield place
        quiet = 0


def _measure_delay(
    case: Case, points: list[Point], before: Signs, street: Street, chance: Chance
) -> int | None:
    """Returns how many windows pass until the rules notice a change for the worse (R-20.8f).

    The rules notice the change once they show a sign that they did not show before the change.
    Returns None if the rules do not notice the change within a year.
    """
    change = case.worsening
    if change is None:
        return None
    for window, entry in enumerate(islice(street, case.year), 1):
        if entry is None:
            continue
        points.append(worsen(entry, change, chance))
        now = _read_signs(case, points)
        is_newly_missed = now.misses_target and not before.misses_target
        if is_newly_missed or (now.is_worse and not before.is_worse):
            return window
    return None


def _range_of(values: Sequence[int]) -> Range:
    """Returns the range in which eight of ten of the values lie."""
    ordered = sorted(values)
    last = len(ordered) - 1
    low = ordered[last // _TENTH]
    high = ordered[ceil(last * (_TENTH - 1) / _TENTH)]
    return Range(low, high, round(fmean(ordered), 3), median(ordered))
