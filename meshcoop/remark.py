"""What a node says to people, as a value: a code, and the values that belong into its sentence."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Remark(NamedTuple):
    """A code for a sentence of `protocol/sentences.py`. `arguments` holds the values for the names
    in braces in that sentence (R-06.5d).
    """

    code: StrEnum
    arguments: Mapping[str, object]

    def as_dict(self) -> dict[str, object]:
        """Returns the remark in the form in which the local API shows it."""
        return {"code": str(self.code), "arguments": dict(self.arguments)}
