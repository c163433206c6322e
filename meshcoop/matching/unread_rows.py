"""The rows of views that the matching index has not read yet. The index reads only a limited number
of the rows with posts.

A person may have thousands of open posts. If the index read all of them, one person could make
every list of suggestions slow. So the index reads only the newest few of each device (R-19.4d).
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable

MAX_POSTS = 100  # open posts of one device that matching reads


class UnreadRows:
    """Rows that are not read yet. Rows with a higher number are newer.

    If a row can have posts, callers also give the log of its device.
    """

    def __init__(self) -> None:
        self._plain: set[int] = set()
        self._log_of: dict[int, int] = {}  # each row that can have posts → its log
        self._later: dict[int, list[int]] = defaultdict(list)  # log → rows not read, in order
        self._posts: dict[int, list[int]] = defaultdict(list)  # log → rows read with open posts
        self._waiting_logs: set[int] = set()  # logs from which a row may be taken

    def add(self, row: int, log: int | None) -> None:
        """Adds a row. `log` is the log of the row's record. If the row cannot have posts, `log` is
        None.
        """
        if log is None:
            self._plain.add(row)
            return
        self._log_of[row] = log
        insort(self._later[log], row)
        self._waiting_logs.add(log)

    def remove(self, row: int) -> None:
        """Removes a row, no matter whether it was read. An older row of the same device may then be
        read instead.
        """
        self._plain.discard(row)
        log = self._log_of.pop(row, None)
        if log is not None:
            _discard(self._later[log], row)
            _discard(self._posts[log], row)
            self._waiting_logs.add(log)

    def take(self, limit: int | None) -> list[int]:
        """Removes the rows that should be read now, at most `limit` of them, and returns them."""
        rows: list[int] = []
        while self._plain and len(rows) != limit:
            rows.append(self._plain.pop())
        while self._waiting_logs and len(rows) != limit:
            row = self._take_newest(next(iter(self._waiting_logs)))
            if row is not None:
                rows.append(row)
        return rows

    def note_posts(self, row: int) -> Iterable[int]:
        """Notes that a row has an open post. If the device now has too many such rows, yields the
        oldest rows: their posts no longer count.
        """
        log = self._log_of.get(row)
        if log is None:
            return
        posts = self._posts[log]
        insort(posts, row)
        if len(posts) > MAX_POSTS:
            oldest = posts.pop(0)
            insort(self._later[log], oldest)
            yield oldest

    def _take_newest(self, log: int) -> int | None:
        later = self._later[log]
        posts = self._posts[log]
        if later and (len(posts) < MAX_POSTS or later[-1] > posts[0]):
            return later.pop()
        self._waiting_logs.discard(log)
        return None


def _discard(rows: list[int], row: int) -> None:
    place = bisect_left(rows, row)
    if place < len(rows) and rows[place] == row:
        del rows[place]
