"""What a check of the doctor gets, and what it returns."""

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
    """The result of one check: a sentence for people. If people can do something about a fault, the
    finding also has a remedy.
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
    """Raised by a check that cannot look at something. The text of this error gives the reason,
    without a full stop.
    """


@dataclass(frozen=True)
class Patient:
    """The home that the doctor examines, at the time `now` (ms).

    `status` is the running node's answer about itself. If no node answers, `status` is None. If the
    node runs another version of the program, `is_other_program` is True. Then `status` is None too,
    because the values of the answer could have another meaning.

    If no node runs and there is no passphrase, `keys` and `stored` are None. Then the doctor looks
    only at what is not encrypted. Otherwise `stored` is what the stores show, or the reason why
    they cannot be read now.
    """

    home: Home
    now: int
    status: dict[str, Any] | None
    is_other_program: bool = False
    keys: Keys | None = None
    stored: Examined | Mistake | None = None

    def require_stored(self) -> Examined:
        """Returns what the stores show. Raises Unseen if they could not be read."""
        if self.stored is None:
            raise Unseen("Without the passphrase, or a node that answers, only files are looked at")
        if isinstance(self.stored, Mistake):
            raise Unseen(self.stored.sentence.rstrip("."))
        return self.stored


Check = Callable[[Patient], Finding]
