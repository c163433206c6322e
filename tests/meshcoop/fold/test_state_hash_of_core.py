"""The state hash covers the kinds of the specs only (R-03.16)."""

import pytest

from protocol.fold.kind import Kind, Words
from protocol.fold.registry import KINDS, kind
from protocol.fold.view import States
from protocol.schema.declare import Text
from tests.support.street_in_memory import settle, street


@pytest.fixture
def loan():
    """Registers two kinds of a plug-in: one for loans, and one for questions about a loan."""

    @kind("shed.loan")
    class Loan(Kind):
        class State(States):
            OFFERED = "offered", "Nobody has asked for it."

        wording = Words("Loan", happened="{who} lends something")
        example = {"title": "A drill"}  # noqa: RUF012  # as kinds declare it
        title: str | None = Text(required=True, max=120)

    @kind("shed.question", about=("shed.loan",))
    class Question(Kind):
        class State(States):
            ASKED = "asked", "Somebody has asked."

        wording = Words("Question", happened="{who} asked")
        example = {"text": "Does it hammer?"}  # noqa: RUF012  # as kinds declare it
        text: str | None = Text(required=True, max=120)

    yield Loan
    KINDS.pop("shed.loan", None)
    KINDS.pop("shed.question", None)


def test_homes_with_and_without_a_plug_in_have_the_same_hash(loan):
    with street() as (ada, ben):
        ada.post("offer", title="Bread")
        drill = ada.post("shed.loan", title="A drill")
        settle(ada, ben)
        ben.post("shed.question", drill, text="Does it hammer?")
        flag = ben.post("flag", drill, reason="it is mine")
        settle(ada, ben)
        assert isinstance(ada.view(drill), loan)
        assert ada.view(flag) is not None
        with_plug_in = ada.state_hash()

        del KINDS["shed.loan"], KINDS["shed.question"]
        ben.state.rebuild()

        assert ben.view(drill) is None
        assert ben.state_hash() == with_plug_in == ada.state_hash()


def test_views_of_the_core_change_the_hash_beside_a_plug_in(loan):
    with street() as (ada, _):
        before = ada.state_hash()
        ada.post("shed.loan", title="A drill")
        assert ada.state_hash() == before
        ada.post("offer", title="Bread")
        assert ada.state_hash() != before
        assert len(ada.state.views.of_kind(loan)) == 1
