"""A check of the doctor: its argument and its result."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from meshcoop.home.folder import Home

State = Literal["fine", "note", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """The result of one check: a sentence for people, and a remedy if there is something to do."""

    name: str
    state: State
    sentence: str
    remedy: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """Returns the finding as the command line prints it in JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "said": self.sentence,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Patient:
    """A home to be examined at the time `now` (ms). `status` is the answer of the running node, or
    None if no node answers.
    """

    home: Home
    now: int
    status: dict[str, Any] | None


Check = Callable[[Patient], Finding]
