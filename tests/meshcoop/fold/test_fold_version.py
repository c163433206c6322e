"""The version of the fold is computed from the kinds and from the source code of the fold."""

import ast
import logging
import sys
import time

import pytest

from meshcoop.fold import fold_version as module
from meshcoop.fold import state as state_module
from meshcoop.fold.fold_version import derive_version, fold_version
from meshcoop.node.start_report import FOLDING, StartReport
from tests.support.street_in_memory import settle, street
from tests.support.work import count_calls

OURS = ("meshcoop.", "protocol.")
SOURCES = [("protocol.fold.fold", b"views = 1"), ("protocol.kinds.pages", b"")]


def _sources():
    return dict(module._sources_of(module.import_module("protocol.fold")))


def test_a_changed_byte_of_source_changes_the_version():
    version = derive_version("kinds", SOURCES)
    changed = [("protocol.fold.fold", b"views = 2"), SOURCES[1]]

    assert derive_version("kinds", reversed(SOURCES)) == version
    assert derive_version("kinds", changed) != version
    assert derive_version("other kinds", SOURCES) != version
    assert derive_version("kinds", SOURCES[:1]) != version


def test_the_sources_are_those_of_whole_packages_and_of_plug_ins(monkeypatch):
    assert {"protocol.fold.fold", "protocol.fold.registry"} <= _sources().keys()
    assert all(source for name, source in _sources().items() if name != "protocol.fold.__init__")

    version = fold_version.__wrapped__()
    assert version == fold_version.__wrapped__() == fold_version()
    plug_in = type("PlugIn", (), {"view_type": type("Loan", (), {"__module__": __name__})})
    monkeypatch.setattr(module, "describe_kinds", list)
    without = fold_version.__wrapped__()
    monkeypatch.setattr(module, "KINDS", {**module.KINDS, "shed.loan": plug_in})
    assert version != without != fold_version.__wrapped__()


def imports_of(source):
    """Yields the names of the modules and values that a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_sources_import_no_module_of_ours_that_is_no_source():
    sources = {
        name.removesuffix(".__init__"): source
        for package in module._SOURCES
        for name, source in module._sources_of(module.import_module(package))
    }
    imported = {name for source in sources.values() for name in imports_of(source)}
    ours = {name for name in imported & sys.modules.keys() if name.startswith(OURS)}

    assert ours - sources.keys() == set()


def test_the_version_is_derived_in_few_calls():
    fold_version.__wrapped__()
    assert count_calls(fold_version.__wrapped__) < 100_000


def test_a_home_makes_its_views_again_if_the_version_is_another_one(monkeypatch, tmp_path):
    with street() as (ada, ben):
        path = tmp_path / "store.db"
        home = ada.street.home(ada, *ada.who, path=path)
        ada.post("offer", title="Bread")
        settle(ada, ben, home)
        before = home.state_hash()
        steps = []
        state = (home.store, home.state.neighbourhood, home.state.ring, home.now)

        same = state_module.State(*state, lambda *step: steps.append(step))
        assert (same.views.state_hash(), steps) == (before, [])

        monkeypatch.setattr(state_module, "fold_version", lambda: "another")
        other = state_module.State(*state, lambda *step: steps.append(step))
        assert other.views.state_hash() == before
        threads = len(home.store.records.roots())
        assert steps == [(0, threads), (threads, threads)]


class Killed(BaseException):
    """Stands for the end of a killed process: nothing after it runs."""


def test_a_rebuild_that_is_killed_goes_on_where_it_was(monkeypatch, tmp_path):
    """Kills the rebuild at each of its parts. What the parts before have made is made only once."""
    monkeypatch.setattr(state_module, "_PART", 3)
    with street() as (ada, ben):
        path = tmp_path / "store.db"
        home = ada.street.home(ada, *ada.who, path=path)
        for n in range(9):
            ada.post("offer", title=f"Bread {n}")
        settle(ada, ben, home)
        before = home.state_hash()
        threads = len(home.store.records.roots())
        folded = []

        def open_state(is_killed_at):
            def report(done, total):
                folded.append(done)
                if is_killed_at == done < total:
                    raise Killed

            return state_module.State(
                home.store, home.state.neighbourhood, home.state.ring, home.now, report
            )

        monkeypatch.setattr(state_module, "fold_version", lambda: "another")
        parts = range(0, threads, 3)
        for done in parts:
            with pytest.raises(Killed):
                open_state(done)
        assert open_state(None).views.state_hash() == before
        # Each start begins with the part at which the one before was killed.
        twice = sorted([*parts, *parts])
        assert folded == [*twice, threads]

        # A third version makes all of them again, even if the second one was not done.
        monkeypatch.setattr(state_module, "fold_version", lambda: "a third")
        with pytest.raises(Killed):
            open_state(3)
        folded.clear()
        monkeypatch.setattr(state_module, "fold_version", lambda: "another")
        assert open_state(None).views.state_hash() == before
        assert folded[0] == 0


def test_a_rebuild_is_told_in_lines_a_second_apart(caplog, monkeypatch):
    caplog.set_level(logging.INFO, "meshcoop")
    clock = iter([0.0, 0.0, 0.5, 1.2, 1.2, 1.9, 2.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    report = StartReport(FOLDING)
    for done in (0, 500, 1000, 1500, 1700):
        report(done, 1700)
    assert [record.getMessage() for record in caplog.records] == [
        "The program has changed since this home last ran; its views are made anew.",
        "The views of 1000 of 1700 threads are made.",
        "The views of all 1700 threads are made.",
    ]
