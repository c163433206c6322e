"""How much a relay keeps of one neighbourhood, and for how long (specs/08-relays.md, R-08.8).

Headers and what authority is made of stay, for logs hang on them. Sealed content is a loan: the
oldest is let go when the room is used up or its days are over; the homes still hold it.
"""

import sqlite3

from meshcoop.home.relay_limits import Limits
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from protocol.record import envelope as record

_SCHEMA = """
CREATE TABLE IF NOT EXISTS arrived (day INTEGER PRIMARY KEY, last INTEGER NOT NULL);
"""
_ROW = 200  # bytes that SQLite needs beside a record's own: ids in its indexes, its place in a log
_SIZE = f"length(header) + 64 + coalesce(length(content), 0) + {_ROW}"
_LOW = 0.9  # of the room is left in use when room is made
_PAGE = 500
_LET_GO = "let_go"  # in the store: the last row whose sealed content is not kept


class Storage:
    """Counts, and lets go. It is told of what is stored as a listener of the inbox."""

    def __init__(self, inbox: Inbox, limits: Limits) -> None:
        self.limits = limits
        self._inbox, self._store = inbox, inbox.store
        self._db: sqlite3.Connection = inbox.store.db
        self._db.executescript(_SCHEMA)
        found = self._db.execute(f"SELECT coalesce(sum({_SIZE}), 0) FROM records")  # noqa: S608
        self.used = int(found.fetchone()[0])
        inbox.let_go = int(str(self._store.meta(_LET_GO) or 0))
        inbox.listeners.append(self._on_stored)
        self._allot()

    @property
    def let_go(self) -> int:
        """How many records are held without the content that they had."""
        found = self._db.execute(
            "SELECT count(*) FROM records WHERE n <= ? AND NOT open AND content IS NULL",
            (self._inbox.let_go,),
        )
        return int(found.fetchone()[0])

    def tidy(self, now: int) -> None:
        """Lets go what is over its days or its room. `now` in milliseconds."""
        today = now // record.DAY_MS
        last = self._db.execute("SELECT max(n) FROM records").fetchone()[0] or 0
        with self._store.transaction(durable=False):
            self._db.execute("INSERT OR REPLACE INTO arrived VALUES (?, ?)", (today, last))
            old = self._db.execute(
                "SELECT max(last) FROM arrived WHERE day < ?", (today - self.limits.days,)
            ).fetchone()[0]
            self._release(old or 0)
            if self.used > self.limits.room:
                self._release(self._cut())
        self._allot()

    def _on_stored(self, taken: IngestResult) -> None:
        for one in taken.stored:
            self.used += len(one.header) + 64 + len(one.content or b"") + _ROW
        if self.used > self.limits.room:
            with self._store.transaction(durable=False):
                self._release(self._cut())
        self._allot()

    def _allot(self) -> None:
        self._inbox.placement.room = self.limits.room - self.used

    def _cut(self) -> int:
        """The row up to which content must go for the rest to fit."""
        excess, last = self.used - int(_LOW * self.limits.room), self._inbox.let_go
        rows = self._db.execute(
            "SELECT n, length(content) FROM records"
            " WHERE n > ? AND NOT open AND content NOT NULL ORDER BY n",
            (last,),
        )
        for n, size in rows:
            if excess <= 0:
                break
            excess, last = excess - size, n
        return last

    def _release(self, last: int) -> None:
        if last <= self._inbox.let_go:
            return
        where = "n > ? AND n <= ? AND NOT open AND content NOT NULL"
        between = (self._inbox.let_go, last)
        found = self._db.execute(
            f"SELECT coalesce(sum(length(content)), 0) FROM records WHERE {where}",  # noqa: S608
            between,
        ).fetchone()
        self._db.execute(f"UPDATE records SET content = NULL WHERE {where}", between)  # noqa: S608
        self.used -= int(found[0])
        self._inbox.let_go = last
        self._store.set_meta(_LET_GO, last)
