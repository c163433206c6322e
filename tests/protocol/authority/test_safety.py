"""What holds if fewer than half of every roll and of the moderators are hostile.

No honest person is expelled, and no rule changes without the yes of an honest person. What honest
people want happens once they can talk again.
"""

import os

import pytest

from protocol.authority import authority
from protocol.schema.register_names import STANDING
from tests.support.hostile_members import Hostility
from tests.support.promises import broken_promises
from tests.support.random_town import Town
from tests.support.schemers import Schemers

HALF, THIRD = 2, 3
FEW, MANY = range(8), range(8, 1000)


def safe(town, known):
    """Checks what must hold in any view, even if the view knows only few of the records."""
    assert broken_promises(town, known) == []


def final(town, home, known):
    """Checks that a term stays once two thirds have accepted it and every term before it. More
    records must not change this.
    """
    now = [one.id for one in known.chain.terms]
    was = town.settled.get(home.who.key, [])
    assert now[: len(was)] == was, "what was settled is not any more"
    if known.chain.is_settled:
        town.settled[home.who.key] = now


def lived(number, least=HALF, steps=25, hostility_of=Hostility):
    """Lets a town act while its network is partitioned several times. Checks every home's view
    meanwhile. Returns the town.
    """
    town = Town(number, least)
    hostility = hostility_of(town)
    for _ in range(steps):
        town.now += 60_000
        if town.random.random() < 0.2:
            town.part()
        for _ in range(town.random.randint(0, 2)):
            hostility.move()
        home = town.random.choice(town.homes)
        if town.random.random() < 0.6:
            home.idea()
        town.spread()
        for home in town.homes:
            home.duties()
            known = home.known()
            safe(town, known)
            if least == THIRD:
                final(town, home, known)
    safe(town, authority.fold_authority(town.charter, town.acts, town.forks))
    return town


def talk(town, hostility=None):
    """Brings all records to everybody, and lets everybody's software act until it writes nothing
    new.
    """
    for _ in range(20):
        town.heal()
        if hostility:
            hostility.move()
        before = len(town.acts)
        for home in town.random.sample(town.homes, len(town.homes)):
            home.duties()
            town.heal()
        if len(town.acts) == before:
            return town.homes[0].known()
    return town.homes[0].known()


def on_the_roll(town, known):
    return next(home for home in town.homes if home.who.key in known.term.roll)


def gets_its_way(town):
    """Honest people want a renewal and a removal. Checks that the renewal and the removal both soon
    hold, whatever hostile people do.
    """
    hostility = Hostility(town)
    known = talk(town)
    for _ in range(6):
        renewal = on_the_roll(town, known).renew()
        known = talk(town, hostility)
        if renewal.id in [one.id for one in known.chain.terms]:
            break
    else:
        raise AssertionError("the honest could not renew")
    enemy = town.random.choice(town.enemies)
    n = known.holding((STANDING, enemy.key)).n
    n += 1 + n % 2
    home = on_the_roll(town, known)
    asked = town.post(home.who, "proposes", STANDING, enemy.key, n, [[enemy.device, 3]])
    known = talk(town)
    assert known.outcomes[asked.id].passed
    assert enemy.key not in known.members
    assert all(home.known() == known for home in town.homes)
    safe(town, known)


@pytest.mark.parametrize("number", FEW)
def test_nobody_honest_is_expelled_and_the_honest_get_their_way(number):
    gets_its_way(lived(number))


@pytest.mark.long
@pytest.mark.parametrize("number", MANY)
def test_nobody_honest_is_expelled_in_many_more(number):
    gets_its_way(lived(number))


@pytest.mark.parametrize("number", FEW)
def test_what_two_thirds_accepted_is_final_with_fewer_than_a_third_hostile(number):
    stays_final(lived(number, THIRD))


@pytest.mark.long
@pytest.mark.parametrize("number", MANY)
def test_what_two_thirds_accepted_is_final_in_many_more(number):
    stays_final(lived(number, THIRD))


def stays_final(town):
    whole = authority.fold_authority(town.charter, town.acts, town.forks)
    for chain in town.settled.values():
        assert [one.id for one in whole.chain.terms[: len(chain)]] == chain


@pytest.mark.parametrize("number", range(4))
def test_nobody_honest_is_expelled_by_people_who_choose_what_harms_most(number):
    lived(f"chosen {number}", steps=15, hostility_of=Schemers)


@pytest.mark.long
@pytest.mark.parametrize("number", range(4, int(os.environ.get("CHOSEN", "500"))))
def test_nobody_honest_is_expelled_by_choice_in_many_more(number):
    lived(f"chosen {number}", hostility_of=Schemers)
