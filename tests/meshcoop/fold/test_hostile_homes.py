"""Homes take or refuse what hostile neighbours sign, show the rest, and find the same.

`HOSTILE=127` replays one neighbourhood.
"""

import os

import pytest

from protocol.kinds.moderation import Flag
from tests.support.hostile_homes import HostileHomes, public_kinds

HOMES = 25  # 10 s of the processor
MANY = 200
MANIES = int(os.environ.get("HOSTILES", "17"))  # quarter of an hour
NUMBERS = [int(os.environ["HOSTILE"])] if "HOSTILE" in os.environ else range(HOMES)


def check_homes(numbers):
    """Checks neighbourhoods. Says which one fails. Returns the kinds of which records are stored."""
    stored = set()
    for number in numbers:
        homes = HostileHomes(number)
        try:
            homes.check()
        except Exception as error:
            error.add_note(f"replay it with HOSTILE={number}")
            raise
        stored |= set(homes.stored)
    return stored


def test_homes_stand_whatever_neighbours_sign():
    check_homes(NUMBERS)


@pytest.mark.long
@pytest.mark.parametrize("part", range(1, MANIES + 1))
def test_many_homes_stand_whatever_neighbours_sign(part):
    stored = check_homes(range(MANY * part, MANY * (part + 1)))
    assert stored == {declared.name for declared in public_kinds()}


def test_a_fault_that_the_home_contains_is_found(monkeypatch):
    def fail(flag):
        return [(flag.reason or "")[1]]  # a reason can be a single letter, and can be hidden

    monkeypatch.setattr(Flag, "texts", fail)

    with pytest.raises(AssertionError, match="IndexError"):
        check_homes(range(HOMES))
