"""Retention: how much of one neighbourhood's records a relay keeps, and for how long (specs/08,
R-08.8).

The relay keeps all headers, because logs depend on them. For the same reason, it keeps the records
that decide who is a member. Sealed content is kept only for a while. If the neighbourhood's space
is full, or if content is too old, the relay drops the oldest sealed content. The homes still have
this content.
"""

from meshcoop.home.relay_limits import RelayLimits
from meshcoop.ingest.result import IngestResult
from meshcoop.store.relayed_content import RelayedContent, stored_size
from meshcoop.store.store import Store
from protocol.record import envelope as record

_FILL_LEVEL = 0.9  # after old content was dropped, at most this part of the room is in use
_RELEASED_ROW = "let_go"  # the store's note of the last row whose sealed content was dropped


class Storage:
    """Counts the bytes that a store uses, and drops the oldest sealed content when necessary.

    The inbox asks this object whether there is room (`meshcoop.ingest.kept_content`). Also, the
    inbox reports the records that it has stored (`on_stored`).
    """

    def __init__(self, store: Store, limits: RelayLimits) -> None:
        self.limits = limits
        self._store = store
        self._content = RelayedContent(store)
        self.used = self._content.used()
        self.released_row = int(str(store.read_note(_RELEASED_ROW) or 0))

    @property
    def is_full(self) -> bool:
        """Whether the store has no room left for records with sealed content."""
        return self.used >= self.limits.room

    @property
    def released_count(self) -> int:
        """The number of sealed records whose content the relay has dropped."""
        return self._content.count_missing(self.released_row)

    def change_limits(self, limits: RelayLimits, now: int) -> None:
        """Applies new limits from now on. `now` is in milliseconds."""
        self.limits = limits
        self.tidy(now)

    def tidy(self, now: int) -> None:
        """Drops sealed content that is too old, or for which there is no room any more. `now` is in
        milliseconds.
        """
        today = now // record.DAY_MS
        with self._store.transaction(durable=False):
            self._content.note_arrival(today, self._content.last_row())
            self._release(self._content.last_row_before(today - self.limits.days))
            if self.used > self.limits.room:
                self._release(self._row_to_cut_at())

    def on_stored(self, result: IngestResult) -> None:
        """Counts the records that the inbox has just stored. If the store is full now, drops old
        content.
        """
        self.used += sum(stored_size(record) for record in result.stored)
        if self.used > self.limits.room:
            with self._store.transaction(durable=False):
                self._release(self._row_to_cut_at())

    def _row_to_cut_at(self) -> int:
        """Returns the row up to which all sealed content must be dropped, so that the remaining
        content fits into the allowed space.
        """
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
