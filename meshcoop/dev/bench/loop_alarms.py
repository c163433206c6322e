"""`bench loops`: how often the rules of specs/20-loops.md alarm for nothing, and how soon for something.

Seeded simulations of a measure that is asked every week; beside each figure that of the naive rule,
"below the target, so alarm".
"""

import random
from collections.abc import Callable
from math import sqrt
from statistics import mean
from typing import Any, NamedTuple

from protocol.loops.change_detection import held_against
from protocol.loops.points import COUNT, SHARE, Point
from protocol.loops.target_check import is_short

USUAL_RUNS = 100  # a cell

_BASELINE, _YEAR = 24, 52  # windows
_SHARE, _TARGET = 80, 2

Draw = Callable[[random.Random, bool], Point]  # whether the change has come


class Cell(NamedTuple):
    """A neighbourhood: how it answers, before and after a change for the worse."""

    name: str
    scale: str
    draw: Draw


class _Run(NamedTuple):
    ours: int
    naive: int


def alarms(runs: int) -> list[dict[str, Any]]:
    """False alarms a year where nothing changes, and windows until a change is seen. `limit` is the
    figure of the naive rule, `tolerance` two standard errors of the figure.
    """
    found = []
    for cell in _cells():
        quiet = [_false_alarms(cell, seed) for seed in range(runs)]
        found.append(_told(f"{cell.name}: false alarms", "a year", quiet))
        late = [_delay(cell, seed) for seed in range(runs)]
        found.append(_told(f"{cell.name}: delay", "windows", late))
    return found


def _cells() -> list[Cell]:
    shares = [
        Cell(f"share, {n} answers a week, {before} % bad, then {after} %", SHARE, _answers(n, b, a))
        for n in (5, 10, 20, 30)
        for before, after, b, a in ((10, 30, 0.1, 0.3), (10, 50, 0.1, 0.5))
    ]
    counts = [
        Cell(f"count, {before} a week, then {after}", COUNT, _incidents(before, after))
        for before, after in ((1, 3), (1, 5))
    ]
    return [*shares, *counts]


def _answers(n: int, before: float, after: float) -> Draw:
    def draw(chance: random.Random, changed: bool) -> Point:
        p = after if changed else before
        return Point(n, sum(chance.random() < p for _ in range(n)))

    return draw


def _incidents(before: float, after: float) -> Draw:
    def draw(chance: random.Random, changed: bool) -> Point:
        # A Poisson number: how many waiting times fit into one window.
        left, found = 1.0, -1
        while left > 0:
            left -= chance.expovariate(after if changed else before)
            found += 1
        return Point(1, found)

    return draw


def _false_alarms(cell: Cell, seed: int) -> _Run:
    chance = random.Random(f"{cell.name} quiet {seed}")  # noqa: S311 -- a simulation
    points = [cell.draw(chance, False) for _ in range(_BASELINE + _YEAR)]
    at = range(_BASELINE + 1, len(points) + 1)
    ours = [_is_worse(cell, points[:count]) for count in at]
    # A row of alarms is one: somebody is asked once.
    began = sum(now and not before for before, now in zip([False, *ours], ours, strict=False))
    return _Run(began, sum(_misses(cell, points[count - 1]) for count in at))


def _delay(cell: Cell, seed: int) -> _Run:
    chance = random.Random(f"{cell.name} changed {seed}")  # noqa: S311 -- a simulation
    points = [cell.draw(chance, False) for _ in range(_BASELINE)]
    ours = naive = 0
    for window in range(1, _YEAR + 1):
        points.append(cell.draw(chance, True))
        ours = ours or window * _is_worse(cell, points)
        naive = naive or window * _misses(cell, points[-1])
        if ours and naive:
            break
    return _Run(ours or _YEAR, naive or _YEAR)


def _is_worse(cell: Cell, points: list[Point]) -> bool:
    if held_against(cell.scale, points).change == "worse":
        return True
    return is_short(cell.scale, _TARGET if cell.scale == COUNT else _SHARE, points)


def _misses(cell: Cell, point: Point) -> bool:
    if cell.scale == COUNT:
        return point.bad > _TARGET
    return 100 * point.bad > (100 - _SHARE) * point.n


def _told(name: str, unit: str, runs: list[_Run]) -> dict[str, Any]:
    ours = [one.ours for one in runs]
    spread = sqrt(mean((one - mean(ours)) ** 2 for one in ours) / len(ours))
    figure, naive = mean(ours), mean(one.naive for one in runs)
    return {
        "name": name,
        "records": len(runs),
        "figure": round(figure, 2),
        "unit": unit,
        "limit": round(naive, 2),
        "ratio": round(figure / naive, 3) if naive else 0.0,
        "tolerance": round(2 * spread, 2),
        "runs": ours,
    }
