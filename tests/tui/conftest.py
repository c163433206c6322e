"""Sets the time zone of the tests to UTC, because pictures show local time. Loads all faces, which
show kinds of records.
"""

import time

import pytest

from protocol.fold.registry import load_kinds
from tui.kinds.face import load_faces

load_kinds()
load_faces()


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
