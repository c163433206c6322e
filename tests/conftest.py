"""For all tests."""

import gc

import warm
from hypothesis import settings

# How long an example takes says nothing on a busy machine, so nothing asserts it.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_collection_finish():
    """What is there by now stays: looking for garbage in it took a quarter of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_unconfigure():
    warm.end()
