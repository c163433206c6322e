"""Bounds: how low and how high the charter lets the numbers of a measure be (R-22.3)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.errors import Refused
from protocol.schema.fields import Field, Resolve

_SCALES = ("one_to_five", "minutes", "count")  # a bound with such a name limits targets
_OTHER_PARTS = ("share", "window", "min_answers")
_PARTS = (*_SCALES, *_OTHER_PARTS)
_TYPED = re.compile(r"([a-z_-]+)=([0-9]{1,9})\.\.([0-9]{1,9})")


@dataclass(frozen=True, kw_only=True)
class Bound(Field):
    """The least and the most that one number of a measure may be.

    The value is a list of three items: the name of this number, its least value and its largest
    value.
    """

    type_name = "bound"
    hint = "such as count=0..5 (a target) or share=60..99"

    def check(self, name: str, value: Any) -> None:
        has_shape = type(value) is list and [type(part) for part in value] == [str, int, int]
        if not has_shape or value[0] not in _PARTS or not 0 <= value[1] <= value[2]:
            parts = ", ".join(_PARTS)
            raise Refused(
                "R-10.3",
                "{field} must be one of {parts} with a least and a most",
                field=name,
                parts=parts,
            )

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        del resolve
        typed = _TYPED.fullmatch(given.strip()) if type(given) is str else None
        if typed is None:
            raise Refused("R-10.3", "{field} must be {hint}", field=name, hint=self.hint)
        part, least, most = typed.groups()
        return [part.replace("-", "_"), int(least), int(most)]


def find_broken_bound(measure: Mapping[str, Any], bounds: Iterable[list[Any]]) -> Refused | None:
    """Returns why a measure is refused, if its fields break a bound of the charter (R-22.3).
    Otherwise returns None.

    If the fields break several bounds, the refusal names the first of them.
    """
    for part, least, most in bounds:
        is_target = part in _SCALES
        if not is_target:
            value = measure.get(part)
        elif measure.get("scale") == part:
            value = measure.get("target")
        else:
            value = None
        if value is not None and not least <= value <= most:
            return Refused(
                "R-22.3",
                "the charter lets {part} be {least} to {most}, not {value}; a decision can change "
                "the bounds",
                part="target" if is_target else part,
                least=least,
                most=most,
                value=value,
            )
    return None
