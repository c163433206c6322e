"""The command `loops`: applies the rules of specs/20-loops.md to the points of a measure. A point
is the counted answers of one window. A file holds the points.
"""

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import ContextArgument
from meshcoop.errors import Mistake
from protocol.loops import change_detection, target_check
from protocol.loops.points import COUNT, SHARE, Point

_USAGE = 2
_MOST_BYTES = 1024 * 1024
_MOST_POINTS = 1000
_MOST_ANSWERS = 1000  # answers or incidents of one point; with more, exact fractions are slow
_MOST_SHARE = 99
_SHARE = 80  # the share if the file names none
_SHAPE = (
    'a JSON object such as {"scale": "share", "share": 80, "points": [[20, 3]]} '
    'or {"scale": "count", "target": 2, "points": [1, 0, 4]}'
)


def apply_loop_rules(
    file: Annotated[Path, Parameter(help=f"holds {_SHAPE}")], *, context: ContextArgument
) -> None:
    """Says for each point of a measure whether something changed, and whether the target is missed."""
    scale, aim, points = _read_points(file)
    results = []
    for number, point in enumerate(points, 1):
        if point:
            up_to_here = [earlier for earlier in points[:number] if earlier]
            results.append({"point": number, **_test_point(scale, aim, up_to_here)})
    context.answer(results, lambda: "\n".join(map(_describe_point, results)))


def _test_point(scale: str, aim: int, points: list[Point]) -> dict[str, Any]:
    """Tests whether the last point differs from the earlier points, and whether it misses the
    target. A point is the counted answers of one window.
    """
    tests = change_detection.run_change_test(scale, points)
    first = tests.w1
    screened = None
    if first is not None and first.screened is not None:
        screened = first.screened + 1  # points are numbered from 1 in the answer
    return {
        "w1": _format_fraction(tests.w1),
        "w4": _format_fraction(tests.w4),
        "r8": tests.r8,
        "dispersion": first.dispersion if first else None,
        "screened": screened,
        "short": target_check.misses_target(scale, aim, points),
        "change": tests.change,
    }


def _format_fraction(test: change_detection.TailTest | None) -> str | None:
    return None if test is None else f"{test.worse.numerator}/{test.worse.denominator}"


def _describe_point(result: dict[str, Any]) -> str:
    change = f"{result['change']} than usual" if result["change"] else "as usual"
    target = "the target is missed" if result["short"] else "no sign that the target is missed"
    return f"Point {result['point']}: {change}; {target}."


def _read_points(file: Path) -> tuple[str, int, list[Point | None]]:
    """Reads a scale, an aim and points from a file. With the scale "count", the aim is the field
    `target`. Otherwise the aim is the field `share`. A missing point becomes None.

    Raises Mistake if the file has another form.
    """
    content = _read_object(file)
    scale = content.get("scale")
    if scale == COUNT:
        aim = content.get("target")
        most = target_check.MOST_TARGET
    else:
        aim = content.get("share", _SHARE)
        most = _MOST_SHARE
    if scale not in (SHARE, COUNT) or type(aim) is not int or not 0 <= aim <= most:
        raise Mistake(
            "{file} must hold {shape}; a target is 0 to 20, a share 0 to 99.",
            _USAGE,
            file=file,
            shape=_SHAPE,
        )
    values = content["points"]
    points = [_read_point(scale, value, file) for value in values]
    if len(points) > _MOST_POINTS:
        raise Mistake(
            "{file} holds more than {most_points} points; leave the oldest out.",
            _USAGE,
            file=file,
            most_points=_MOST_POINTS,
        )
    return scale, aim, points


def _read_object(file: Path) -> dict[str, Any]:
    """Reads a JSON object with a list of points. Raises Mistake if the file holds anything else."""
    try:
        with file.open("rb") as source:
            text = source.read(_MOST_BYTES + 1)
        content = json.loads(text) if len(text) <= _MOST_BYTES else None
    except OSError as error:
        raise Mistake(
            "{file} cannot be read: {strerror}.", _USAGE, file=file, strerror=error.strerror
        ) from None
    except (ValueError, RecursionError):
        content = None
    if type(content) is not dict or type(content.get("points")) is not list:
        raise Mistake("{file} must hold {shape}.", _USAGE, file=file, shape=_SHAPE)
    return content


def _read_point(scale: str, value: Any, file: Path) -> Point | None:
    if value is None:
        return None
    # With the scale "count", the file has a bare number. It is the number of incidents in a window.
    pair = [1, value] if scale == COUNT else value
    has_shape = type(pair) is list and [type(number) for number in pair] == [int, int]
    if not has_shape or not 1 <= pair[0] <= _MOST_ANSWERS or not 0 <= pair[1] <= _MOST_ANSWERS:
        wanted = "a number of incidents" if scale == COUNT else "[answers, bad ones]"
        raise Mistake(
            "{file}: a point is {wanted}, at most {most_answers}, or null for a gap.",
            _USAGE,
            file=file,
            wanted=wanted,
            most_answers=_MOST_ANSWERS,
        )
    point = Point(*pair)
    if scale == SHARE and point.bad > point.n:
        raise Mistake(
            "{file}: of {n} answers, {bad} cannot be bad; correct it.",
            _USAGE,
            file=file,
            n=point.n,
            bad=point.bad,
        )
    return point
