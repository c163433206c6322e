"""Bounds: what the charter lets a neighbourhood's measures be (R-22.3)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.errors import Refused
from protocol.schema.fields import Field, Resolve

_TARGETS = ("one_to_five", "minutes", "count")  # of a scale, its target
_OTHERS = ("share", "window", "min_answers")
_TYPED = re.compile(r"([a-z_-]+)=([0-9]{1,9})\.\.([0-9]{1,9})")


@dataclass(frozen=True, kw_only=True)
class Bound(Field):
    """A part of a measure, and its least and most: a list of a name and two numbers."""

    type_name = "bound"
    hint = "such as count=0..5 (a target) or share=60..99"

    def check(self, name: str, value: Any) -> None:
        shape = type(value) is list and [type(one) for one in value] == [str, int, int]
        if not shape or value[0] not in (*_TARGETS, *_OTHERS) or not 0 <= value[1] <= value[2]:
            parts = ", ".join((*_TARGETS, *_OTHERS))
            raise Refused("R-10.3", f"{name} must be one of {parts} with a least and a most")

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        typed = _TYPED.fullmatch(given.strip()) if type(given) is str else None
        if typed is None:
            raise Refused("R-10.3", f"{name} must be {self.hint}")
        return [typed[1].replace("-", "_"), int(typed[2]), int(typed[3])]


def outside(measure: Mapping[str, Any], bounds: Iterable[list[Any]]) -> str | None:
    """What of a measure's fields the bounds do not allow, in words; None if it is within all."""
    for part, least, most in bounds:
        if part in _TARGETS:
            value = measure.get("target") if measure.get("scale") == part else None
        else:
            value = measure.get(part)
        if value is not None and not least <= value <= most:
            what = "target" if part in _TARGETS else part
            return f"the charter lets {what} be {least} to {most}, not {value}"
    return None
