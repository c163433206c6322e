"""The method `rehearse`: own points and assumed rates, and the process that works them out."""

import random
from types import SimpleNamespace

import pytest
import trio

from meshcoop.api.beside.rehearsal_process import RehearsalProcess
from meshcoop.api.beside.rehearsed_points import find_own_points
from meshcoop.api.methods.rehearsals import RehearsalMethods
from meshcoop.errors import Mistake
from meshcoop.fold.loop_cache import FollowedService
from protocol.errors import Refused
from protocol.loops.points import SHARE, Point, sum_points
from protocol.loops.rehearsal import Case, Process, rehearse_once
from protocol.loops.windows import DAY_MS
from protocol.wire import calls
from tests.support.service_chain import COUNCIL, RESIDENTS, START, Story

ASSUMED = Case(SHARE, 80, 7, (), Process(90, 10))


class Street:
    """A neighbourhood that has answered for so many weeks how well its meals were, from 1 to 5."""

    def __init__(self, weeks, *, worse_from=10**6):
        self.story = Story()
        self.service = self.story.says(COUNCIL, "service", title="Meals")
        self.measure = self._ask("Was it good?", share=80, target=4, window=7)
        chance = random.Random(weeks)
        for week in range(weeks):
            values = (1, 3) if week >= worse_from else (4, 4, 5, 5, 5, 3)
            for place, person in enumerate(RESIDENTS[:6]):
                answer = {"value": chance.choice(values)}
                self.story.says(
                    person, "feedback", self.measure, day=7 * week + 1 + place / 10, **answer
                )
        self.days = 7 * weeks + 10

    def _ask(self, question, *, scale="one_to_five", **fields):
        return self.story.says(
            RESIDENTS[0], "measure", self.service, question=question, scale=scale,
            better="higher", min_answers=1, who="everybody", **fields,
        )  # fmt: skip

    def asks_too(self, **fields):
        return self._ask("Was it warm?", **fields)

    @property
    def views(self):
        return self.story.fold().views

    def followed(self):
        views = self.views
        loop = self.story.loop(self.measure, self.days)
        return FollowedService(views[self.service.id], views, {self.measure.id: loop}, 3, 2**63)

    def own_points(self, measure):
        now = START + self.days * DAY_MS
        followed = self.followed()
        return find_own_points(followed, measure, self.story.authority(), None, now)

    def rehearse(self, measure=None, **params):
        """Calls the method at a home that holds this street."""
        followed = self.followed()
        state = SimpleNamespace(
            authority=self.story.authority(),
            store=SimpleNamespace(
                records=SimpleNamespace(ids_beginning=lambda prefix: [bytes.fromhex(prefix)])
            ),
        )
        membership = SimpleNamespace(
            state=state, loop_cache=SimpleNamespace(loops_for=lambda *_: followed)
        )
        node = SimpleNamespace(
            now=lambda: START + self.days * DAY_MS, require_membership=lambda: membership
        )
        params = {"measure": (measure or self.measure).id.hex(), "resamplings": 3, **params}
        return trio.run(RehearsalMethods(node).table()["rehearse"], params)


@pytest.fixture(autouse=True)
def without_names(monkeypatch):
    """These tests name measures by their ids only, so the home needs no people."""
    named = SimpleNamespace(names=None)
    monkeypatch.setattr("meshcoop.api.methods.rehearsals.Presenter", lambda *_: named)


@pytest.fixture(scope="module")
def street():
    return Street(30, worse_from=24)


def test_own_points_are_those_of_the_live_loop(street):
    measure = street.views[street.measure.id]
    loop = street.story.loop(street.measure, street.days)

    own = street.own_points(measure)

    assert own.entries == tuple(point for _, point in loop.points)
    assert own.first_window == loop.points[0][0]
    assert own.source.id == measure.id


def test_own_points_are_counted_again_for_another_target_and_window(street):
    changed = street.views[street.measure.id]
    changed.target = 5
    changed.window = 14

    own = street.own_points(changed)

    live = [point for _, point in street.story.loop(street.measure, street.days).points]
    assert own.total in {15, 16}
    recounted = sum_points(own.entries)
    before = sum_points(live)
    assert recounted.bad * before.n > before.bad * recounted.n


def test_rehearsal_replays_the_matters_that_the_live_loop_opened(street):
    answer = street.rehearse()

    matters = street.story.loop(street.measure, street.days).matters
    calendar = street.views[street.measure.id].calendar
    opened = [calendar.first_day(matter.window) for matter in matters]
    assert answer["replayed"] == {"windows": 30, "matters": 1, "opened": opened}
    assert (answer["points"], answer["assumed"], answer["by_chance"]) == (30, False, None)
    assert (answer["resamplings"], answer["of"]) == (3, 1000)
    assert answer["alarms"]["low"] <= answer["alarms"]["mean"] <= answer["alarms"]["high"]
    assert answer["detects"]["after"] == answer["detects"]["before"] - 20


