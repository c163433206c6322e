"""Who is gone reads nothing that was written by a home that knows it.

Attackers: an expelled member, the thief of a device, somebody who was never sent a key, and their
allies who have left too. Asset: words. They keep all keys that they ever got, make keys, name whom
they like, sign on after their removal, claim any time and fork their logs.
"""

import random

import pytest

from tests.support.key_history import World

SMALL = 40
LARGE = 10_000
STEPS = 60


def live_through(seed):
    world = World(random.Random(seed))
    for _ in range(4):
        world.admit()
    for _ in range(STEPS):
        world.happen()
    return world


@pytest.mark.parametrize("count", [SMALL, pytest.param(LARGE, marks=pytest.mark.long)])
def test_no_key_of_a_departed_device_seals_what_a_home_writes_that_knows_of_it(count):
    written = departures = 0
    for seed in range(count):
        world = live_through(seed)
        assert world.leaks == [], seed
        written += len(world.words)
        departures += len(world.ever_gone)
        world.settle()
        assert world.unread() == [], seed
        assert all(view.made <= 8 or not view.given_up for view in world.honest())
    assert written > 5 * count  # the histories are no empty ones
    assert departures > count
