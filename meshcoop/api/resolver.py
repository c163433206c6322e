"""Resolves what people type: a record by the first digits of its id, a person by id or name."""

import re
from collections.abc import Iterable

from meshcoop.api.params import USAGE_ERROR
from meshcoop.api.presenter import Presenter
from meshcoop.errors import Mistake
from meshcoop.fold.state import State
from meshcoop.sync.invitation_desk import WaitingPerson
from protocol.errors import Refused

_ID_PREFIX = re.compile(r"[0-9a-f]{8,64}")


class Resolver:
    """Finds ids among the records and people of this home. Raises Mistake with the remedy."""

    def __init__(self, state: State, presenter: Presenter) -> None:
        self._state = state
        self._names = presenter.names()

    def resolve(self, what: str, typed: str) -> bytes:
        """The id of a "record", a "person", or a person "named" in a field. Raises Mistake.

        Raises Refused if nobody here has the name: a field may then name somebody outside.
        """
        if what == "record":
            return self.resolve_record(typed)
        if what == "named" and not _matching_people(typed, self._candidates(typed)):
            raise Refused("R-10.3", f"nobody here is {typed!r}")
        return self.resolve_person(typed)

    def resolve_record(self, typed: str) -> bytes:
        """The id of a stored record, from its first 8 or more hexadecimal digits."""
        prefix = str(typed).strip().lower()
        if not _ID_PREFIX.fullmatch(prefix):
            raise Mistake(
                f"{typed!r} is not an id: ids are 8 to 64 hexadecimal digits.", USAGE_ERROR
            )
        record_ids = self._state.store.records.ids_beginning(prefix)
        if not record_ids:
            raise Mistake(f"No record here begins with {prefix}; it may not have arrived yet.")
        if len(record_ids) > 1:
            raise Mistake(f"Several records begin with {prefix}; give more digits.")
        return record_ids[0]

    def resolve_person(self, typed: str) -> bytes:
        """A member, or else a person who was removed, by a unique name or the start of an id."""
        return _only_match(typed, self._candidates(typed), "`meshcoop list people` shows everybody")

    def resolve_newcomer(self, typed: str, knocks: Iterable[WaitingPerson]) -> bytes:
        """A person who knocked, or who has been vouched for already."""
        authority = self._state.authority
        newcomers = dict.fromkeys(authority.candidates, "") if authority else {}
        newcomers |= {knock.person: knock.name for knock in knocks}
        if authority:
            # Who has been admitted meanwhile is found as well: to approve them again is harmless.
            matches = _matching_people(typed, self._with_names(authority.members))
            if len(matches) == 1 and not _matching_people(typed, newcomers):
                return matches[0]
        return _only_match(typed, newcomers, "`meshcoop status` shows who waits")

    def _candidates(self, typed: str) -> dict[bytes, str]:
        """The names of the members, or of everybody ever admitted if no member fits."""
        authority = self._state.authority
        if authority is None:
            return {}
        members = self._with_names(authority.members)
        if _matching_people(typed, members):
            return members
        return self._with_names(authority.people)

    def _with_names(self, people: Iterable[bytes]) -> dict[bytes, str]:
        return {person: self._names.get(person, "") for person in people}


def _only_match(typed: str, people: dict[bytes, str], remedy: str) -> bytes:
    matches = _matching_people(typed, people)
    if not matches:
        raise Mistake(f"Nobody here is {typed!r}; {remedy}.")
    if len(matches) > 1:
        raise Mistake(f"Several people are {typed!r}; use the first digits of an id.")
    return matches[0]


def _matching_people(typed: str, people: dict[bytes, str]) -> list[bytes]:
    """The people with this name, then those whose id begins so: a name may look like an id."""
    wanted = str(typed).strip()
    folded = wanted.casefold()
    matches = [person for person, name in people.items() if name and name.casefold() == folded]
    prefix = wanted.lower()
    if _ID_PREFIX.fullmatch(prefix):
        by_id = [person for person in people if person.hex().startswith(prefix)]
        matches += [person for person in by_id if person not in matches]
    return matches
