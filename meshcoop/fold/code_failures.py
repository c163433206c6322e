"""Limits the harm if the code of a kind fails outside the fold of a thread (R-10.16b).

Such a failure must stop neither an answer to a person nor the home. The home logs the failure. The
status and the doctor report it until the node ends.
"""

import logging
from pathlib import Path
from traceback import extract_tb
from typing import Literal

from protocol.display_text import safe_line
from protocol.errors import Refused

_MOST_TEXT = 200  # characters

_LOG = logging.getLogger(__name__)


class CodeFailures:
    """The failures since this node started. An entry names the code that failed, and gives the
    error as a line of text.
    """

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def contained(self, kind: str, method: str) -> "Contained":
        """Guards the block of a `with` statement, which calls a method of a kind.

        If the code of the kind raises an unexpected exception, raises Refused (R-10.16b) instead.
        """
        return Contained(self, kind, method)

    def note(self, what: str, error: Exception) -> str:
        """Logs a failure of some code, unless the same code failed with the same error before.
        Returns the error as a line of text.
        """
        failure = describe_error(error)
        if self.errors.get(what) != failure:
            self.errors[what] = failure
            _LOG.error("the code of %s failed", what, exc_info=error)
        return failure


class Contained:
    """Guards a block that runs the code of a kind. The same guard can guard many blocks."""

    # A class of its own, because the guard of a generator takes twice as long. One answer can guard
    # thousands of blocks.

    __slots__ = ("_failures", "_kind", "_method")

    def __init__(self, failures: CodeFailures, kind: str, method: str) -> None:
        self._failures = failures
        self._kind = kind
        self._method = method

    def __enter__(self) -> None:
        """Begins the block."""

    def __exit__(
        self, error_type: object, error: BaseException | None, traceback: object
    ) -> Literal[False]:
        """Ends the block. Raises Refused if the code of the kind failed."""
        if error is None:
            return False
        if isinstance(error, Exception) and not isinstance(error, Refused | MemoryError):
            failure = self._failures.note(f"{self._kind}.{self._method}", error)
            raise Refused(
                "R-10.16b", "the code of {kind} failed ({error})", kind=self._kind, error=failure
            ) from error
        return False


def describe_error(error: Exception) -> str:
    """Returns an exception as a line of text. The line names the place in the code that
    raised it.
    """
    frames = extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return safe_line(f"{type(error).__name__}: {error}")[:_MOST_TEXT] + place
