"""A home that learns a kind folds what it holds. A home that no longer knows one finds it nowhere."""

import pytest

from meshcoop.fold.fold_version import fold_version
from meshcoop.fold.state import State
from protocol.fold.facets import Awaited, Credit
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import KINDS, kind
from protocol.fold.view import States
from protocol.schema.declare import Text
from tests.support.street_in_memory import settle, street

NAMES = ("shed.loan", "lending")  # a kind of a package, and one of a later version of the specs


@pytest.fixture(params=NAMES)
def lent(request):
    """Registers a kind that is found in every table of a home. Returns its class."""

    @kind(request.param)
    class Loan(Kind):
        class State(States):
            OFFERED = "offered", "Nobody has asked for it."

        wording = Words("Loan", happened="{who} lends something")
        example = {"title": "A drill"}  # noqa: RUF012  # as kinds declare it
        title: str | None = Text(required=True, max=120)

        def credits(self):
            yield Credit(self.id, self.kind, self.created, None, self.author, bytes(32), 60)

        def awaits(self, thread):
            yield Awaited(self.author, "accept", self.id)

    yield Loan
    KINDS.pop(request.param, None)


@pytest.fixture(autouse=True)
def forget_version():
    """The version of the fold is worked out once in a process. Here, kinds come and go."""
    fold_version.cache_clear()
    yield
    fold_version.cache_clear()


def start(home):
    """Lets a home begin again, as a program with other kinds does. Returns its state."""
    fold_version.cache_clear()
    old = home.state
    return State(home.store, old.neighbourhood, old.ring, home.now)


def traces_of(state, record, person):
    """Returns everything in which a home could find a record."""
    views = state.views
    return {
        "view": views.find(record.id),
        "search": views.search("drill"),
        "awaited": list(views.awaited_of(person)),
        "credits": views.credits_of(person),
    }


def test_a_home_finds_what_it_holds_exactly_while_it_knows_the_kind(lent):
    with street() as (ada, ben):
        name = kind_of(lent)
        loan = ada.post(name, title="A drill")
        settle(ada, ben)
        flag = ben.post("flag", loan, reason="it is mine")
        settle(ada, ben)
        whole = ada.state_hash()
        person = ada.me.person

        declared = KINDS.pop(name)
        without = start(ben)
        assert not any(traces_of(without, loan, person).values())
        assert without.views.newer_counts() == {name: 1}
        assert without.views.find(flag.id).state == "open"

        KINDS[name] = declared
        learnt = start(ben)
        assert all(traces_of(learnt, loan, person).values())
        assert learnt.views.newer_counts() == {}
        assert learnt.views.state_hash() == whole

        del KINDS[name]
        again = start(ben)
        assert not any(traces_of(again, loan, person).values())
        assert again.views.newer_counts() == {name: 1}
        assert again.views.state_hash() == without.views.state_hash()


def kind_of(view_type):
    return next(name for name, declared in KINDS.items() if declared.view_type is view_type)
