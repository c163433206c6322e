"""Limits the harm if the code of a kind fails outside the fold of a thread (R-10.16b).

Such a failure must stop neither an answer to a person nor the home. The home logs the failure. The
status and the doctor report it until the node ends.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

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

    @contextmanager
    def contained(self, kind: str, method: str) -> Iterator[None]:
        """Guards the block of a `with` statement, which calls a method of a kind.

        If the code of the kind raises an unexpected exception, raises Refused (R-10.16b) instead.
        """
        try:
            yield
        except (Refused, MemoryError):
            raise
        except Exception as error:
            what = f"{kind}.{method}"
            failure = describe_error(error)
            if self.errors.get(what) != failure:
                self.errors[what] = failure
                _LOG.exception("the code of %s failed", what)
            raise Refused(
                "R-10.16b", "the code of {kind} failed ({error})", kind=kind, error=failure
            ) from error


def describe_error(error: Exception) -> str:
    """Returns an exception as a line of text. The line names the place in the code that
    raised it.
    """
    frames = extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return safe_line(f"{type(error).__name__}: {error}")[:_MOST_TEXT] + place
