"""What a check of the doctor is given, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys
from meshcoop.repair.examination import Examined

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


class Unseen(Exception):
    """Raised by a check that cannot look at something. Its text says why, without a full stop."""


@dataclass(frozen=True)
class Patient:
    """The home that the doctor examines, at the time `now` (ms). `status` is what the running node
    says about itself. It is None if no node answers. It is None too if the node is another version
    of the program, because nobody knows what its status means. Then `is_other_program` is True.

    `keys` are None if no node runs and nobody gave the passphrase. Then `stored` is None too, and
    the doctor looks at the files alone. `stored` is what the stores show, or why they cannot be
    read now.
    """

    home: Home
    now: int
    status: dict[str, Any] | None
    is_other_program: bool = False
    keys: Keys | None = None
    stored: Examined | Mistake | None = None

    def require_stored(self) -> Examined:
        """Returns what the stores show. Raises Unseen if nobody could look into them."""
        if self.stored is None:
            raise Unseen("Without the passphrase, or a node that answers, only files are looked at")
        if isinstance(self.stored, Mistake):
            raise Unseen(self.stored.sentence.rstrip("."))
        return self.stored


Check = Callable[[Patient], Finding]
