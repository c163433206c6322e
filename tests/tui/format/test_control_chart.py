"""The chart of a measure: points and lines lie in the right places at any scale."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tui.format.control_chart import (
    BETTER,
    RUN,
    SHORT,
    WORSE,
    WORSE_4,
    ChartPoint,
    ReferenceLines,
    draw_chart,
)

PERCENT = {"unit": "%", "maximum": 100}


def rows(dots, lines, width=76, height=8):
    return draw_chart(dots, lines, width, height).plain.split("\n")


def plot(dots, lines, **more):
    """Draws a chart. Maps the label of each row above the axis to the row."""
    drawn = rows(dots, lines, **more)
    axis = next(n for n, row in enumerate(drawn) if row.strip(" ").startswith("─"))
    return {row.split()[0]: row for row in drawn[:axis]}


def test_shares_hang_from_all_of_them_and_go_down_as_far_as_the_worst():
    dots = [ChartPoint(n, value, day=f"day {n}") for n, value in enumerate((100, 84, 61))]
    found = plot(dots, ReferenceLines(target=80, usual=90, **PERCENT))
    assert list(found) == ["100%", "90%", "80%", "70%", "60%"]
    assert found["100%"].count("o") == 1
    assert found["60%"].rstrip().endswith("o")
    assert set(found["90%"].split()[1]) == {"-"}
    assert "." in found["80%"]


def test_target_and_usual_on_one_row_are_both_seen():
    found = plot(
        [ChartPoint(n, 100) for n in range(9)], ReferenceLines(target=80, usual=80, **PERCENT)
    )
    assert "-.-.-." in found["80%"].replace(" ", "") or ".-.-.-" in found["80%"]


def test_one_point_is_drawn():
    drawn = rows([ChartPoint(2900, 3, day="Mon 3 Aug")], ReferenceLines(target=2))
    assert any("Mon 3 Aug" in row for row in drawn)
    found = plot([ChartPoint(2900, 3)], ReferenceLines(target=2))
    assert list(found) == ["3", "2", "1", "0"]
    assert [row.count("o") for row in found.values()] == [1, 0, 0, 0]


def test_sixty_points_lie_in_sixty_columns():
    dots = [ChartPoint(n, n % 5, day=str(n)) for n in range(60)]
    drawn = rows(dots, ReferenceLines(), width=62)
    assert sum(row.count("o") for row in drawn[:5]) == 60
    assert max(map(len, drawn)) <= 62
    assert "drawn" not in "".join(drawn)
    narrow = rows(dots, ReferenceLines(), width=32)
    assert "The latest 30 of 60 are drawn." in narrow


def test_no_incident_at_all_lies_on_the_ground():
    found = plot([ChartPoint(n, 0) for n in range(5)], ReferenceLines(target=0))
    assert list(found) == ["2", "1", "0"]
    assert found["0"].count("o") == 5


def test_huge_counts_have_round_numbers_beside_them():
    found = plot([ChartPoint(1, 123456), ChartPoint(2, 98765)], ReferenceLines(target=20))
    assert next(iter(found)) == "140000"
    assert list(found)[-1] == "0"
    assert found["120000"].count("o") == 1


def test_a_gap_is_a_gap():
    drawn = rows([ChartPoint(1, 2), ChartPoint(2, 3), ChartPoint(5, 2)], ReferenceLines())
    axis = next(row for row in drawn if row.strip().startswith("─"))
    assert axis.strip() == "─" * 12 + " " * 12 + "─" * 6
    assert "─ ─ a gap: too few answered" in drawn[-1]
    assert "a gap" not in rows([ChartPoint(1, 2), ChartPoint(2, 3)], ReferenceLines())[-1]


def test_signals_differ_by_shape_and_the_legend_names_what_is_there():
    marks = (WORSE, WORSE_4, RUN, SHORT, BETTER)
    dots = [ChartPoint(n, 2, mark=mark) for n, mark in enumerate(marks)]
    drawn = "\n".join(rows(dots, ReferenceLines(target=2, usual=Fraction(13, 10))))
    assert all(f"{mark} " in drawn for mark in marks)
    for told in ("worse: one point", "worse: four points", "eight in a row", "missed", "better"):
        assert told in drawn
    assert "- usual 1.3" in drawn
    assert ". target 2" in drawn
    assert "as usual" not in drawn
    assert "stands out" not in drawn


def test_limits_are_marked_and_one_far_away_flattens_nothing():
    dots = [ChartPoint(n, 2, limit=6 if n else 900) for n in range(4)]
    found = plot(dots, ReferenceLines())
    assert next(iter(found)) == "6"
    assert found["6"].split()[1] == "_" * 18
    assert "_ stands out from here on" in "\n".join(rows(dots, ReferenceLines()))


def test_colour_comes_on_top_of_the_shape():
    drawn = draw_chart([ChartPoint(1, 2, mark=WORSE)], ReferenceLines(), 40, 5)
    styles = {span.style for span in drawn.spans if drawn.plain[span.start : span.end] == WORSE}
    assert styles == {"bold $text-error"}


def test_nothing_is_drawn_of_nothing():
    assert draw_chart([], ReferenceLines(target=2), 76, 8).plain == ""


VALUES = st.one_of(st.integers(0, 3), st.integers(0, 10**9))


@given(
    st.dictionaries(st.integers(2900, 2990), VALUES, min_size=1),
    st.integers(30, 120),
    st.integers(1, 20),
    st.one_of(st.none(), st.integers(0, 20)),
)
def test_whatever_is_counted_fits(values, width, height, target):
    dots = [ChartPoint(place, value, limit=value + 3) for place, value in sorted(values.items())]
    drawn = rows(dots, ReferenceLines(target=target), width=width, height=height)
    assert max(map(len, drawn)) <= width
    shown = plot(dots, ReferenceLines(target=target), width=width, height=height)
    assert len(shown) <= max(3, height) + 1
    assert any("o" in row for row in shown.values())
