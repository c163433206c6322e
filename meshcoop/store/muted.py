"""Whom this home has muted: changes its lists and screens, never the state (DESIGN, invariant 8)."""

from typing import Any

from meshcoop.store.store import Store
from protocol.fold.kind import people_in
from protocol.fold.thread import View

_MARK = "muted"
_ID = 32


class Muted:
    """People whose posts this home leaves out. Kept in the store's own notes, and told nobody."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept: Any = store.note(_MARK) or b""
        self.people = {kept[at : at + _ID] for at in range(0, len(kept), _ID)}

    def turn(self, person: bytes, *, muted: bool) -> None:
        """Turns a person off, or on again."""
        self.people = self.people | {person} if muted else self.people - {person}
        with self._store.transaction():
            self._store.set_note(_MARK, b"".join(sorted(self.people)))

    def hides(self, view: View, mine: set[bytes]) -> bool:
        """R-06.8: what a muted person wrote, unless it names one of this home's people: what two
        have signed together stays in sight.
        """
        return view["author"] in self.people and not people_in(view) & mine
