"""Draws made-up streets for a rehearsal of a measure (R-20.8).

A street is a row of windows. Each window has a point (its counted answers), or a gap.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from protocol.loops.points import COUNT, Point

MEAN_BLOCK = 8  # windows that stay together on average

Entry = Point | None  # the point of a window, or None for a gap
Street = Iterator[Entry]  # has no end


class Chance(Protocol):
    """Draws random numbers, as `random.Random` does. The caller hands in this object, because
    nothing in this package depends on chance by itself.
    """

    def random(self) -> float:
        """Returns a number from 0 up to, but not including, 1. All these numbers are equally
        likely.
        """

    def expovariate(self, rate: float, /) -> float:
        """Returns a random waiting time until the next event, if events come at this rate and
        independently of each other.
        """


class Worsening(NamedTuple):
    """A change for the worse.

    On the scale `share`, `before` and `after` are percentages of good answers. On the scale
    `count`, they are numbers of incidents in a window.
    """

    scale: str
    before: float
    after: float


def draw_like(history: Sequence[Entry], chance: Chance) -> Street:
    """Yields windows like those of a history, without an end: the stationary bootstrap (R-20.8l).

    It yields the history in blocks. A block keeps the order of its windows, so a bad week is
    followed by the weeks that really followed it. Each block begins anywhere in the history. After
    the last window of the history comes the first one again.
    """
    while True:
        place = int(chance.random() * len(history))
        is_going_on = True
        while is_going_on:
            yield history[place % len(history)]
            place += 1
            is_going_on = chance.random() >= 1 / MEAN_BLOCK


def draw_assumed(scale: str, rate: float, answers: int, chance: Chance) -> Street:
    """Yields windows of a process in which nothing changes, without an end (R-20.8d).

    `rate` is the percentage of good answers. On the scale `count`, it is the number of incidents in
    a window.
    """
    while True:
        if scale == COUNT:
            yield Point(1, _draw_incidents(rate, chance))
        else:
            yield Point(answers, _draw_number(answers, 1 - rate / 100, chance))


def worsen(point: Point, change: Worsening, chance: Chance) -> Point:
    """Returns the counted answers of a window as they would be after a change for the worse
    (R-20.8e).
    """
    if change.scale == COUNT:
        return Point(1, point.bad + _draw_incidents(change.after - change.before, chance))
    lost = _draw_number(point.n - point.bad, 1 - change.after / change.before, chance)
    return Point(point.n, point.bad + lost)


def _draw_number(trials: int, probability: float, chance: Chance) -> int:
    return sum(chance.random() < probability for _ in range(trials))


def _draw_incidents(mean: float, chance: Chance) -> int:
    """Draws a Poisson number: it counts how many random waiting times fit into one window."""
    incidents = 0
    left = mean
    while mean > 0 and (left := left - chance.expovariate(1)) > 0:
        incidents += 1
    return incidents