def test_new_measure_is_rehearsed_with_the_answers_to_its_forerunner(street):
    new = street.asks_too(share=60, target=3, window=7)

    answer = street.rehearse(new)

    assert answer["source"] == street.measure.id.hex()
    assert (answer["measure"], answer["points"]) == (new.id.hex(), 30)
    other_scale = street.asks_too(scale="yes_no", share=60, target=1, window=7)
    with pytest.raises(Refused, match="there are 0 points"):
        street.rehearse(other_scale)


def test_fewer_than_26_points_show_nothing_but_what_is_assumed():
    short = Street(25)
    with pytest.raises(Refused, match="there are 25 points, and a rehearsal needs 26") as refused:
        short.rehearse()
    assert refused.value.rule == "R-20.8i"

    answer = short.rehearse(rate=90, answers=10)

    assert (answer["assumed"], answer["replayed"], answer["points"]) == (True, None, 25)
    assert answer["by_chance"] == answer["alarms"]
    assert Street(26).rehearse()["assumed"] is False


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"target": 6}, "The target must be a number from 1 to 5."),
        ({"share": 100}, "share"),
        ({"window": 0}, "window"),
        ({"window": 367}, "window"),
        ({"rate": 90}, "Give both a rate and a number of answers in a window."),
        ({"answers": 9}, "Give both a rate and a number of answers in a window."),
        ({"rate": 101, "answers": 9}, "The rate must be at most 100 percent of good answers."),
        ({"rate": -1, "answers": 9}, "rate must be a number, 0 or more"),
        ({"rate": float("nan"), "answers": 9}, "rate must be a number, 0 or more"),
        ({"rate": 90, "answers": 0}, "The answers in a window must be 3 to 100."),
        ({"rate": 90, "answers": 2}, "The answers in a window must be 3 to 100."),
        ({"rate": 90, "answers": 101}, "The answers in a window must be 3 to 100."),
        ({"resamplings": 0}, "resamplings must be a whole number, 1 or more"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(street, params, sentence):
    with pytest.raises((Refused, Mistake)) as refused:
        street.rehearse(**params)
    assert sentence in str(refused.value)


def test_what_is_no_measure_cannot_be_rehearsed(street):
    with pytest.raises(Mistake, match="is no measure"):
        street.rehearse(street.service)


def test_measure_of_incidents_assumes_no_answers():
    street = Street(1)
    street.measure = street.story.says(
        RESIDENTS[0], "measure", street.service, question="Missed?", scale="count",
        better="lower", target=2, window=7, min_answers=1, who="everybody",
    )  # fmt: skip
    with pytest.raises(Mistake, match="needs no number of answers"):
        street.rehearse(rate=2, answers=9)
    with pytest.raises(Mistake, match="has no share"):
        street.rehearse(rate=2, share=80)
    with pytest.raises(Mistake, match="at most 40 incidents in a window"):
        street.rehearse(rate=41)
    assert street.rehearse(rate=2.5, target=3)["detects"]["after"] == 5


async def test_process_works_out_only_what_is_missing():
    process = RehearsalProcess()
    few = await process.work_out(ASSUMED, 2)
    first = list(few.outcomes)

    more = await process.work_out(ASSUMED, 5)

    assert more.outcomes[:2] == first
    assert len(more.outcomes) == 5
    assert (await process.work_out(ASSUMED, 4)).outcomes == more.outcomes
    assert len(set(more.outcomes)) > 1


async def test_cancelled_rehearsal_stops_and_keeps_what_it_has():
    process = RehearsalProcess()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.work_out, ASSUMED, 10_000)
        rehearsal = await _some_outcomes(process)
        nursery.cancel_scope.cancel()
    kept = len(rehearsal.outcomes)

    assert 0 < kept < 10_000
    assert (await process.work_out(ASSUMED, kept)).outcomes == rehearsal.outcomes


async def _some_outcomes(process):
    while not process._kept:
        await trio.lowlevel.checkpoint()
    (rehearsal,) = process._kept.values()
    while not rehearsal.outcomes:
        await trio.lowlevel.checkpoint()
    return rehearsal


async def test_process_says_what_the_rules_say():
    history = tuple(Point(10, number % 3) if number % 7 else None for number in range(40))
    case = Case(SHARE, 80, 7, history, None)
    process = RehearsalProcess()

    rehearsal = await process.work_out(case, 2)

    seed = next(iter(process._kept))
    assert rehearsal.outcomes == [
        rehearse_once(case, random.Random(f"{seed} {number}")) for number in range(2)
    ]


def test_steps_of_a_client_begin_with_a_hundred_and_end_with_all():
    steps = list(calls.rehearsal_steps())
    assert (steps[0], steps[-1]) == (100, calls.ALL_RESAMPLINGS)
