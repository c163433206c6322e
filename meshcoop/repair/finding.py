"""What a check of the doctor is given, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from meshcoop.home.folder import Home

State = Literal["fine", "note", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What one check found: a sentence for people, and a remedy where there is something to do."""

    name: str
    state: State
    sentence: str
    remedy: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """The finding as the command line answers it in JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "said": self.sentence,
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Patient:
    """A home that is looked at, at the time `now` (ms). `status` is what the running node answers,
    None where none does.
    """

    home: Home
    now: int
    status: dict[str, Any] | None


Check = Callable[[Patient], Finding]
