"""A service goes on in the place of another one, and takes its measures and its chain with it (R-21.8).

Attacker: somebody who is measured. Asset: testimony.
"""

import pytest

from meshcoop.api.loop_awaits import loop_awaits
from meshcoop.api.methods.method_table import Methods
from protocol.errors import Refused
from protocol.loops.windows import DAY_MS
from protocol.wire.local_rpc import Response, encode
from tests.meshcoop.api.test_steps import node_of
from tests.support.council import by_software, propose, vote
from tests.support.street_in_memory import Street, settle


class Lane:
    """Ada describes the bins, Ben takes them on, and a measure of them is in use."""

    def __init__(self, here):
        self.here = here
        self.ada = here.found(smallest_group=1)
        self.ben, self.cho = here.neighbour(self.ada), here.neighbour(self.ada)
        self.homes = (self.ada, self.ben, self.cho)
        by_software(*self.homes)
        self.bins = self.ada.post("service", title="Bins")
        link = self.ada.post("link", self.bins, to=self.ben.me.person.hex(), title="All of it")
        settle(*self.homes)
        self.ben.post("accept", link)
        self.measure = self.ada.post(
            "measure", self.bins, question="Missed?", scale="count", target="0"
        )
        settle(*self.homes)
        proposal = propose(self.ada, f"adopt {self.measure.id.hex()}")
        settle(*self.homes)
        vote(proposal, self.homes, self.homes)

    def go_on(self, home=None, **more):
        home = home or self.ada
        service = home.post("service", title="Bins and paper", instead=self.bins.id.hex(), **more)
        settle(*self.homes)
        return service

    async def call(self, home, method, **params):
        answer = await Methods(node_of(home)).table()[method](params)
        encode(Response(0, result=answer))  # it can go to a screen
        return answer


@pytest.fixture
def lane():
    with Street(1) as here:
        yield Lane(here)


async def test_a_service_that_goes_on_has_the_measures_matters_and_chain(lane):
    lane.cho.post("feedback", lane.measure, value="1")
    settle(*lane.homes)
    paper = lane.go_on()
    about = paper.id.hex()

    first = await lane.call(lane.cho, "show", id=lane.bins.id.hex())
    shown = await lane.call(lane.cho, "show", id=about)
    (measure,) = (await lane.call(lane.cho, "list", what="measures", about=about))["rows"]
    (matter,) = (await lane.call(lane.cho, "list", what="matters", about=about))["rows"]

    assert (first["state"], first["successor"]["title"]) == ("ended", "Bins and paper")
    assert (shown["state"], shown["first"]) == ("open", lane.bins.id.hex())
    assert [row["question"] for row in shown["measures"]] == ["Missed?"]
    assert measure["id"] == lane.measure.id.hex()
    assert matter["service"]["title"] == "Bins and paper"
    assert matter["holder"]["id"] == lane.ben.me.person.hex()
    said = {"kind": "feedback", "about": about, "fields": {"text": "Thanks."}}
    await lane.call(lane.cho, "post", **said)
    (words,) = (await lane.call(lane.cho, "list", what="feedback", about=about))["rows"][:1]
    assert words["about"] == lane.bins.id.hex()


def test_nobody_sheds_a_measured_service(lane):
    other = lane.cho.me.person.hex()
    for home, fields, why in (
        (lane.ben, {}, "only who described a service"),
        (lane.ada, {"provider": other}, "nobody makes somebody else answer for it"),
    ):
        with pytest.raises(Refused, match=why):
            lane.go_on(home, **fields)
    with pytest.raises(Refused, match="a measure of it is in use"):
        lane.ada.post("close", lane.bins, as_state="ended")
    # Other software signs all of that, and it changes nothing.
    lane.ben.put(lane.ben.forge("service", title="Mine", instead=lane.bins.id))
    lane.ada.put(lane.ada.forge("close", lane.bins, as_state="ended"))
    settle(*lane.homes)
    assert lane.cho.view(lane.bins).state == "open"
    assert lane.cho.author.loops.successions.successors_of(lane.bins.id) == ()


def test_a_measure_about_a_service_that_goes_on_does_not_count(lane):
    paper = lane.go_on()
    record = lane.ada.put(
        lane.ada.forge("measure", paper, question="Missed?", scale="count", target=9)
    )

    assert lane.ada.view(record) is None


def test_a_service_ends_once_its_measure_is_over(lane):
    lane.here.clock += 380 * DAY_MS
    lane.ada.post("close", lane.bins, as_state="ended")
    settle(*lane.homes)

    assert lane.cho.view(lane.bins).state == "ended"


async def test_the_roll_is_asked_whether_the_measures_hold_for_another_service(lane):
    paper = lane.ada.post("service", title="Paper")
    settle(*lane.homes)
    cho = lane.cho

    def asked():
        loops = cho.author.loops
        awaited = loop_awaits(cho.state, loops, cho.me.person, cho.now())
        return [answer.kind for answer in awaited if answer.view == paper.id]

    assert asked() == ["measure"]
    steps = (await lane.call(cho, "next_steps", id=paper.id.hex()))["rows"]
    (step,) = [row for row in steps if row["given"].get("question")]
    assert step["given"] == {
        "question": "Missed?",
        "scale": "count",
        "better": "lower",
        "window": 7,
        "min_answers": 1,
        "who": "everybody",
    }
    cho.post("measure", paper, target="1", **step["given"])
    assert asked() == []
