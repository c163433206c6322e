"""The state hash covers the kinds of the specs only (R-03.16)."""

import pytest

from protocol.fold.kind import Kind, Words
from protocol.fold.registry import KINDS, kind
from protocol.fold.view import States
from protocol.schema.declare import Text
from tests.support.council import council
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
        ben.put(ben.forge("shed.question", drill, text="Does it hammer?"))
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


# -- records about records of a kind that a home does not know ------------------------------------

ANSWERS_ANYTHING = [declared for declared in KINDS.values() if declared.answers_anything]


def without_the_plug_in(home):
    """Lets a home forget the kinds of the plug-in, and returns its views and its state hash."""
    kept = {name: KINDS.pop(name) for name in list(KINDS) if name.startswith("shed.")}
    home.state.rebuild()
    facts = facts_of(home)
    KINDS.update(kept)
    home.state.rebuild()
    return facts


def facts_of(home):
    """Returns the state hash of a home, and the views of records that can be about anything."""
    rows = home.store.records.ids()
    views = [view for record_id in rows if (view := home.state.views.find(record_id))]
    kinds = {*(declared.name for declared in ANSWERS_ANYTHING), "retracted"}
    return home.state_hash(), {view.id: vars(view) for view in views if view.kind in kinds}


def deputy(ada, ben):
    """Ada lets Ben sign loans for her. Returns the field with which Ben signs for her."""
    proxy = ada.forge(
        "proxy", person=ben.me.person, matters=["shed.loan", "flag"], until="2030-01-01"
    )
    ada.put(proxy)
    settle(ada, ben)
    return {"for": proxy.id}


def drills(ada, ben):
    """Records of the plug-in's kind: sound ones, malformed ones, and ones signed by proxy."""
    yield ada.post("shed.loan", title="A drill")
    yield ada.put(ada.forge("shed.loan", title=7))
    yield ada.put(ada.forge("shed.loan", title="x" * 500, person=ben.me.person))
    yield ada.put(ada.forge("shed.loan", title="A drill", people=[{"who": ben.me.person}]))
    yield ada.put(ada.forge("shed.loan", title="A drill", audience=4 | KINDS["offer"].audience))
    yield ben.put(ben.forge("shed.loan", title="A drill", **deputy(ada, ben)))
    settle(ada, ben)
    yield ben.put(ben.forge("shed.loan", title=7, **deputy(ada, ben)))


@pytest.mark.parametrize("declared", ANSWERS_ANYTHING, ids=lambda declared: declared.name)
def test_what_is_about_any_record_folds_alike_at_homes_that_know_its_kind_and_not(loan, declared):
    with street() as homes:
        ada, ben = homes
        for drill in drills(ada, ben):
            settle(*homes)
            for home in homes:
                home.put(home.forge(declared.name, drill, **declared.view_type.example))
                settle(*homes)

        with_plug_in = facts_of(ada)

        assert without_the_plug_in(ben) == with_plug_in
        assert facts_of(ben) == with_plug_in


def test_moderators_hide_alike_whether_their_home_knows_the_kind_or_not(loan):
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        drill = dan.put(dan.forge("shed.loan", title="A drill", people=[ben.me.person]))
        settle(*homes)
        flag = cho.post("flag", drill, reason="it is Ben's")
        settle(*homes)
        for home in (ada, ben):  # Ben is a subject, so his word does not count
            home.put(home.forge("hide", drill, hidden="yes", n=1))
        settle(*homes)

        assert ada.view(flag).state == "open"
        assert without_the_plug_in(cho) == facts_of(cho) == facts_of(dan)

        cho.post("hide", drill)
        settle(*homes)
        assert ada.view(flag).state == "settled"
        assert without_the_plug_in(cho) == facts_of(cho) == facts_of(dan)
