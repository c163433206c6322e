"""While the loop of a node runs, no table is made whose first use takes long."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import meshcoop
import protocol
from meshcoop.node.slow_tables import load_tables
from tests.support.work import count_calls

FEW = 50_000  # calls; about 20 ms
ELSEWHERE = ("meshcoop.__main__", "meshcoop.cli", "meshcoop.dev")  # no part of a node


def tables():
    """Yields all functions of the program that keep the one result that they have."""
    for package in (meshcoop, protocol):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(ELSEWHERE):
                yield from filter(is_table, vars(import_module(module.name)).values())


def is_table(value):
    return hasattr(value, "cache_info") and not inspect.signature(value).parameters


@pytest.fixture
def left():
    """Returns the tables that a node has not made when its loop begins."""
    every = set(tables())
    for table in every:
        table.cache_clear()
    load_tables()
    return {table for table in every if not table.cache_info().currsize}


def test_the_loop_makes_only_tables_that_take_little(left):
    calls = {table.__qualname__: count_calls(table.__wrapped__) for table in left}

    assert "zone_names" in calls
    assert {name: count for name, count in calls.items() if count > FEW} == {}
