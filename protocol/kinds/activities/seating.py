"""Who has a place on one day of an activity, and who waits (specs/17-activities.md, R-17.9)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from protocol.fold.view import Order


class Claim(NamedTuple):
    """The wish of a person for a place in a role."""

    person: bytes
    role: str
    order: Order
    accepted: Order | None = None  # time and id of the organiser's first `accept`


class Seats(NamedTuple):
    """The people who have a place in a role, and the people who wait for a place in the role.

    Places are given out in the order of the claims: first come, first served.
    """

    has: list[bytes]
    waits: list[bytes]


def assign_seats(
    roles: Mapping[str, int],
    claims: Iterable[Claim],
    fixed: Mapping[str, list[bytes]] | None = None,
) -> dict[str, Seats]:
    """Gives out the places. Returns for each role who has a place and who waits.

    `roles` has the number of places of each role. If the organiser has written down who had a
    place, `fixed` has these people, and nobody else gets a place. Nobody gets two places. Accepted
    claims come first, then the other claims. In each group the earlier claim comes first.
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
    # A person who waits for one role may have a place in another role by now.
    for seat in seats.values():
        seat.waits[:] = [person for person in seat.waits if person not in placed]
    return seats


def _first_come(claim: Claim) -> tuple[bool, Order]:
    """Returns the sort key of a claim.

    Accepted claims come first, in the order in which they were accepted. The other claims follow,
    in the order in which people signed up.
    """
    return claim.accepted is None, claim.accepted or claim.order
