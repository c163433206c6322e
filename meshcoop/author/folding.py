"""Lets code that signs a record read and fold a thread.

Before a record is signed, its thread is folded twice: without the record, and with it. If the
thread is large, this takes long. So the code that signs is a generator: it yields a request, and
the caller sends the answer. A command folds at once. A node folds a large thread beside its loop,
so that other tasks can run. Records may arrive during that time. So the code that signs checks
afterwards that nothing has changed.
"""

from collections.abc import Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar

import trio

from meshcoop.fold.parts import Part
from meshcoop.fold.state import State
from meshcoop.fold.thread_fold import fold_beside
from meshcoop.ingest.backlog import read_part_in_steps
from protocol.authority.authority import Authority
from protocol.fold.fold import fold_thread
from protocol.fold.thread import Entry, Thread

T = TypeVar("T")


class ReadPart(NamedTuple):
    """A request to read some records of a stored thread, with their open contents."""

    part: Part

    def answer(self, state: State) -> list[Entry]:
        """Reads the records at once. No other task runs meanwhile."""
        thread_fold = state.thread_fold
        if self.part.is_whole:
            return thread_fold.entries_of(self.part.root)
        return thread_fold.entries_of_part(thread_fold.parts.read(self.part))

    async def answer_in_steps(self, state: State) -> list[Entry]:
        """Reads the records. If there are many, other tasks may run meanwhile."""
        return await read_part_in_steps(state, self.part)


class FoldThread(NamedTuple):
    """A request to fold some records into a thread."""

    entries: list[Entry]
    authority: Authority

    def answer(self, state: State) -> Thread:
        """Folds the thread at once. No other task runs meanwhile."""
        del state
        return fold_thread(self.entries, self.authority)

    async def answer_in_steps(self, state: State) -> Thread:
        """Folds the thread. If the thread is large, other tasks may run meanwhile."""
        del state
        return await fold_beside(self.entries, self.authority)


class Pause(NamedTuple):
    """A request to let other tasks run. Between two records, the state may change."""

    def answer(self, state: State) -> None:
        """Does nothing."""
        del state

    async def answer_in_steps(self, state: State) -> None:
        """Lets other tasks run."""
        del state
        await trio.lowlevel.checkpoint()


Folding: TypeAlias = Generator[ReadPart | FoldThread | Pause, Any, T]


def fold_at_once(state: State, folding: Folding[T]) -> T:
    """Runs a generator that signs, and returns its result. No other task runs meanwhile."""
    answer: object = None
    try:
        while True:
            answer = folding.send(answer).answer(state)
    except StopIteration as end:
        result: T = end.value
        return result


async def fold_in_steps(state: State, folding: Folding[T]) -> T:
    """Runs a generator that signs, and returns its result. Other tasks may run while a large thread
    is read or folded.

    Even if the caller is cancelled, the generator runs to its end and signs.
    """
    answer: object = None
    with trio.CancelScope(shield=True):
        try:
            while True:
                answer = await folding.send(answer).answer_in_steps(state)
        except StopIteration as end:
            result: T = end.value
    return result
