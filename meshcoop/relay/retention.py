"""Retention: how much a relay keeps of one neighbourhood, and for how long (specs/08, R-08.8).

Headers and what authority is made of stay, for logs hang on them. Sealed content is a loan: the
oldest is let go when the room is used up or its days are over; the homes still hold it.
"""

from meshcoop.home.relay_limits import RelayLimits
from meshcoop.ingest.result import IngestResult
from meshcoop.store.relayed_content import RelayedContent, stored_size
from meshcoop.store.store import Store
from protocol.record import envelope as record

_FILL_LEVEL = 0.9  # of the room that is left in use when room is made
_RELEASED_ROW = "let_go"  # the store's note of the last row whose sealed content is not kept


class Storage:
    """Counts the bytes of a store, and lets sealed content go.

    An inbox asks it whether there is room (`meshcoop.ingest.retention`), and tells it of what was
    stored (`on_stored`).
    """

    def __init__(self, store: Store, limits: RelayLimits) -> None:
        self.limits = limits
        self._store = store
        self._content = RelayedContent(store)
        self.used = self._content.used()
        self.released_row = int(str(store.read_note(_RELEASED_ROW) or 0))

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more records with sealed content."""
        return self.used >= self.limits.room

    @property
    def released_count(self) -> int:
        """The number of records that are held without the content that they had."""
        return self._content.count_missing(self.released_row)

    def change_limits(self, limits: RelayLimits, now: int) -> None:
        """Keeps to other limits from now on. `now` in milliseconds."""
        self.limits = limits
        self.tidy(now)

    def tidy(self, now: int) -> None:
        """Lets go what is over its days or its room. `now` in milliseconds."""
        today = now // record.DAY_MS
        with self._store.transaction(durable=False):
            self._content.note_arrival(today, self._content.last_row())
            self._release(self._content.last_row_before(today - self.limits.days))
            if self.used > self.limits.room:
                self._release(self._row_to_cut_at())

    def on_stored(self, result: IngestResult) -> None:
        """Counts records that an inbox has stored, and makes room where they need it."""
        self.used += sum(stored_size(record) for record in result.stored)
        if self.used > self.limits.room:
            with self._store.transaction(durable=False):
                self._release(self._row_to_cut_at())

    def _row_to_cut_at(self) -> int:
        """The row up to which content must go for the rest to fit."""
        excess = self.used - int(_FILL_LEVEL * self.limits.room)
        last = self.released_row
        for row, size in self._content.content_sizes(last):
            if excess <= 0:
                break
            excess -= size
            last = row
        return last

    def _release(self, last: int) -> None:
        if last <= self.released_row:
            return
        self.used -= self._content.let_go(self.released_row, last)
        self.released_row = last
        self._store.set_note(_RELEASED_ROW, last)
