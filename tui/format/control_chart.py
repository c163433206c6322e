"""Draws a control chart in plain characters: takes points and returns Textual's `Content`. All
functions here are pure.

Each kind of point and line has a character of its own, so people can read the chart without
colours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from textual.content import Content

from tui.i18n import _

Number = int | Fraction

# Marks of points.
ORDINARY = "o"
WORSE = "X"
WORSE_4 = "4"
RUN = "8"
SHORT = "s"
BETTER = "*"

# Marks of lines.
_TARGET = "."
_USUAL = "-"
_LIMIT = "_"
_AXIS = "─"

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
_MEANINGS = {
    ORDINARY: _("as usual"),
    WORSE: _("worse: one point"),
    WORSE_4: _("worse: four points"),
    RUN: _("worse: eight in a row"),
    SHORT: _("missed the target"),
    BETTER: _("better"),
}
_WIDEST = 6  # columns that a window gets at most
_LEAST_ROWS = 3


class ChartPoint(NamedTuple):
    """A point of the chart. The field `window` numbers the point's window, a group of days. The
    field `day` is the label below the chart.
    """

    window: int
    value: Number
    limit: Number | None = None  # from this value on, a single point is a signal
    mark: str = ORDINARY
    day: str = ""


@dataclass(frozen=True)
class ReferenceLines:
    """The horizontal lines to compare points with, and the unit of the axis. `maximum` is the
    highest value that a point can have.
    """

    target: Number | None = None
    usual: Number | None = None
    unit: str = ""
    maximum: int | None = None


def draw_chart(
    points: Sequence[ChartPoint], lines: ReferenceLines, width: int, height: int
) -> Content:
    """Draws a chart with its axis and its legend below. If there is too little space for all
    points, draws only the latest points.

    `width` is in columns. `height` is the largest number of rows above the axis.
    """
    if not points:
        return Content("")
    scale = _scale(_numbers(points, lines), lines, height)
    plot = _plot(points, scale, width)
    rows: list[Content] = []
    for label, cells in zip(scale.labels, _grid(plot, scale, lines), strict=True):
        margin = (label.rjust(plot.margin - 1) + " ", "dim")
        rows.append(Content.assemble(margin, *_styled(cells)))
    rows.append(Content(" " * plot.margin + _axis(plot)))
    rows.append(Content.assemble((_days(plot, width), "dim")))
    rows += _legend(plot.points, lines, width)
    if len(plot.points) < len(points):
        note = _("The latest {n} of {of} are drawn.").format(n=len(plot.points), of=len(points))
        rows.append(Content.assemble((note, "dim")))
    return Content("\n").join(rows)


# -- scale and place ------------------------------------------------------------------------------


class _Scale(NamedTuple):
    """The vertical scale: which value each row stands for. `top` is the value of the top row;
    `step` is the difference between two rows.
    """

    top: int
    step: int
    labels: list[str]

    def row(self, value: Number | None) -> int | None:
        """Returns the number of the row that shows a value. If the value lies outside the chart,
        returns None.
        """
        if value is None:
            return None
        # Halves are rounded up, so that one incident is never drawn in the row of 0.
        row = -int((Fraction(1, 2) - (self.top - Fraction(value)) / self.step) // 1)
        return row if 0 <= row < len(self.labels) else None


class _Plot(NamedTuple):
    """The points to draw, and the columns of the chart. `slot` is the number of columns for one
    window.
    """

    points: Sequence[ChartPoint]
    margin: int  # columns left of the first window
    slot: int
    columns: int  # the columns of all windows together

    def left(self, point: ChartPoint) -> int:
        """Returns the first column of a point's window. Column 0 comes right after the margin."""
        return self.slot * (point.window - self.points[0].window)


