"""The limit that this home's clock sets. A record from too far ahead does not fold until
it is due.
"""

from collections.abc import Callable

from meshcoop.store.database import Database
from meshcoop.store.postponed_threads import PostponedThreads

DRIFT_MS = 10 * 60_000  # a record may be this far ahead of the clock and still fold at once


class ClockLimit:
    """Postpones records that are too far ahead of the clock. `now` returns milliseconds."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._postponed = PostponedThreads(database)
        self._now = now

    def postpones(self, time: int, root: int) -> bool:
        """Whether `time` (ms) is too far ahead of the clock. If so, notes that the thread whose
        root is in row `root` must be folded again when `time` has come.
        """
        if time <= self._now() + DRIFT_MS:
            return False
        self._postponed.add(root, time)
        return True

    def due(self, now: int) -> list[int]:
        """Returns the roots of the postponed threads that are due at `now` (ms)."""
        return self._postponed.due(now + DRIFT_MS)

    def forget_due(self, now: int) -> None:
        """Forgets the threads that are due at `now` (ms). The caller folds them again."""
        self._postponed.forget_due(now + DRIFT_MS)
