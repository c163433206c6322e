"""Finds the record or the person that a user means.

Users type the first digits of an id, or the name of a person.
"""

import re
from collections.abc import Iterable

from meshcoop.api.params import USAGE_ERROR
from meshcoop.api.presenter import Presenter
from meshcoop.errors import Mistake
from meshcoop.fold.state import State
from meshcoop.sync.invitation_desk import WaitingPerson
from protocol.display_text import safe_name
from protocol.errors import Refused
from protocol.spelling import are_alike

_ID_PREFIX = re.compile(r"[0-9a-f]{8,64}")
_NAME_AND_ID = re.compile(r"(.*\S)\s*\(([0-9a-f]{8,64})\)")  # as screens show people who are alike


class Resolver:
    """Finds records and people by what a user has typed. If a method finds nothing, it raises
    Mistake with advice.
    """

    def __init__(self, state: State, presenter: Presenter) -> None:
        self._state = state
        self._names = presenter.names

    def resolve(self, what: str, typed: str) -> bytes:
        """Returns the id of a record or a person. Raises Mistake if nothing fits, or if several
        fit.

        `what` is "record", "person" or "outsider". An outsider is a person who does not belong to
        the neighbourhood. An outsider has no id, so the result is empty. Raises Refused if a member
        has the outsider's name (R-10.3e).
        """
        if what == "record":
            return self.resolve_record(typed)
        if what == "outsider":
            self._check_outsider(typed)
            return b""
        return self.resolve_person(typed)

    def resolve_record(self, typed: str) -> bytes:
        """Returns the id of the only stored record whose id begins with the given digits. At least
        8 hexadecimal digits are needed.
        """
        prefix = str(typed).strip().lower()
        if not _ID_PREFIX.fullmatch(prefix):
            raise Mistake(
                "{typed!r} is not an id: ids are 8 to 64 hexadecimal digits.",
                USAGE_ERROR,
                typed=typed,
            )
        record_ids = self._state.store.records.ids_beginning(prefix)
        if not record_ids:
            raise Mistake(
                "No record here begins with {prefix}; it may not have arrived yet.", prefix=prefix
            )
        if len(record_ids) > 1:
            raise Mistake("Several records begin with {prefix}; give more digits.", prefix=prefix)
        return record_ids[0]

    def resolve_person(self, typed: str) -> bytes:
        """Finds a person by the start of their id, or by a name that nobody else has.

        Searches the members first. If no member fits, also searches the people who have left or
        were removed.
        """
        nobody = Mistake(
            "Nobody here is {typed!r}; `meshcoop list people` shows everybody.", typed=typed
        )
        return _only_match(typed, self._candidates(typed), nobody)

    def resolve_newcomer(self, typed: str, knocks: Iterable[WaitingPerson]) -> bytes:
        """Finds a newcomer: a person who has asked to join, or who has a voucher already."""
        authority = self._state.authority
        newcomers = dict.fromkeys(authority.candidates, "") if authority else {}
        newcomers |= {knock.person: knock.name for knock in knocks}
        if authority:
            # The person may have been admitted meanwhile. Approving a member again does no harm.
            matches = _matching_people(typed, self._with_names(authority.members))
            if len(matches) == 1 and not _matching_people(typed, newcomers):
                return matches[0]
        nobody = Mistake(
            "Nobody here is {typed!r}; `meshcoop status` shows who waits.", typed=typed
        )
        return _only_match(typed, newcomers, nobody)

    def _check_outsider(self, name: str) -> None:
        authority = self._state.authority
        if authority is not None and _matching_people(name, self._with_names(authority.members)):
            raise Refused(
                "R-10.3e",
                "{outsider} is a member: type @{outsider} for the member, and another name for "
                "somebody outside",
                outsider=name,
            )

    def _candidates(self, typed: str) -> dict[bytes, str]:
        """Returns the members with their names.

        If no member fits the typed text, returns everybody who was ever admitted.
        """
        authority = self._state.authority
        if authority is None:
            return {}
        members = self._with_names(authority.members)
        if _matching_people(typed, members):
            return members
        return self._with_names(authority.people)

    def _with_names(self, people: Iterable[bytes]) -> dict[bytes, str]:
        return {person: self._names.get(person, "") for person in people}


def _only_match(typed: str, people: dict[bytes, str], nobody: Mistake) -> bytes:
    matches = _matching_people(typed, people)
    if not matches:
        raise nobody
    if len(matches) > 1:
        raise Mistake(
            "Several people are {typed!r}; use the first digits of an id: {people}.",
            typed=typed,
            people=", ".join(safe_name(people[person], person.hex()[:8]) for person in matches),
        )
    return matches[0]


def _matching_people(typed: str, people: dict[bytes, str]) -> list[bytes]:
    """Returns the people whose id begins with `typed`. If there are no such people, returns the
    people whose name is `typed`.

    `typed` can also be a name together with the start of an id, as screens show it (R-06.10d).
    """
    wanted = str(typed).strip().removeprefix("@")
    prefix = wanted.lower()
    # An id comes first: nobody can take away another person's id by taking it as a name.
    if _ID_PREFIX.fullmatch(prefix):
        by_id = [person for person in people if person.hex().startswith(prefix)]
        if by_id:
            return by_id
    shown = _NAME_AND_ID.fullmatch(wanted)
    name, prefix = shown.groups() if shown else (wanted, "")
    return [
        person
        for person, own_name in people.items()
        if own_name and are_alike(own_name, name) and person.hex().startswith(prefix)
    ]
