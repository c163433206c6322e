"""The people that this home has muted. Lists and screens leave out the posts of muted people. The
folded state still has these posts.
"""

from typing import Any

from meshcoop.store.store import Store
from protocol.fold.registry import people_in
from protocol.fold.view import View

_NOTE = "muted"
_PERSON = 32  # bytes of a person's id


class MutedPeople:
    """The muted people. Only this home's store has the list, so nobody else learns who is muted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        noted: Any = store.read_note(_NOTE) or b""  # the ids of the people, one after the other
        starts = range(0, len(noted), _PERSON)
        self.people = {noted[start : start + _PERSON] for start in starts}

    def set_muted(self, person: bytes, *, muted: bool) -> None:
        """Mutes a person. If `muted` is False, ends the muting."""
        self.people = self.people | {person} if muted else self.people - {person}
        with self._store.transaction():
            self._store.set_note(_NOTE, b"".join(sorted(self.people)))

    def hides(self, view: View, own_people: set[bytes]) -> bool:
        """Returns whether lists leave out a view because a muted person wrote it.

        A view that names one of `own_people` is always shown. So people still see what they signed
        together with a muted person (R-06.8).
        """
        return view.author in self.people and not people_in(view) & own_people
