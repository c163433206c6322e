"""Collects garbage in short steps of the event loop.

Here, garbage means objects that nobody uses and that refer to each other in a circle. Python
searches old objects for such circles. At a home with 100,000 records, this search takes 60 ms, and
Python can begin it in the middle of any step of the loop. So a node searches in a step of its own,
and searches only new objects. Objects that stay in use are frozen, and later searches leave them
out.

Most objects need no search: Python frees them at once, frozen or not. Only a frozen circle stays,
such as a connection that was closed. So once a day a node searches all objects, if many more
objects are frozen than after the last such search. Nothing can interrupt this long search: for the
modules alone it takes 60 ms and more. The home of a small neighbourhood has too few objects to need
it.
"""

import gc

import trio

_NEVER = 2**31 - 1  # of collections of middle-aged objects
WHOLE_SECONDS = 24 * 3600

# Python's own collections of middle-aged objects, until the node looks through the old ones. Each
# makes at most 8,000 objects old.
_ROUNDS = 4
MOST_UNFROZEN = 30_000  # objects; to look through them takes some 18 ms
_MOST_FROZEN = 500_000  # objects, until the node looks through everything before the day is over


class Garbage:
    """The garbage of a process. Once this object exists, Python collects no old objects by itself.

    At the beginning, freezes all objects that are there. These objects are mostly modules, which
    stay in use.
    """

    def __init__(self) -> None:
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _NEVER)
        gc.collect()
        gc.freeze()
        self._in_use = gc.get_freeze_count()  # frozen when the node last looked through everything
        self._is_due = trio.Event()

    async def collect_in_steps(self) -> None:
        """Collects garbage until cancelled. A collection is one step of the loop."""
        token = trio.lowlevel.current_trio_token()

        def note(phase: str, info: dict[str, int]) -> None:
            # Python calls this in any thread.
            if phase == "stop" and info["generation"] == 1 and gc.get_count()[2] >= _ROUNDS:
                token.run_sync_soon(self._note_due, idempotent=True)

        gc.callbacks.append(note)
        try:
            while True:
                with trio.move_on_after(WHOLE_SECONDS):
                    while self._count_frozen() < _MOST_FROZEN:
                        await self._is_due.wait()
                        self._is_due = trio.Event()
                        self._collect_new()
                if self._count_frozen() > MOST_UNFROZEN:
                    self._collect_all()
        finally:
            gc.callbacks.remove(note)

    def _count_frozen(self) -> int:
        """Returns how many more objects are frozen now than when the node last looked through all
        objects.
        """
        return gc.get_freeze_count() - self._in_use

    def _note_due(self) -> None:
        self._is_due.set()

    def _collect_new(self) -> None:
        """Looks through the objects that are not frozen. If many of them stay in use,
        freezes them.
        """
        gc.collect()
        if len(gc.get_objects()) > MOST_UNFROZEN:
            gc.freeze()

    def _collect_all(self) -> None:
        """Looks through all objects, the frozen ones included. Then freezes those in use."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._in_use = gc.get_freeze_count()
