"""What a check of the doctor is given, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from meshcoop.home.folder import Home

State = Literal["fine", "note", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """The result of one check: a sentence for people. If people can do something about it, there is
    also a remedy.
    """

    name: str
    state: State
    sentence: str
    remedy: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """Returns the finding as a map, which the command line prints as JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "said": self.sentence,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Patient:
    """The home that the doctor examines, at the time `now` (ms). `status` is what the running node
    says about itself. It is None if no node answers. It is None too if the node is another version
    of the program, because nobody knows what its status means. Then `is_other_program` is True.
    """

    home: Home
    now: int
    status: dict[str, Any] | None
    is_other_program: bool = False


Check = Callable[[Patient], Finding]
