"""The messages that people get. A `Mistake` is an error: it says what to do, and has an exit code.
A `Remark` is a message that reports no error.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from protocol.errors import Refused, fill_in

# These rules refuse a request because of its form. The exit code is then 2, not 1.
USAGE_RULES = frozenset(
    {"R-07.1", "R-08.5", "R-06.15", "R-10.2", "R-10.3", "R-10.4", "R-10.8", "R-17.1", "R-17.2"}
)

NO_NEIGHBOURHOOD = (
    "This home belongs to no neighbourhood yet; use `meshcoop found` or `meshcoop join`."
)
IS_RELAY = "This home is a relay, which belongs to nobody: it carries records, and neither reads nor posts."
NO_MEMBER = "This home belongs to no member of the neighbourhood yet."


class Mistake(Exception):
    """Raised if the node or a command cannot do what a person asks for.

    `text` is a sentence. If the sentence has names in braces, `arguments` holds a value for each
    name. The exit code is 2 if the request itself was wrong, for example because of a misspelt
    option. Otherwise it is 1.
    """

    def __init__(self, text: str, code: int = 1, /, **arguments: object) -> None:
        super().__init__(text, code, arguments)
        self.text = text
        self.code = code
        self.arguments = arguments

    @property
    def sentence(self) -> str:
        """The sentence in English."""
        return fill_in(self.text, self.arguments)

    def __str__(self) -> str:
        return self.sentence


class BrokenRule(Mistake):
    """Raised if the node refuses a call because of a rule. `refusal` says which rule, and why."""

    def __init__(self, refusal: Refused, code: int) -> None:
        super().__init__("{refusal}.", code, refusal=str(refusal), rule=refusal.rule)
        self.refusal = refusal


class Remark(NamedTuple):
    """A message from the node to people that reports no error.

    `code` stands for a sentence of `protocol/sentences.py`. If this sentence has names in braces,
    `arguments` holds a value for each name (R-06.5d).
    """

    code: StrEnum
    arguments: Mapping[str, object]

    def as_dict(self) -> dict[str, object]:
        """Returns the remark as the local API shows it."""
        return {"code": str(self.code), "arguments": dict(self.arguments)}
