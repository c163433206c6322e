"""Does long work on the event loop in slices. Other tasks may run between two slices.

People can write very much. An answer about all of it would make everybody wait. The code that makes
such an answer need not be a coroutine. Instead, it calls `pause` for each view that it reads or
shows. With `run_beside`, it can also let a thread do work that needs no database.

Only work that `answer_in_slices` has started is interrupted. Code that signs or writes to the store
is never interrupted, because nothing may change while such code runs.
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
    """Runs a method that only reads, in slices. Other tasks may run at each `pause`."""
    _began.set(time.thread_time_ns())
    return await greenback.with_portal_run(method, params)


def pause() -> None:
    """Lets other tasks run if the current slice has lasted long enough. Does nothing if the caller
    does not work in slices.

    Other tasks may change the store and the state that is folded from it.
    """
    began = _began.get(None)
    if began is None or time.thread_time_ns() - began < SLICE_MS * 1_000_000:
        return
    if greenback.has_portal():
        greenback.await_(trio.lowlevel.checkpoint())  # noqa: ASYNC105  # greenback awaits it
        _began.set(time.thread_time_ns())


def run_beside(function: Callable[..., T], *args: object) -> T:
    """Runs a function that needs no database, and returns its result. If the caller works in
    slices, the function runs in a thread. Other tasks may run meanwhile.
    """
    if _began.get(None) is None or not greenback.has_portal():
        return function(*args)
    result = greenback.await_(trio.to_thread.run_sync(partial(function, *args)))
    _began.set(time.thread_time_ns())
    return result
