"""A home of the demo, spoken to through the command line only."""

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

_AGREE_SECONDS = 30
_S = TypeVar("_S")
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Heard(Context):
    """Keeps what a command answers instead of printing it."""

    said: list[Any] = field(default_factory=list)

    def answer(self, value: Any, text: Callable[[], str] | None = None) -> None:
        """What would be printed as JSON."""
        del text
        self.said.append(value)


class Household:
    """Somebody's home, which one of them may share with guests."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.home = folder / name.lower()

    def run(self, *words: str) -> Any:
        """What a command answers. It runs in this process: a new one would take ten times as long.

        Raises Mistake with what it said instead.
        """
        heard = _Heard(Home(self.home), json=True)
        try:
            cli.call(words, heard)
        except (Mistake, Refused, CycloptsError, SystemExit) as error:
            raise Mistake(f"{self.name}: `{' '.join(words[:2])}` said: {error}") from error
        return heard.said[-1]

    def post(self, kind: str, *words: str) -> str:
        """Posts, and returns the id."""
        return str(self.run("post", kind, *words)["id"])

    def has(self, *records: str) -> None:
        """Waits until these records are here."""
        for one in records:
            self.run("wait", "--id", one)


def pairwise(do: Callable[[_S], _T], some: Iterable[_S]) -> list[_T]:
    """Does it for each, two at a time; what each of them answers."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(do, some))


def until(look: Callable[[], list[_T]], found: Callable[[list[_T]], object]) -> list[_T]:
    """What it sees once that is found, or at the last look."""
    deadline = time.monotonic() + _AGREE_SECONDS
    seen = look()
    while not found(seen) and time.monotonic() < deadline:
        seen = look()
    return seen
