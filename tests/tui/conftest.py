"""Sets the time zone of the tests to UTC, because pictures show local time. Loads all faces, which
show kinds of records.
"""

import time

import pytest
from textual.css.model import RuleSet

from protocol.fold.registry import load_kinds
from tui.kinds.face import load_faces

load_kinds()
load_faces()

# Textual hashes 150 rules for each widget whose style it works out. Its function of Python gives
# what the built-in one gives: equal only for the same rule.
RuleSet.__hash__ = object.__hash__


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
