"""A control chart of plain characters: points in, `Content` out. Marks differ by shape; colour comes
on top. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from textual.content import Content

from tui.i18n import _

Number = int | Fraction

ORDINARY, WORSE, WORSE_4, RUN, SHORT, BETTER = "o", "X", "4", "8", "s", "*"
_TARGET, _USUAL, _LIMIT, _AXIS = ".", "-", "_", "─"

_STYLES = {
    ORDINARY: "bold",
    WORSE: "bold $text-error",
    WORSE_4: "bold $text-error",
    RUN: "bold $text-error",
    SHORT: "bold $text-warning",
    BETTER: "bold $text-success",
    _TARGET: "$text-accent",
    _USUAL: "dim",
    _LIMIT: "$text-warning",
}
_MEANING = {
    ORDINARY: _("as usual"),
    WORSE: _("worse, in one"),
    WORSE_4: _("worse, in four"),
    RUN: _("worse, eight in a row"),
    SHORT: _("short of the target"),
    BETTER: _("better"),
}
_WIDEST = 6  # columns a window
_LEAST_ROWS = 3


class Dot(NamedTuple):
    """A window's point. `place`: the window's number; `day`: what it is called below the chart."""

    place: int
    value: Number
    limit: Number | None = None  # from here on it alone stands out
    mark: str = ORDINARY
    day: str = ""


@dataclass(frozen=True)
class Lines:
    """What a point is read against, and the unit of all of it. `whole`: the most there can be."""

    target: Number | None = None
    usual: Number | None = None
    unit: str = ""
    whole: int | None = None


def draw(dots: Sequence[Dot], lines: Lines, width: int, height: int) -> Content:
    """The chart in so many columns and at most so many rows, its axis and legend below it. The
    latest windows are drawn, as many as there is room for.
    """
    if not dots:
        return Content("")
    scale = _scale(_numbers(dots, lines), lines, height)
    margin = max(len(label) for label in scale.labels) + 1
    room = max(1, width - margin)
    last = dots[-1].place
    shown = [one for one in dots if last - one.place < room]
    first = shown[0].place
    slot = min(_WIDEST, room // (last - first + 1))
    columns = slot * (last - first + 1)
    grid = [[" "] * columns for _row in scale.labels]
    _rule(grid, scale.row(lines.usual), _USUAL, 1)
    _rule(grid, scale.row(lines.target), _TARGET, 2)
    for one in shown:
        left, middle = slot * (one.place - first), slot * (one.place - first) + slot // 2
        limit = scale.row(one.limit)
        if limit is not None:
            grid[limit][left : left + slot] = _LIMIT * slot
        row = scale.row(one.value)
        assert row is not None
        grid[row][middle] = one.mark
    parts: list[Content] = []
    for label, cells in zip(scale.labels, grid, strict=True):
        parts.append(Content.assemble((label.rjust(margin - 1) + " ", "dim"), *_styled(cells)))
    parts.append(Content(" " * margin + _axis(shown, first, slot)))
    parts.append(Content.assemble((_days(shown, margin, columns, width), "dim")))
    parts += _legend(shown, lines, width)
    if len(shown) < len(dots):
        told = _("The latest {n} of {of} are drawn.").format(n=len(shown), of=len(dots))
        parts.append(Content.assemble((told, "dim")))
    return Content("\n").join(parts)


class _Scale(NamedTuple):
    top: int
    step: int
    labels: list[str]

    def row(self, value: Number | None) -> int | None:
        """In which row a value lies; None outside of the chart."""
        if value is None:
            return None
        # Halves go up: one incident is never drawn as none.
        found = -int((Fraction(1, 2) - (self.top - Fraction(value)) / self.step) // 1)
        return found if 0 <= found < len(self.labels) else None


def _scale(numbers: list[Number], lines: Lines, height: int) -> _Scale:
    """Round numbers from top to bottom, each of them a row."""
    rows = max(_LEAST_ROWS, height)
    if lines.whole is not None:
        top, least = lines.whole, min(numbers)
    else:
        top, least = _ceil(max(numbers)), 0
    step = next(one for one in _steps() if _ceil(Fraction(top) - least, one) // one < rows)
    if lines.whole is None:
        top = max(_ceil(top, step), step * (_LEAST_ROWS - 1))
    count = max(_LEAST_ROWS, _ceil(Fraction(top) - least, step) // step + 1)
    return _Scale(top, step, [f"{top - n * step}{lines.unit}" for n in range(count)])


def _steps() -> Iterator[int]:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10


def _ceil(value: Number, step: int = 1) -> int:
    return -int(-Fraction(value) // step) * step


def _numbers(dots: Sequence[Dot], lines: Lines) -> list[Number]:
    """All that is to lie within the chart. A limit far above everything would flatten the rest."""
    found = [one.value for one in dots]
    found += [one for one in (lines.target, lines.usual) if one is not None]
    if lines.whole is None:
        bound = 2 * max(found) + 4
        return found + [one.limit for one in dots if one.limit is not None and one.limit <= bound]
    return found + [one.limit for one in dots if one.limit is not None]


def _rule(grid: list[list[str]], row: int | None, mark: str, every: int) -> None:
    """A line across; where another lies already, both are seen."""
    if row is not None:
        taken = " " if grid[row][0] == " " else None
        for column in range(0, len(grid[row]), 1 if taken else every):
            grid[row][column] = mark


def _axis(shown: Sequence[Dot], first: int, slot: int) -> str:
    """A line below the windows that have a point: a gap in it is a window with too few answers."""
    there = {one.place - first for one in shown}
    return "".join((_AXIS if n in there else " ") * slot for n in range(max(there) + 1))


def _days(shown: Sequence[Dot], margin: int, columns: int, width: int) -> str:
    """The first and the last window's day."""
    left, right = shown[0].day, shown[-1].day
    if len(shown) == 1:
        return " " * margin + left
    end = min(width, max(margin + columns, margin + len(left) + len(right) + 2))
    return (" " * margin + left).ljust(end - len(right)) + right


def _legend(shown: Sequence[Dot], lines: Lines, width: int) -> list[Content]:
    """What is drawn, and no more than that."""
    marks = [one for one in _MEANING if any(dot.mark == one for dot in shown)]
    found = [(one, _MEANING[one]) for one in marks]
    for mark, name, value in (
        (_USUAL, _("usual"), lines.usual),
        (_TARGET, _("target"), lines.target),
    ):
        if value is not None:
            found.append((mark, f"{name} {_number(value)}{lines.unit}"))
    if any(one.limit is not None for one in shown):
        found.append((_LIMIT, _("from here on it stands out")))
    places = {one.place for one in shown}
    if len(places) <= max(places) - min(places):
        found.append((f"{_AXIS} {_AXIS}", _("a gap: too few answered")))
    return _wrapped(found, width)


def _wrapped(found: list[tuple[str, str]], width: int) -> list[Content]:
    rows: list[Content] = [Content("")]
    for mark, meaning in found:
        one = Content.assemble((mark, _STYLES.get(mark, "")), f" {meaning}")
        gap = Content("   " if rows[-1] else "")
        if rows[-1] and rows[-1].cell_length + 3 + one.cell_length > width:
            rows.append(one)
        else:
            rows[-1] = rows[-1] + gap + one
    return rows


def _number(value: Number) -> str:
    """With one digit after the point where there is something to say."""
    tenths = round(Fraction(value) * 10)
    return str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"


def _styled(cells: list[str]) -> Iterator[tuple[str, str]]:
    return ((cell, _STYLES.get(cell, "")) for cell in cells)
