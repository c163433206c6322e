"""The limit that this home's clock sets: a record from too far ahead is left out until it is due."""

from collections.abc import Callable

from meshcoop.store.database import Database
from meshcoop.store.postponed_threads import PostponedThreads

DRIFT_MS = 10 * 60_000  # how far ahead of this clock a record may be and fold at once


class ClockLimit:
    """Postpones what is ahead of the clock. `now` gives milliseconds."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._postponed = PostponedThreads(database)
        self._now = now

    def postpones(self, time: int, root: int) -> bool:
        """Whether `time` is ahead of the clock. If so, it is noted that the thread whose root is in
        row `root` has to be folded again when the time has come.
        """
        if time <= self._now() + DRIFT_MS:
            return False
        self._postponed.add(root, time)
        return True

    def due(self, now: int) -> list[int]:
        """The roots of the threads that were postponed and are due at `now` (ms)."""
        return self._postponed.due(now + DRIFT_MS)

    def forget_due(self, now: int) -> None:
        """Forgets the threads that are due at `now` (ms): they are folded again."""
        self._postponed.forget_due(now + DRIFT_MS)
