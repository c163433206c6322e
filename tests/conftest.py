"""Settings that hold for all tests."""

import gc
import os
import sys

from hypothesis import settings

from tests.support import forked_programs as warm
from tests.support.paths import ROOT

PURE = ROOT / "tests" / "protocol"

# Hundreds of processes run the code under test. So Python must keep the compiled code, even if
# this machine is set otherwise.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# On a busy machine, one example of Hypothesis may take any time. So no deadline is set.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_collection_finish():
    """When all tests are collected, tells the garbage collector to skip the objects that exist
    then.

    Searching these objects for garbage took a quarter of the suite's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_unconfigure():
    warm.end()


def pytest_collection_modifyitems(items):
    """Puts the tests below tests/protocol into the quick tier: they use no store, network or
    process.
    """
    for item in items:
        if PURE in item.path.parents and item.get_closest_marker("long") is None:
            item.add_marker("quick")
