"""For all tests: how long an example takes says nothing on a busy machine, so nothing asserts it."""

import warm
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_unconfigure():
    warm.end()
