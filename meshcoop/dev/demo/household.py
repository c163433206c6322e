"""A home of the demo. The story uses the home only through the command line."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from cyclopts import CycloptsError

from meshcoop.cli import main as cli
from meshcoop.cli.context import Context
from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from protocol.errors import Refused

Row = dict[str, Any]  # a row of a list or a view, in the form in which the commands print it

_AGREE_SECONDS = 30
_PAUSE = 0.25  # seconds
_SubjectT = TypeVar("_SubjectT")
_ResultT = TypeVar("_ResultT")


@dataclass(frozen=True)
class _CapturedContext(Context):
    """The context of a command. It keeps the answers of commands and does not print them."""

    answers: list[Any] = field(default_factory=list)

    def answer(
        self, value: Any, text: Callable[[], str] | None = None, *, is_done: bool = False
    ) -> None:
        """Keeps the value that a command would print as JSON."""
        del text, is_done
        self.answers.append(value)


class Household:
    """A home with the name of one resident. This resident may share the home with guests."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.home = folder / name.lower()

    def run(self, *words: str) -> Any:
        """Runs a command of the command line and returns its answer.

        If the command fails, raises Mistake with the command's error.
        """
        # The command runs in this process. A process of its own would take ten times as long.
        context = _CapturedContext(Home(self.home), json=True)
        try:
            cli.run_command(words, context)
        except (Mistake, Refused, CycloptsError, SystemExit) as error:
            raise Mistake(
                "{name}: `{choices}` said: {error}",
                name=self.name,
                choices=" ".join(words[:2]),
                error=error,
            ) from error
        return context.answers[-1]

    def post(self, kind: str, *words: str) -> str:
        """Posts a record and returns its id."""
        return str(self.run("post", kind, *words)["id"])

    def wait_for(self, *record_ids: str) -> None:
        """Waits until this home has stored the given records."""
        for record_id in record_ids:
            self.run("wait", "--id", record_id)


def map_in_pairs(
    act: Callable[[_SubjectT], _ResultT], subjects: Iterable[_SubjectT]
) -> list[_ResultT]:
    """Calls `act` once for each subject, two calls at a time. Returns the results in the order of
    the subjects.
    """
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(act, subjects))


def poll_until(
    observe: Callable[[], list[_ResultT]], is_settled: Callable[[list[_ResultT]], object]
) -> list[_ResultT]:
    """Calls `observe` repeatedly until `is_settled` accepts the result. Gives up after 30 s.
    Returns the last result.
    """
    deadline = time.monotonic() + _AGREE_SECONDS
    observed = observe()
    while not is_settled(observed) and time.monotonic() < deadline:
        time.sleep(_PAUSE)  # the answers take time that the nodes need
        observed = observe()
    return observed
