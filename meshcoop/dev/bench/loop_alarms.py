"""The bench `loops` measures two things about the rules of specs/20-loops.md: how often they raise
a false alarm, and how soon they raise a true alarm.

Seeded simulations ask the question of a measure every week. Each figure is compared with the figure
of a naive rule. The naive rule raises an alarm whenever the answers of one window miss the target.
"""

import random
from collections.abc import Callable
from math import sqrt
from statistics import mean
from typing import NamedTuple

from meshcoop.dev.bench.figure import Figure
from protocol.loops.change_detection import run_change_test
from protocol.loops.points import COUNT, SHARE, Point
from protocol.loops.target_check import misses_target

USUAL_RUNS = 100  # simulations of each cell

_BASELINE = 24  # windows
_YEAR = 52  # windows
_TARGET_PERCENT = 80  # the target of a measure with the scale "share"
_TARGET_COUNT = 2

# A function that draws the answers of one window. Its second argument is True after the change
# for the worse.
Draw = Callable[[random.Random, bool], Point]


class Cell(NamedTuple):
    """A simulated neighbourhood. The function `draw` makes the answers of one window, either before
    or after a change.
    """

    name: str
    scale: str
    draw: Draw


class _Run(NamedTuple):
    """Two figures of one simulation. One is for the rules of the specs, and one is for the naive
    rule, which raises an alarm whenever one window misses the target.
    """

    by_rules: int
    naive: int


def measure_alarms(runs: int) -> list[Figure]:
    """Measures two things: how many false alarms the rules raise per year, and how many windows
    pass until the rules notice a change.

    In each returned figure, `limit` is what the naive rule reaches. `tolerance` is two standard
    errors of what the rules reach.
    """
    figures = []
    for cell in _cells():
        quiet = [_count_false_alarms(cell, seed) for seed in range(runs)]
        figures.append(_summarise(f"{cell.name}: false alarms", "a year", quiet))
        delays = [_measure_delay(cell, seed) for seed in range(runs)]
        figures.append(_summarise(f"{cell.name}: delay", "windows", delays))
    return figures


def _cells() -> list[Cell]:
    shares = [
        _share_cell(answers, before, after)
        for answers in (5, 10, 20, 30)
        for before, after in ((10, 30), (10, 50))
    ]
    counts = [
        Cell(f"count, {before} a week, then {after}", COUNT, _draw_incidents(before, after))
        for before, after in ((1, 3), (1, 5))
    ]
    return [*shares, *counts]


def _share_cell(answers: int, before: int, after: int) -> Cell:
    """Makes a simulated neighbourhood whose measure has the scale "share".

    `before` is the percentage of bad answers before the change. `after` is the percentage of bad
    answers after the change.
    """
    return Cell(
        f"share, {answers} answers a week, {before} % bad, then {after} %",
        SHARE,
        _draw_answers(answers, before / 100, after / 100),
    )


def _draw_answers(answers: int, before: float, after: float) -> Draw:
    def draw(chance: random.Random, has_changed: bool) -> Point:
        probability = after if has_changed else before
        return Point(answers, sum(chance.random() < probability for _ in range(answers)))

    return draw


def _draw_incidents(before: float, after: float) -> Draw:
    def draw(chance: random.Random, has_changed: bool) -> Point:
        # This draws a Poisson number: it counts how many waiting times fit into one window.
        rate = after if has_changed else before
        left = 1.0
        incidents = -1
        while left > 0:
            left -= chance.expovariate(rate)
            incidents += 1
        return Point(1, incidents)

    return draw


def _count_false_alarms(cell: Cell, seed: int) -> _Run:
    chance = random.Random(f"{cell.name} quiet {seed}")  # noqa: S311 -- a simulation
    points = [cell.draw(chance, False) for _ in range(_BASELINE + _YEAR)]
    lengths = range(_BASELINE + 1, len(points) + 1)
    alarms = [_alarms(cell, points[:length]) for length in lengths]
    # Several alarms in a row count once, because people are asked only once.
    begun = sum(
        alarm and not earlier for earlier, alarm in zip([False, *alarms], alarms, strict=False)
    )
    return _Run(begun, sum(_alarms_naively(cell, points[length - 1]) for length in lengths))


def _measure_delay(cell: Cell, seed: int) -> _Run:
    chance = random.Random(f"{cell.name} changed {seed}")  # noqa: S311 -- a simulation
    points = [cell.draw(chance, False) for _ in range(_BASELINE)]
    by_rules = 0
    naive = 0
    for window in range(1, _YEAR + 1):
        points.append(cell.draw(chance, True))
        by_rules = by_rules or window * _alarms(cell, points)
        naive = naive or window * _alarms_naively(cell, points[-1])
        if by_rules and naive:
            break
    return _Run(by_rules or _YEAR, naive or _YEAR)


def _alarms(cell: Cell, points: list[Point]) -> bool:
    """Returns True if the rules of the specs raise an alarm after the last of these points. A point
    is the counted answers of one window.
    """
    if run_change_test(cell.scale, points).change == "worse":
        return True
    target = _TARGET_COUNT if cell.scale == COUNT else _TARGET_PERCENT
    return misses_target(cell.scale, target, points)


def _alarms_naively(cell: Cell, point: Point) -> bool:
    """Returns True if this point, the counted answers of one window, misses the target."""
    if cell.scale == COUNT:
        return point.bad > _TARGET_COUNT
    return 100 * point.bad > (100 - _TARGET_PERCENT) * point.n


def _summarise(name: str, unit: str, runs: list[_Run]) -> Figure:
    values = [run.by_rules for run in runs]
    figure = mean(values)
    naive = mean(run.naive for run in runs)
    standard_error = sqrt(mean((value - figure) ** 2 for value in values) / len(values))
    return {
        "name": name,
        "records": len(runs),
        "figure": round(figure, 2),
        "unit": unit,
        "limit": round(naive, 2),
        "ratio": round(figure / naive, 3) if naive else 0.0,
        "tolerance": round(2 * standard_error, 2),
        "runs": values,
    }
