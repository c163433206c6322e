"""What a home does if the code of a kind fails: it leaves out one thread, says so, and goes on."""

import logging

import pytest

from meshcoop.api.calendar import Diary
from meshcoop.api.presenter import Presenter
from meshcoop.author.next_steps import find_steps
from meshcoop.fold import state as state_module
from meshcoop.fold.state import State
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.kinds.activities import activities
from tests.support.street_in_memory import HOUR, Home, settle, street

DAY = "2026-11-17"


@pytest.fixture
def hostile(monkeypatch):
    """A home that folds an attendance as programs did that could not stand it: one that names a
    role with nobody in it, which the activity lacks.
    """

    def fold_entry(self, thread):
        thread.add_view(self)

    monkeypatch.setattr(activities.Attendance, "fold_entry", fold_entry)


def post_hostile(home: Home, time=None):
    """Posts an activity and the hostile attendance about it. Returns both records."""
    activity = home.post("activity", title="Lunch", starts=f"{DAY}T12:30", minutes="60")
    attendance = home.forge(
        "attendance", activity, time=time, people=[], on=DAY, held={"nobody": []}
    )
    return activity, attendance


def reopen(home: Home) -> State:
    """Opens the home's state again from its store, as a start of the node does."""
    old = home.state
    return State(home.store, old.neighbourhood, old.ring, home.now)


def errors_of(state):
    return [thread.error for thread in state.views.failed_threads()]


def test_a_role_that_the_activity_lacks_is_refused():
    with street() as (ada, ben):
        activity, attendance = post_hostile(ada)
        ada.put(attendance)
        settle(ada, ben)

        for home in (ada, ben):
            assert home.told(attendance) == "R-17.11"
            assert home.view(activity).state == "open"
            assert errors_of(home.state) == []


def test_a_thread_whose_fold_fails_costs_nothing_else(hostile, caplog):
    with street() as (ada, ben):
        activity, attendance = post_hostile(ada)
        ada.put(attendance)
        offer = ada.post("offer", title="Bread")
        settle(ada, ben)

        for home in (ada, ben):
            assert home.store.records.has(attendance.id)
            assert home.view(activity) is None
            assert home.view(offer).title == "Bread"
            (error,) = errors_of(home.state)
            assert error.startswith("KeyError: 'nobody' (seating.py:")
            assert home.told(activity) == "R-10.16a"
        assert ada.state_hash() == ben.state_hash()
        logged = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert len(logged) == 2  # one for each home


def test_a_failure_that_comes_due_later_comes_once(hostile):
    with street() as (ada, ben):
        activity, attendance = post_hostile(ada, time=ada.now() + HOUR)
        ada.put(attendance)
        settle(ada, ben)
        assert errors_of(ben.state) == []
        assert ben.view(activity).state == "open"

        ada.street.clock += 2 * HOUR
        for home in (ada, ben):
            home.state.fold_due()
            assert len(errors_of(home.state)) == 1
            home.state.fold_due()

        again = reopen(ben)
        assert len(errors_of(again)) == 1
        assert again.views.state_hash() == ada.state_hash() == ben.state_hash()
        assert ben.post("offer", title="Bread")


def test_a_failed_thread_is_tried_again_when_the_code_has_changed(monkeypatch):
    with street() as (ada, ben):
        with monkeypatch.context() as patch:
            patch.setattr(activities.Attendance, "fold_entry", lambda self, t: t.add_view(self))
            activity, attendance = post_hostile(ada)
            ada.put(attendance)
            settle(ada, ben)
        assert len(errors_of(reopen(ben))) == 1

        monkeypatch.setattr(state_module, "fold_version", lambda: "another")
        again = reopen(ben)

        assert errors_of(again) == []
        assert again.views.find(activity.id).state == "open"


def test_a_thread_heals_as_soon_as_its_fold_succeeds(monkeypatch):
    with street() as (ada, ben):
        request = ada.post("request", title="x")
        settle(ada, ben)
        with monkeypatch.context() as patch:
            patch.setattr(KINDS["response"].view_type, "fold_entry", fail)
            ben.put(ben.forge("response", request, minutes=5))
            assert len(errors_of(ben.state)) == 1
            assert ben.view(request) is None

        ben.post("flag", request, reason="odd")

        assert errors_of(ben.state) == []
        assert ben.view(request) is not None


# -- outside the fold -----------------------------------------------------------------------------


def fail(*given, **more):
    raise ZeroDivisionError("out of order")


@pytest.fixture
def broken(request, monkeypatch):
    """Breaks one method of a kind for a test."""
    kind, method = request.param
    view_type = KINDS[kind].view_type
    is_of_class = isinstance(vars(view_type).get(method), classmethod)
    monkeypatch.setattr(view_type, method, classmethod(fail) if is_of_class else fail)
    return request.param


@pytest.mark.parametrize(
    "broken",
    [("activity", "state_at"), ("activity", "further_values"), ("activity", "diary_entry")],
    indirect=True,
)
def test_a_view_is_shown_though_a_method_of_its_kind_fails(broken):
    with street() as (ada, ben):
        activity = ada.post("activity", title="Lunch", starts="2030-11-17T12:30")
        settle(ada, ben)
        for home in (ada, ben):
            presenter = Presenter(home.state, home.now)

            shown = presenter.show_view(home.view(activity))
            entries = list(Diary(home.state, presenter, ada.me.person).entries())

            assert (shown["title"], shown["state"]) == ("Lunch", "open")
            assert len(entries) == (broken[1] != "diary_entry")
            assert list(home.state.failures.errors) == [".".join(broken)]


@pytest.mark.parametrize(
    "broken",
    [
        ("response", "ways"),
        ("response", "complete"),
        ("response", "check_before_signing"),
        ("close", "fold_entry"),
    ],
    indirect=True,
)
def test_the_other_steps_are_offered_though_one_kind_fails(broken):
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        settle(ada, ben)
        home = ben if broken[0] == "response" else ada

        steps = find_steps(home.author, home.author.signer_of(), offer.id)

        kinds = {step.kind for step in steps}
        assert "flag" in kinds
        assert broken[0] not in kinds
        assert home.state.failures.errors


@pytest.mark.parametrize(
    "broken",
    [
        ("offer", "complete"),
        ("offer", "check_before_signing"),
        ("offer", "readers"),
        ("offer", "fold_entry"),
        ("offer", "settle"),
        ("offer", "awaits"),
    ],
    indirect=True,
)
def test_what_cannot_be_signed_is_refused_in_words(broken):
    with street() as (ada, _):
        with pytest.raises(Refused, match=r"the code of .* failed .*R-10\.16") as refused:
            ada.post("offer", title="Bread")

        assert refused.value.rule in {"R-10.16a", "R-10.16b"}
