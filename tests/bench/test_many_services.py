"""Measures how long the services screen waits. To run: `uv run pytest -m long -n 0 -s` on this
file.

One store holds 200 services, 1,000 measures and 50,000 pieces of feedback. The test asserts nothing
about time.
"""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from meshcoop.api.methods.method_table import Methods
from meshcoop.dev.bench.fixtures import now
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.muted_people import MutedPeople
from protocol.fold.registry import KINDS
from protocol.kinds.services.measures import Feedback, Measure
from protocol.kinds.services.services import Service
from protocol.schema.register_names import MEASURE
from tests.support.crowded_street import Crowd, timed

SERVICES, MEASURES, ANSWERS, PEOPLE = 200, 5, 50, 60
SCALES = (("count", 2), ("one_to_five", 4), ("yes_no", 1), ("minutes", 30), ("count", 1))


class Served(Crowd):
    """People who have services and measure them. They answer the questions of the measures week
    after week.
    """

    def __init__(self):
        super().__init__(PEOPLE, 4000)
        self.step = 1
        self.measures = [
            self.measure(self.service(n), *SCALES[m])
            for n in range(SERVICES)
            for m in range(MEASURES)
        ]
        for one, scale in self.measures:
            self.adopt(one)
            self.answer(one, scale)

    def exchange(self, n, *two):
        """Does nothing: these people make no exchanges, because this bench is about services."""

    def service(self, n):
        who = self.people[n % len(self.people)]
        if not hasattr(self, "services") or len(self.services) <= n:
            self.services = [
                *getattr(self, "services", []),
                self.says(who, "service", title=f"S {n}"),
            ]
            to = self.people[(n + 1) % len(self.people)]
            link = self.says(who, "link", self.services[n], to=to.person, title="All of it")
            self.says(self.people[(n + 1) % len(self.people)], "accept", link)
        return self.services[n]

    def measure(self, service, scale, target):
        who = self.people[-1]
        fields = {"question": "Well?", "scale": scale, "target": target, "window": 7}
        better = "lower" if scale in {"count", "minutes"} else "higher"
        return self.says(who, "measure", service, better=better, share=80, **fields), scale

    def adopt(self, measure):
        change = [MEASURE, measure.id, None, True]
        proposal = self.author.write(KINDS["proposal"], {"title": "Ask it", "change": change})
        self.author.write(KINDS["vote"], {"choice": "yes"}, about=proposal.id)

    def answer(self, measure, scale):
        for n in range(ANSWERS):
            who = self.people[20 + n % 5]
            on = (datetime.now(UTC) - timedelta(days=7 * (n // 5 + 1))).date().isoformat()
            value = {"count": 1, "yes_no": 1, "one_to_five": 2, "minutes": 10}[scale]
            self.says(
                who, "feedback", measure, value=value if n % 3 else int(scale != "count"), on=on
            )


@pytest.mark.long
def test_what_the_services_screen_asks_for(tmp_path):
    crowd = Served()
    author = crowd.home(tmp_path / "store.db")
    state = author.state
    credentials = SimpleNamespace(device=next(iter(author.devices)))
    member = SimpleNamespace(
        state=state, author=author, muted=MutedPeople(author.inbox.store),
        loop_cache=LoopCache(state), mesh=SimpleNamespace(credentials=credentials),
    )  # fmt: skip
    node = SimpleNamespace(relay=None, require_membership=lambda: member, now=now)
    methods = Methods(node).table()
    counts = [len(state.views.of_kind(view_type)) for view_type in (Service, Measure, Feedback)]
    print(f"\n{counts}")  # noqa: T201  # this bench prints figures
    assert counts == [SERVICES, SERVICES * MEASURES, SERVICES * MEASURES * ANSWERS]

    began = time.thread_time()
    rows = timed("list services", methods["list"], what="services")["rows"]
    print(f"five times, the first of all included: {time.thread_time() - began:.2f} s")  # noqa: T201
    assert len(rows) == SERVICES
    assert all(len(one["measures"]) == MEASURES for one in rows)
    timed("list matters", methods["list"], what="matters")
    timed("show", methods["show"], id=crowd.measures[0][0].id.hex())
    crowd.logs.clear()
    crowd.clock = now() - 1000
    took = []
    for n in range(5):
        on = datetime.now(UTC).date().isoformat()
        one = crowd.says(crowd.people[30 + n], "feedback", crowd.measures[0][0], value=1, on=on)
        began = time.thread_time()
        author.inbox.ingest_wires([one.wire])
        took.append(time.thread_time() - began)
    print(f"one new answer: {1000 * sorted(took)[2]:.1f} ms")  # noqa: T201
    timed("list services, once one has changed", methods["list"], what="services")
    author.inbox.store.close()
