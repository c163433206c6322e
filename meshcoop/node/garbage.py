"""Collects garbage in short steps of the event loop.

Here, garbage means objects that nobody uses and that refer to each other in a circle. Python
searches old objects for such circles. For the modules of a node alone, this search takes 60 ms, and
Python can begin it in the middle of any step of the loop. So a node searches in a step of its own,
and searches only new objects. Objects that stay in use are frozen, and later searches leave them
out.

Most objects need no search: Python frees them at once, frozen or not. Only a frozen circle stays,
such as a connection that was closed. So a node searches all objects once very many more objects are
frozen than after the last such search. Nothing can interrupt this long search, so it must be rare.
Code that makes circles again and again would make it frequent. The most usual such code keeps an
error that it has caught (`Refused.without_frames`).
"""

import gc

import trio

_NEVER = 2**31 - 1  # of collections of middle-aged objects

# Python's own collections of middle-aged objects, until the node looks through the old ones. Each
# makes at most 8,000 objects old.
_ROUNDS = 2
MOST_UNFROZEN = 15_000  # objects that stay in use, until they are frozen
MOST_FROZEN = 150_000  # more objects than before, until the node looks through everything

# Objects that are frozen between two counts. To count takes 10 ms and more: Python looks at each
# frozen object. Many of them are freed soon, so their number is not known without a count.
_COUNTED = 50_000


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
        self._uncounted = 0  # objects that were frozen since the last count
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
                await self._is_due.wait()
                self._is_due = trio.Event()
                self._collect_new()
                if self._uncounted >= _COUNTED:
                    await trio.lowlevel.checkpoint()
                    await self._collect_old()
        finally:
            gc.callbacks.remove(note)

    def _note_due(self) -> None:
        self._is_due.set()

    def _collect_new(self) -> None:
        """Looks through the objects that are not frozen. If many of them stay in use,
        freezes them.
        """
        gc.collect()
        kept = len(gc.get_objects())
        if kept > MOST_UNFROZEN:
            gc.freeze()
            self._uncounted += kept

    async def _collect_old(self) -> None:
        """Counts the frozen objects. If they are too many, looks through all objects, in a step of
        its own. Then freezes those in use.
        """
        self._uncounted = 0
        if gc.get_freeze_count() <= self._in_use + MOST_FROZEN:
            return
        await trio.lowlevel.checkpoint()
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._in_use = gc.get_freeze_count()
