"""The default face, which is made from the words of a kind, shows the records of a package from
outside correctly.
"""

import importlib
import sys

import pytest

from protocol.fold.registry import KINDS
from tests.support.fake_node import ADA, CLOCK, SAM, ident, step_row, view, waiting_row
from tui.kinds.face import face_of, thread_steps, thread_story
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

TOOLLIB = "tests.toollib.toollib"
READER = Reader(ADA["id"], CLOCK)
TOOL = view(30, "toollib.tool", ADA, None, "lent", title="A drill", text="Blue.", minutes=30)
LOAN = view(31, "toollib.loan", SAM, ident(30), "asked", until="2026-12-24", title="A drill")


@pytest.fixture(autouse=True)
def toollib():
    known = dict(KINDS)
    sys.modules.pop(TOOLLIB, None)
    importlib.import_module(TOOLLIB)
    yield
    KINDS.clear()
    KINDS.update(known)


def thread(*steps):
    views = [Shown(TOOL), Shown(LOAN)]
    return ThreadData(views[0], views, steps=[Shown(row) for row in steps])


def test_a_thread_is_told_by_words_states_and_fields():
    told = thread_story(thread(), READER).plain
    assert told.startswith("A drill\nTool · you · lent out\n\nBlue.\nMinutes: 30 min")
    assert "Sam: Loan · asked for\nUntil: Thu 24 Dec" in told


def test_steps_have_a_button_each_and_what_waits_comes_first():
    steps = thread_steps(
        thread(
            step_row("toollib.loan", 30, ask=("until",)),
            step_row("close", 31, given={"as_state": "declined"}, ask=("why",)),
            step_row("accept", 31, awaited=True),
        ),
        READER,
    )
    assert [step.words.label for step in steps] == [
        "Loan: Accept (A drill)",
        "Loan: Ask",
        "Loan: declined (A drill)",
    ]


def test_cards_name_the_kind_where_several_kinds_stand():
    face = face_of("toollib.tool")
    assert face.card(Shown(TOOL), READER).detail == "you · Mon 23 Nov 17:30 · lent out"
    assert face.mixed_card(Shown(TOOL), READER).detail.startswith("Tool · you")
    row = Shown(waiting_row(LOAN, "accept", thread=ident(30)))
    card = face.waiting_card(row, READER)
    assert (card.id, card.title, card.detail) == (ident(30), "Loan: Accept", "A drill · Sam")
