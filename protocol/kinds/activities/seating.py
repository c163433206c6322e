"""Who has a place at an occurrence, and who waits (specs/17-activities.md, R-17.9)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Order = tuple[int, bytes]  # time, then id


class Claim(NamedTuple):
    """Somebody's wish for a place; `accepted`: the order of the organiser's first yes to it."""

    person: bytes
    role: str
    order: Order
    accepted: Order | None = None


class Seats(NamedTuple):
    """The people who have a place in a role, and those who wait for one, first come first."""

    has: list[bytes]
    waits: list[bytes]


def assign_seats(
    roles: Mapping[str, int],
    claims: Iterable[Claim],
    fixed: Mapping[str, list[bytes]] | None = None,
) -> dict[str, Seats]:
    """The seats of each role with so many places. `fixed`: who has one, once that is written down.
    Nobody has two places, and what is added later in the order takes none away.
    """
    found = {role: Seats([], []) for role in roles}
    if fixed is not None:
        for role, people in fixed.items():
            found[role].has.extend(people)
    placed = {person for one in found.values() for person in one.has}
    for claim in sorted(claims, key=_first_come):
        has, waits = found[claim.role]
        if claim.person in placed:
            continue
        if fixed is None and len(has) < roles[claim.role]:
            has.append(claim.person)
            placed.add(claim.person)
        elif claim.person not in waits:
            waits.append(claim.person)
    for one in found.values():  # who waited for one role may have come to a place in another
        one.waits[:] = [person for person in one.waits if person not in placed]
    return found


def _first_come(claim: Claim) -> tuple[bool, Order]:
    """Those accepted come first, in the order in which they were."""
    return claim.accepted is None, claim.accepted or claim.order
