"""Guards that keep the node running if a peer sends bad input or a handler has a fault.

py-libp2p runs all stream handlers and service tasks in one nursery. If one of them raises an
exception that is not a stream error, the whole host ends. For example, one malformed gossip frame
of 51 bytes, from any peer, was enough to end the host.
"""

import functools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import StreamHandlerFn
from libp2p.tools.anyio_service.api import InternalManagerAPI

log = logging.getLogger(__name__)

# One peer needs a sync stream, a gossip stream each way, identify and ping: about six at a time.
STREAMS_PER_PEER = 64
RESTART_AFTER = 1.0  # after this many seconds, a service loop that failed runs again


class StreamGuard:
    """Wraps libp2p's stream handler. Resets a stream whose handler has failed. Limits how many
    streams each peer may have open.
    """

    def __init__(self, handler: StreamHandlerFn) -> None:
        self._handler = handler
        self._open: Counter[str] = Counter()

    async def __call__(self, stream: INetStream) -> None:
        """Serves one stream that a peer opened. Raises nothing but a cancellation."""
        peer = str(stream.muxed_conn.peer_id)
        if self._open[peer] >= STREAMS_PER_PEER:
            # libp2p sets no limit on streams, and each stream costs a task and a buffer.
            await contain_faults("resetting a stream over the limit", stream.reset)
            return
        self._open[peer] += 1
        try:
            handle = functools.partial(self._handler, stream)
            if not await contain_faults(f"a stream of {peer}", handle):
                await contain_faults("resetting a failed stream", stream.reset)
        finally:
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]


async def contain_faults(name: str, action: Callable[[], Awaitable[object]]) -> bool:
    """Runs `action`. If `action` raises an exception, logs it with its traceback under `name`.

    Returns True if `action` raised nothing. A cancellation is raised again, even if Trio has put it
    into one group with an ordinary exception.
    """
    try:
        await action()
    except Exception:
        log.exception("%s failed", name)
        return False
    except BaseExceptionGroup as group:
        faults, rest = group.split(Exception)
        if faults is not None:
            log.exception("%s failed", name, exc_info=faults)
        if rest is not None:
            raise rest from None
        return False
    return True


def guard_tasks(manager: InternalManagerAPI) -> None:
    """Guards every task that a libp2p service starts from now on. An exception then ends only the
    task that raised it.

    Without the guard, an exception in one task (for example, while a message is handled) ends the
    service and then the host. A daemon task, such as the gossip heartbeat, must go on. So a daemon
    task that fails runs again after a pause.
    """
    # `object` because libp2p types run_task with a decorator that hides its keyword arguments.
    run_task: Callable[..., object] = manager.run_task

    def run_guarded(
        async_fn: Callable[..., Awaitable[object]],
        *args: object,
        daemon: bool = False,
        **options: Any,
    ) -> None:
        @functools.wraps(async_fn)
        async def guarded(*inner_args: object) -> None:
            name = getattr(async_fn, "__qualname__", repr(async_fn))
            while not await contain_faults(name, functools.partial(async_fn, *inner_args)):
                if not daemon:
                    return
                await trio.sleep(RESTART_AFTER)

        run_task(guarded, *args, daemon=daemon, **options)

    # This is set on one manager, not on libp2p's class. So other hosts in this process are not
    # changed.
    manager.run_task = run_guarded  # type: ignore[method-assign]
