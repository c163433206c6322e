"""How much a relay keeps of one neighbourhood, and for how long (specs/08-relays.md, R-08.8).

Headers and what authority is made of stay, for logs hang on them. Sealed content is a loan: the
oldest is let go when the room is used up or its days are over; the homes still hold it.
"""

from meshcoop.home.relay_limits import Limits
from meshcoop.ingest.inbox import Inbox, Taken
from meshcoop.store.relayed_content import RelayedContent, stored_size
from protocol.record import envelope as record

_LOW = 0.9  # of the room is left in use when room is made
_PAGE = 500
_LET_GO = "let_go"  # in the store: the last row whose sealed content is not kept


class Storage:
    """Counts, and lets go. It is told of what is stored as a listener of the inbox."""

    def __init__(self, inbox: Inbox, limits: Limits) -> None:
        self.limits = limits
        self._inbox, self._store = inbox, inbox.store
        self._content = RelayedContent(inbox.store)
        self.used = self._content.used()
        inbox.let_go = int(str(self._store.note(_LET_GO) or 0))
        inbox.listeners.append(self._on_stored)
        self._allot()

    @property
    def let_go(self) -> int:
        """How many records are held without the content that they had."""
        return self._content.count_missing(self._inbox.let_go)

    def tidy(self, now: int) -> None:
        """Lets go what is over its days or its room. `now` in milliseconds."""
        today = now // record.DAY_MS
        with self._store.transaction(durable=False):
            self._content.note_arrival(today, self._content.last_row())
            self._release(self._content.last_row_before(today - self.limits.days))
            if self.used > self.limits.room:
                self._release(self._cut())
        self._allot()

    def _on_stored(self, taken: Taken) -> None:
        for one in taken.stored:
            self.used += stored_size(one)
        if self.used > self.limits.room:
            with self._store.transaction(durable=False):
                self._release(self._cut())
        self._allot()

    def _allot(self) -> None:
        self._inbox.room = self.limits.room - self.used

    def _cut(self) -> int:
        """The row up to which content must go for the rest to fit."""
        excess, last = self.used - int(_LOW * self.limits.room), self._inbox.let_go
        for n, size in self._content.content_sizes(last):
            if excess <= 0:
                break
            excess, last = excess - size, n
        return last

    def _release(self, last: int) -> None:
        if last <= self._inbox.let_go:
            return
        self.used -= self._content.let_go(self._inbox.let_go, last)
        self._inbox.let_go = last
        self._store.set_note(_LET_GO, last)
