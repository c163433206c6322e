"""Who gets a place depends only on the set of claims. Every order of the claims gives the same
result, and never more places are given than there are.
"""

import random

from hypothesis import given
from hypothesis import strategies as st

from protocol.kinds.activities.seating import Claim, assign_seats

PEOPLE = [bytes([n]) * 32 for n in range(8)]
ROLES = {"cook": 1, "server": 2}

_orders = st.tuples(st.integers(0, 9), st.binary(min_size=4, max_size=4))
_claims = st.lists(
    st.builds(
        Claim,
        st.sampled_from(PEOPLE),
        st.sampled_from(sorted(ROLES)),
        _orders,
        st.none() | _orders,
    ),
    max_size=14,
    unique_by=lambda one: one.order,
)


def held(found):
    return [person for one in found.values() for person in one.has]


@given(_claims, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_places(claims, dice):
    shuffled = claims.copy()
    random.Random.shuffle(dice, shuffled)

    assert assign_seats(ROLES, claims) == assign_seats(ROLES, shuffled)


@given(_claims)
def test_there_are_never_more_people_than_places_and_nobody_is_lost(claims):
    found = assign_seats(ROLES, claims)

    assert all(len(found[role].has) <= room for role, room in ROLES.items())
    assert len(held(found)) == len(set(held(found)))
    for claim in claims:
        assert claim.person in held(found) or claim.person in found[claim.role].waits
    for role, (has, waits) in found.items():
        assert not set(has) & set(waits)
        assert not waits or len(has) == ROLES[role]


@given(_claims, st.sampled_from(PEOPLE), st.sampled_from(sorted(ROLES)))
def test_a_later_signup_takes_nobodys_place(claims, person, role):
    before = assign_seats(ROLES, claims)
    after = assign_seats(ROLES, [*claims, Claim(person, role, (10, b"late"))])

    assert set(held(before)) <= set(held(after))


@given(_claims, st.integers(0, 13), st.integers(0, 13))
def test_who_was_accepted_keeps_the_place_whatever_is_said_later(claims, first, second):
    claims = [one._replace(accepted=None) for one in claims]
    if not claims:
        return
    one, other = claims[first % len(claims)], claims[second % len(claims)]
    accepted = one._replace(accepted=(20, b""))
    claims = [accepted if each is one else each for each in claims]
    assert accepted.person in assign_seats(ROLES, claims)[accepted.role].has

    later = [
        each._replace(accepted=(21, b"")) if each is other and other is not one else each
        for each in claims
    ]
    more = [*later, Claim(PEOPLE[0], accepted.role, (0, b""))]

    assert accepted.person in assign_seats(ROLES, more)[accepted.role].has


@given(_claims)
def test_what_is_written_down_stays(claims):
    fixed = {"cook": [PEOPLE[0]], "server": []}
    found = assign_seats(ROLES, claims, fixed)

    assert (found["cook"].has, found["server"].has) == ([PEOPLE[0]], [])
    assert PEOPLE[0] not in found["server"].waits
