"""The command doctor: what is wrong with this home, and what to do about it."""

import sys

from meshcoop.cli.context import Given
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.repair.doctor import examine
from meshcoop.repair.finding import Finding
from protocol.display_text import line

_MARKS = {"wrong": "!!", "note": " !", "unknown": " ?", "fine": "  "}


def _doctor(*, context: Given) -> None:
    """What is wrong with this home and what to do about it; exit code 1 if something is."""
    if not context.home.path.exists():
        raise Mistake(
            f"There is no home in {context.home.path} yet: `meshcoop found` begins a "
            "neighbourhood, `meshcoop join` enters one."
        )
    found = examine(context.home, now())
    wrong = sum(one.state == "wrong" for one in found)
    context.answer(
        [one.as_dict() for one in found], lambda: "\n".join([*map(_told, found), "", _sum(wrong)])
    )
    if wrong:
        sys.exit(1)


def _told(one: Finding) -> str:
    said = f"{_MARKS[one.state]} {one.name}: {line(one.sentence)}"
    return said if one.remedy is None else f"{said}\n     {line(one.remedy)}"


def _sum(wrong: int) -> str:
    if not wrong:
        return "Nothing is wrong."
    return "One thing is wrong." if wrong == 1 else f"{wrong} things are wrong."
