"""Places at an occurrence: who has a place, and who waits (specs/17-activities.md, R-17.9)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Order = tuple[int, bytes]  # time, then id


class Claim(NamedTuple):
    """Somebody's wish for a place."""

    person: bytes
    role: str
    order: Order
    accepted: Order | None = None  # the order of the organiser's first yes to it


class Seats(NamedTuple):
    """The people who have a place in a role, and the people who wait for one.

    First come, first served.
    """

    has: list[bytes]
    waits: list[bytes]


def assign_seats(
    roles: Mapping[str, int],
    claims: Iterable[Claim],
    fixed: Mapping[str, list[bytes]] | None = None,
) -> dict[str, Seats]:
    """Returns the seats of each role.

    `roles` has the number of places of each role. `fixed` has the people who had a place, once the
    organiser has written them down. Nobody gets two places. A later claim never takes a place from
    an earlier one.
    """
    seats = {role: Seats([], []) for role in roles}
    if fixed is not None:
        for role, people in fixed.items():
            seats[role].has.extend(people)
    placed = {person for seat in seats.values() for person in seat.has}
    for claim in sorted(claims, key=_first_come):
        has, waits = seats[claim.role]
        if claim.person in placed:
            continue
        if fixed is None and len(has) < roles[claim.role]:
            has.append(claim.person)
            placed.add(claim.person)
        elif claim.person not in waits:
            waits.append(claim.person)
    # A person who waits for one role may have got a place in another role since.
    for seat in seats.values():
        seat.waits[:] = [person for person in seat.waits if person not in placed]
    return seats


def _first_come(claim: Claim) -> tuple[bool, Order]:
    """Returns the order of a claim.

    Accepted claims come first, in the order in which they were accepted.
    """
    return claim.accepted is None, claim.accepted or claim.order