def _scale(numbers: list[Number], lines: ReferenceLines, height: int) -> _Scale:
    """Chooses the vertical scale, with a round number for each row."""
    rows = max(_LEAST_ROWS, height)
    least: Number = 0
    if lines.maximum is None:
        top = _ceil(max(numbers))
    else:
        top = lines.maximum
        least = min(numbers)
    span = Fraction(top) - least
    step = _find_step(span, rows)
    if lines.maximum is None:
        top = max(_ceil(top, step), step * (_LEAST_ROWS - 1))
    count = max(_LEAST_ROWS, _ceil(Fraction(top) - least, step) // step + 1)
    return _Scale(top, step, [f"{top - n * step}{lines.unit}" for n in range(count)])


def _find_step(span: Fraction, rows: int) -> int:
    """Returns the smallest round step with which a span needs fewer than `rows` rows."""
    for step in _round_steps():
        if _ceil(span, step) // step < rows:
            return step
    raise AssertionError("the steps grow without end")


def _round_steps() -> Iterator[int]:
    size = 1
    while True:
        yield from (size, 2 * size, 5 * size)
        size *= 10


def _ceil(value: Number, step: int = 1) -> int:
    """Returns the smallest multiple of `step` that is at least `value`."""
    return -int(-Fraction(value) // step) * step


def _numbers(points: Sequence[ChartPoint], lines: ReferenceLines) -> list[Number]:
    """Collects the numbers that must fit into the chart. Leaves out limits that are so high that
    they would flatten the rest of the chart.
    """
    numbers = [point.value for point in points]
    numbers += [level for level in (lines.target, lines.usual) if level is not None]
    limits = [point.limit for point in points if point.limit is not None]
    if lines.maximum is None:
        # A limit far above all other numbers would flatten the rest of the chart.
        highest = 2 * max(numbers) + 4
        limits = [limit for limit in limits if limit <= highest]
    return numbers + limits


def _plot(points: Sequence[ChartPoint], scale: _Scale, width: int) -> _Plot:
    margin = max(len(label) for label in scale.labels) + 1
    room = max(1, width - margin)
    last_window = points[-1].window
    shown = [point for point in points if last_window - point.window < room]
    windows = last_window - shown[0].window + 1
    slot = min(_WIDEST, room // windows)
    return _Plot(shown, margin, slot, slot * windows)


# -- rows -----------------------------------------------------------------------------------------


def _grid(plot: _Plot, scale: _Scale, lines: ReferenceLines) -> list[list[str]]:
    """Returns the characters above the axis: a list of characters for each row. Where a point and a
    line meet, the point is drawn.
    """
    grid = [[" "] * plot.columns for _label in scale.labels]
    _draw_line(grid, scale.row(lines.usual), _USUAL, 1)
    _draw_line(grid, scale.row(lines.target), _TARGET, 2)
    for point in plot.points:
        left = plot.left(point)
        limit_row = scale.row(point.limit)
        if limit_row is not None:
            grid[limit_row][left : left + plot.slot] = _LIMIT * plot.slot
        row = scale.row(point.value)
        assert row is not None, "the scale covers every value"
        grid[row][left + plot.slot // 2] = point.mark
    return grid


def _draw_line(grid: list[list[str]], row: int | None, mark: str, every: int) -> None:
    """Draws a horizontal line. If the row shows another line already, overwrites only some of its
    columns, so that both lines can be seen. The argument `every` is the distance between two
    overwritten columns.
    """
    if row is not None:
        is_free = grid[row][0] == " "
        for column in range(0, len(grid[row]), 1 if is_free else every):
            grid[row][column] = mark


def _styled(cells: list[str]) -> Iterator[tuple[str, str]]:
    return ((cell, _STYLES.get(cell, "")) for cell in cells)


def _axis(plot: _Plot) -> str:
    """Draws the axis. It has gaps where a window has no point because too few people answered."""
    first = plot.points[0].window
    drawn = {point.window - first for point in plot.points}
    return "".join((_AXIS if n in drawn else " ") * plot.slot for n in range(max(drawn) + 1))


def _days(plot: _Plot, width: int) -> str:
    """Writes two labels below the axis: the days of the first and of the last point."""
    margin = " " * plot.margin
    left = plot.points[0].day
    right = plot.points[-1].day
    if len(plot.points) == 1:
        return margin + left
    least_end = plot.margin + len(left) + len(right) + 2
    end = min(width, max(plot.margin + plot.columns, least_end))
    return (margin + left).ljust(end - len(right)) + right


# -- legend ---------------------------------------------------------------------------------------


def _legend(points: Sequence[ChartPoint], lines: ReferenceLines, width: int) -> list[Content]:
    """Makes the legend. It explains each mark that the chart contains, and no other mark."""
    marks = {point.mark for point in points}
    entries = [(mark, meaning) for mark, meaning in _MEANINGS.items() if mark in marks]
    for mark, label, level in (
        (_USUAL, _("usual"), lines.usual),
        (_TARGET, _("target"), lines.target),
    ):
        if level is not None:
            entries.append((mark, f"{label} {_number(level)}{lines.unit}"))
    if any(point.limit is not None for point in points):
        entries.append((_LIMIT, _("stands out from here on")))
    windows = {point.window for point in points}
    if len(windows) <= max(windows) - min(windows):
        entries.append((f"{_AXIS} {_AXIS}", _("a gap: too few answered")))
    return _wrapped(entries, width)


def _wrapped(entries: list[tuple[str, str]], width: int) -> list[Content]:
    """Arranges the entries of a legend in rows. Each row has as many entries as fit into
    `width`.
    """
    rows: list[Content] = [Content("")]
    for mark, meaning in entries:
        entry = Content.assemble((mark, _STYLES.get(mark, "")), f" {meaning}")
        gap = Content("   " if rows[-1] else "")
        if rows[-1] and rows[-1].cell_length + 3 + entry.cell_length > width:
            rows.append(entry)
        else:
            rows[-1] = rows[-1] + gap + entry
    return rows


def _number(value: Number) -> str:
    """Writes a number rounded to one digit after the point. Leaves this digit out if it is 0."""
    tenths = round(Fraction(value) * 10)
    return str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
