"""A trial in homes in memory: from an idea to a decision, and what can end it (specs/25)."""

import pytest

from meshcoop.api.loop_awaits import loop_awaits
from meshcoop.api.loop_views import LoopViews
from meshcoop.api.presenter import Presenter
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import TrialFacts
from protocol.loops.windows import DAY_MS, Calendar, format_day
from tests.support.council import by_software, propose, vote
from tests.support.street_in_memory import settle, street

WEEKS = Calendar(7, 0)


class Lane:
    """Four homes with a service of Ada's that the three others judge every week."""

    def __init__(self, homes):
        self.homes = homes
        self.ada, self.ben, *_ = homes
        by_software(*homes)
        self.service = self.ada.post("service", title="The bins")
        settle(*homes)
        self.measure = self.ben.post(
            "measure", self.service, question="Taken?", scale="yes_no", share="50"
        )
        settle(*homes)
        self.decide(f"adopt {self.measure.id.hex()}")
        # Everything begins on the first day of a window.
        window = WEEKS.window_at(self.now) + 1
        self.first = window
        self.ada.street.clock += WEEKS.window_start(window) - self.now + 9 * 3_600_000

    @property
    def now(self):
        return self.ada.now()

    def day(self, week, day=0):
        return format_day((self.first + week) * 7 + 4 + day)

    def decide(self, change):
        proposal = propose(self.ben, change)
        settle(*self.homes)
        vote(proposal, self.homes[:3], self.homes)
        return proposal

    def week(self, bad):
        """Lets the three others answer, so many of them with no, and moves on to the next week."""
        for place, home in enumerate(self.homes[1:]):
            home.post("feedback", self.measure, value=str(int(place >= bad)))
        self.ada.street.clock += 7 * DAY_MS
        settle(*self.homes)

    def post_trial(self, **fields):
        trial = self.ben.post(
            "trial", self.service, what="Twice a week", expect="Fewer are full", **fields
        )
        settle(*self.homes)
        return trial

    def shown(self, record, home=None):
        home = home or self.ben
        loops, presenter = home.author.loops, Presenter(home.state, home.now)
        views = LoopViews(home.state, loops, presenter, home.me.person, home.now)
        return views.with_loop_status(presenter.show_view(home.view(record)))

    def awaited(self, trial, home=None):
        home = home or self.ben
        answers = loop_awaits(home.state, home.author.loops, home.me.person, home.now())
        return [answer.kind for answer in answers if answer.view == trial.id]


@pytest.fixture
def lane():
    with street(homes=4) as homes:
        yield Lane(homes)


def refused(post):
    with pytest.raises(Refused) as refusal:
        post()
    assert not isinstance(refusal.value, AlreadySo)
    return refusal.value.rule


def test_an_idea_is_tried_and_then_adapted(lane):
    idea = lane.homes[2].post("idea", title="Twice a week", about=lane.service.id.hex())
    settle(*lane.homes)
    for _ in range(3):
        lane.week(bad=1)
    trial = lane.post_trial(idea=idea.id.hex(), starts=lane.day(4), ends=lane.day(7, 6))
    shown = lane.shown(trial)
    assert shown["state"] == "proposed"
    assert shown["windows"] == {"before": 4, "during": 4}
    assert shown["result"] is None
    assert lane.awaited(trial) == ["proposal"]
    assert lane.awaited(trial, lane.ada) == []
    assert lane.shown(idea)["state"] == "open"

    begun = lane.decide(f"trial {trial.id.hex()} start")
    assert lane.ben.view(begun).state == "passed"
    assert lane.ben.view(begun).closes == lane.day(3, 6)
    assert lane.awaited(trial) == []
    lane.week(bad=1)
    assert lane.shown(trial)["state"] == "running"
    assert lane.shown(idea)["state"] == "on trial"

    for _ in range(4):
        assert lane.shown(trial)["result"] is None
        rule = refused(lambda: propose(lane.ben, f"trial {trial.id.hex()} adopt"))
        assert rule == "R-25.8b"
        lane.week(bad=0)
    assert lane.shown(trial)["state"] == "ended"
    assert lane.shown(trial)["result"] is None  # the last answers may still come
    lane.ada.street.clock += 4 * DAY_MS

    result = lane.shown(trial)["result"]
    assert (result["before"], result["during"]) == ({"n": 12, "bad": 4}, {"n": 12, "bad": 0})
    assert (result["finding"], result["better"]) == ("trial_better", "1/70")
    assert lane.awaited(trial) == ["proposal"]
    lane.decide(f"trial {trial.id.hex()} adapt")
    assert {lane.shown(trial, home)["state"] for home in lane.homes} == {"adapted"}
    assert lane.shown(idea)["state"] == "open"
    assert lane.awaited(trial) == []
    assert len({home.state_hash() for home in lane.homes}) == 1


def test_a_short_trial_says_so_before_it_starts(lane):
    trial = lane.post_trial(starts=lane.day(2), ends=lane.day(5, 6))

    says = lane.shown(trial)["says"]
    assert lane.ben.author.report_trial(trial.id).is_short
    assert says["code"] == "trial_is_short"
    assert says["arguments"]["during"] == 4
    rule = refused(lambda: lane.post_trial(starts=lane.day(2), ends=lane.day(3, 6)))
    assert rule == "R-25.4c"

    # If nobody says more, a trial has eight windows.
    trial = lane.post_trial()

    shown = lane.shown(trial)
    assert shown["windows"] == {"before": 2, "during": 8}  # nobody has answered before
    assert shown["says"]["code"] == "trial_is_short"
    view = lane.ben.view(trial)
    assert (view.starts, view.ends) == (lane.day(1), lane.day(8, 6))
    assert view.measures == [lane.measure.id]


def test_only_harm_stops_a_trial(lane):
    trial = lane.post_trial()
    stop = f"trial {trial.id.hex()} stop"
    assert refused(lambda: propose(lane.ben, stop)) == "R-25.6"
    lane.decide(f"trial {trial.id.hex()} start")
    lane.week(bad=0)
    assert refused(lambda: propose(lane.ben, stop)) == "R-25.8a"

    report = lane.homes[2].post(
        "feedback", lane.service, text="The lorry nearly hit a child.", urgent="yes"
    )
    settle(*lane.homes)
    lane.decide(stop)

    shown = lane.shown(trial)
    assert (shown["state"], shown["harm"]) == ("stopped", [report.id.hex()])


def test_a_trial_goes_on_if_it_was_stopped_without_harm(lane):
    trial = lane.post_trial()
    lane.decide(f"trial {trial.id.hex()} start")
    lane.week(bad=0)
    # This software believes that there was harm.
    lane.ben.author.facts_of_trial = lambda _: TrialFacts("running", "", "", True, True)
    lane.decide(f"trial {trial.id.hex()} stop")

    assert lane.ben.view(trial).state == "stopped"
    assert lane.shown(trial)["state"] == "running"


def test_a_trial_begins_once_and_in_time(lane):
    trial = lane.post_trial()
    start = f"trial {trial.id.hex()} start"
    lane.week(bad=0)
    assert refused(lambda: propose(lane.ben, start)) == "R-25.8"
    lane.ada.street.clock += 7 * DAY_MS

    assert lane.shown(trial)["state"] == "dropped"
    assert refused(lambda: propose(lane.ben, "trial " + lane.measure.id.hex() + " start")) == (
        "R-25.8"
    )
