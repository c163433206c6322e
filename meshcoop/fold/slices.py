"""Does long work on the event loop in slices, and lets other tasks run between the slices.

People can write so much that one answer about all of it would hold up everybody. The code that
makes such an answer is not a coroutine, and need not become one: it calls `pause` once for each
view that it reads or shows. It can also let a thread do what needs no database (`run_beside`).

Only `answer_in_slices` and what runs under it is ever interrupted. Whoever writes to the store or
signs is not: nothing may change under their hands.
"""

import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

import greenback
import trio

SLICE_MS = 10  # of the processor

T = TypeVar("T")
P = TypeVar("P")

_began: ContextVar[int] = ContextVar("_began")  # when the slice began, in nanoseconds


async def answer_in_slices(method: Callable[[P], Awaitable[T]], params: P) -> T:
    """Awaits a method that reads, and changes nothing. Other tasks may run at each `pause`."""
    _began.set(time.thread_time_ns())
    return await greenback.with_portal_run(method, params)


def pause() -> None:
    """Lets other tasks run if the slice is over. Does nothing if the caller does not work in slices.

    Meanwhile, other tasks may change the store and what is folded from it.
    """
    began = _began.get(None)
    if began is None or time.thread_time_ns() - began < SLICE_MS * 1_000_000:
        return
    if greenback.has_portal():
        greenback.await_(trio.lowlevel.checkpoint())  # noqa: ASYNC105  # greenback awaits it
        _began.set(time.thread_time_ns())


def run_beside(function: Callable[..., T], *args: object) -> T:
    """Runs a function that needs no database, and returns its result. If the caller works in
    slices, a thread runs the function, and other tasks may run meanwhile.
    """
    if _began.get(None) is None or not greenback.has_portal():
        return function(*args)
    result = greenback.await_(trio.to_thread.run_sync(partial(function, *args)))
    _began.set(time.thread_time_ns())
    return result
