"""The command `loops`: the rules of specs/20-loops.md on points in a file."""

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import Given
from meshcoop.errors import Mistake
from protocol.loops import change_detection as change
from protocol.loops import target_check as short
from protocol.loops.points import COUNT, SHARE, Point

_MOST_BYTES = 1024 * 1024
_MOST_POINTS = 1000
_MOST = 1000  # answers or incidents a point: exact fractions of more are slow
_SHAPE = (
    'a JSON object such as {"scale": "share", "share": 80, "points": [[20, 3]]} '
    'or {"scale": "count", "target": 2, "points": [1, 0, 4]}'
)


def _loops(file: Annotated[Path, Parameter(help=f"holds {_SHAPE}")], *, context: Given) -> None:
    """Says of each point of a measure whether something changed and whether the target is missed."""
    scale, aim, points = _read(file)
    found = [
        {"point": place, **_at(scale, aim, [one for one in points[:place] if one])}
        for place, point in enumerate(points, 1)
        if point
    ]
    context.answer(found, lambda: "\n".join(map(_told, found)))


def _at(scale: str, aim: int, points: list[Point]) -> dict[str, Any]:
    held = change.held_against(scale, points)
    first = held.w1
    return {
        "w1": _fraction(held.w1),
        "w4": _fraction(held.w4),
        "r8": held.r8,
        "dispersion": first.dispersion if first else None,
        "screened": first.screened + 1 if first and first.screened is not None else None,
        "short": short.is_short(scale, aim, points),
        "change": held.change,
    }


def _fraction(held: change.Held | None) -> str | None:
    return None if held is None else f"{held.worse.numerator}/{held.worse.denominator}"


def _told(one: dict[str, Any]) -> str:
    changed = f"{one['change']} than usual" if one["change"] else "as usual"
    missed = "the target is missed" if one["short"] else "no sign that the target is missed"
    return f"Point {one['point']}: {changed}; {missed}."


def _read(file: Path) -> tuple[str, int, list[Point | None]]:
    """The scale, the aim and the points, None for a gap. Raises Mistake."""
    try:
        with file.open("rb") as source:
            text = source.read(_MOST_BYTES + 1)
        given = json.loads(text) if len(text) <= _MOST_BYTES else None
    except OSError as error:
        raise Mistake(f"{file} cannot be read: {error.strerror}.", 2) from None
    except (ValueError, RecursionError):
        given = None
    if type(given) is not dict or type(given.get("points")) is not list:
        raise Mistake(f"{file} must hold {_SHAPE}.", 2)
    scale = given.get("scale")
    aim, most = (
        (given.get("target"), short.MOST_TARGET) if scale == COUNT else (given.get("share", 80), 99)
    )
    if scale not in (SHARE, COUNT) or type(aim) is not int or not 0 <= aim <= most:
        raise Mistake(f"{file} must hold {_SHAPE}; a target is 0 to 20, a share 0 to 99.", 2)
    points = [None if one is None else _point(scale, one, file) for one in given["points"]]
    if len(points) > _MOST_POINTS:
        raise Mistake(f"{file} holds more than {_MOST_POINTS} points; leave the oldest out.", 2)
    return scale, aim, points


def _point(scale: str, given: Any, file: Path) -> Point:
    if scale == COUNT:
        given = [1, given]
    shape = type(given) is list and [type(one) for one in given] == [int, int]
    if not shape or not 1 <= given[0] <= _MOST or not 0 <= given[1] <= _MOST:
        wanted = "a number of incidents" if scale == COUNT else "[answers, bad ones]"
        raise Mistake(f"{file}: a point is {wanted}, at most {_MOST}, or null for a gap.", 2)
    point = Point(*given)
    if scale == SHARE and point.bad > point.n:
        raise Mistake(f"{file}: of {point.n} answers, {point.bad} cannot be bad; correct it.", 2)
    return point
