"""Finding what somebody means: an id by its beginning, a person by name."""

import re
from collections.abc import Iterable

from meshcoop.api.presenter import Presenter
from meshcoop.errors import Mistake
from meshcoop.fold.state import State
from meshcoop.sync.invitation_desk import Knocked
from protocol.errors import Refused

_PREFIX = re.compile(r"[0-9a-f]{8,64}")
_USAGE = 2


class Finder:
    """Resolves what people type against the state of this home. Raises Mistake with the remedy."""

    def __init__(self, state: State, presenter: Presenter) -> None:
        self._state = state
        self._names = presenter.names()

    def resolve(self, what: str, typed: str) -> bytes:
        """The id of a "person" or a "record", or of who is "named". Raises Mistake.

        Raises Refused where nobody is named so: then it may be somebody outside.
        """
        if what == "record":
            return self.record(typed)
        if what == "named" and not _matching(typed, self._known(typed)):
            raise Refused("R-10.3", f"nobody here is {typed!r}")
        return self.person(typed)

    def record(self, typed: str) -> bytes:
        """The id of a stored record, from its first 8 or more hexadecimal digits."""
        prefix = str(typed).strip().lower()
        if not _PREFIX.fullmatch(prefix):
            raise Mistake(f"{typed!r} is no id: ids are 8 to 64 hexadecimal digits.", _USAGE)
        found = self._state.store.records.ids_beginning(prefix)
        if not found:
            raise Mistake(f"No record here begins with {prefix}; it may not have arrived yet.")
        if len(found) > 1:
            raise Mistake(f"Several records begin with {prefix}; give more digits.")
        return found[0]

    def person(self, typed: str) -> bytes:
        """A member, else somebody who was removed, by a unique name or the beginning of an id."""
        return _one(typed, self._known(typed), "`meshcoop list people` shows who is")

    def _known(self, typed: str) -> dict[bytes, str]:
        """The people among whom somebody is looked for: the members, unless none of them fits."""
        authority = self._state.authority
        belong, were = (authority.members, authority.people) if authority else ({}, {})
        members, people = (
            {one: self._names.get(one, "") for one in some} for some in (belong, were)
        )
        return members if _matching(typed, members) else people

    def newcomer(self, typed: str, knocks: Iterable[Knocked]) -> bytes:
        """Somebody who knocked, or for whom others have vouched already."""
        authority = self._state.authority
        waiting = dict.fromkeys(authority.waiting, "") if authority else {}
        waiting |= {one.person: one.name for one in knocks}
        if authority:
            typed_members = {p: self._names.get(p, "") for p in authority.members}
            found = _matching(typed, typed_members)
            if len(found) == 1 and not _matching(typed, waiting):
                return found[0]
        return _one(typed, waiting, "`meshcoop status` shows who waits")


def _one(typed: str, people: dict[bytes, str], remedy: str) -> bytes:
    found = _matching(typed, people)
    if not found:
        raise Mistake(f"Nobody here is {typed!r}; {remedy}.")
    if len(found) > 1:
        raise Mistake(f"Several people are {typed!r}; use the first digits of an id.")
    return found[0]


def _matching(typed: str, people: dict[bytes, str]) -> list[bytes]:
    name = str(typed).strip()
    named = [one for one, known in people.items() if known.casefold() == name.casefold() and known]
    prefix = name.lower()
    if _PREFIX.fullmatch(prefix):
        named += [one for one in people if one.hex().startswith(prefix) and one not in named]
    return named
