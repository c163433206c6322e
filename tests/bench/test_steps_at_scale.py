"""Measures the slowest step of a home's loop in a neighbourhood that writes much: 100,000 records of
exchanges, 5,000 posts of one person, 3,000 activities with costly rules, and 2,600 answers to one
request. To run: `uv run pytest -m long -n 0 -s` on this file.

All figures are milliseconds of the processor, and not of the clock on the wall.
"""

import gc
import time
from functools import partial
from types import SimpleNamespace

import pytest
import trio

from meshcoop.api.methods.method_table import READING, Methods
from meshcoop.author.automatic import Countersigner
from meshcoop.author.folding import fold_in_steps
from meshcoop.dev.bench.fixtures import now
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.muted_people import MutedPeople
from meshcoop.fold.slices import answer_in_slices
from meshcoop.ingest.backlog import Backlog
from meshcoop.ingest.inbox import AT_ONCE
from meshcoop.matching.index import MatchingIndex
from meshcoop.node.step_meter import LIMIT_MS, StepMeter
from tests.support.crowded_street import Crowd

PEOPLE, EXCHANGES = 300, 20_000
POSTS, ACTIVITIES, ANSWERS = 5000, 3000, 2600
RULES = ("FREQ=MONTHLY;BYDAY=MO,+2WE", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", "FREQ=WEEKLY;BYDAY=MO")

LISTS = (
    *("people", "requests", "offers", "responses", "agreements", "receipts", "waiting", "board"),
    *("reciprocity", "matters", "signals", "holdings", "services", "activities"),
)
CALLS = (
    *(("list", {"what": what}) for what in LISTS),
    ("list", {"what": "requests", "state": "expired"}),
    ("search", {"words": "lift"}),
    ("search", {"words": "a 1"}),
    ("balance", {}),
    ("diary", {}),
    ("next_steps", {}),
    ("status", {}),
)


def node_of(author):
    """Makes a stand-in for the node of a home that is connected to nobody."""
    state = author.state
    network = SimpleNamespace(peer_id="", addresses=[], observed_addresses=[], peers=dict)
    mesh = SimpleNamespace(
        credentials=SimpleNamespace(device=next(iter(author.devices))),
        conversations={}, admitted_at={}, network=network, settled_at=None, inbox=author.inbox,
        reach=SimpleNamespace(relays=[]),
    )  # fmt: skip
    membership = SimpleNamespace(
        author=author, state=state, mesh=mesh, muted=MutedPeople(author.inbox.store),
        matching_index=MatchingIndex(state.views, state.failures), loop_cache=LoopCache(state),
        invitation_desk=SimpleNamespace(knocks=list),
    )  # fmt: skip

    async def wait_to_sign():
        return membership

    return SimpleNamespace(
        require_membership=lambda: membership, wait_to_sign=wait_to_sign, now=now,
        membership=membership, relay=None, network=network, damage=[], is_ready=True, has_passphrase=True,
    )  # fmt: skip


class Bench:
    """Runs what a loop does, and prints how long it takes and how long its slowest step takes."""

    def __init__(self, author):
        self.methods = Methods(node_of(author)).table()
        self.slow = []

    def run(self, label, function, *arguments):
        meter = StepMeter()
        began = time.thread_time()
        answer = trio.run(function, *arguments, instruments=[meter])
        total = 1000 * (time.thread_time() - began)
        slowest = meter.slowest.milliseconds
        print(f"{label}: {total:.0f} ms, slowest step {slowest:.0f} ms")  # noqa: T201  # a bench
        if slowest > LIMIT_MS:
            self.slow.append((label, meter.slowest))
        return total, answer

    def call(self, name, params):
        assert name in READING
        return self.run(
            f"{name} {' '.join(params.values())}",
            partial(answer_in_slices, self.methods[name]),
            params,
        )


async def ingest(author, wires):
    """Takes records in as gossip brings them, while the backlog works."""
    backlog = Backlog(author.inbox, lambda _: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(backlog.run)
        while author.state.thread_fold.on_put_off is None:  # the backlog has not begun
            await trio.lowlevel.checkpoint()
        for start in range(0, len(wires), AT_ONCE):
            author.inbox.ingest_wires(wires[start : start + AT_ONCE])
            await trio.lowlevel.checkpoint()
        while not backlog.is_empty:
            await backlog.settle()
        nursery.cancel_scope.cancel()


async def countersign(author):
    for look in Countersigner(author).looks():
        await fold_in_steps(author.state, look)
        await trio.lowlevel.checkpoint()


def take_wires(crowd):
    wires = list(crowd.logs)
    crowd.logs.clear()
    return wires


@pytest.mark.long
def test_no_step_is_long_in_a_neighbourhood_that_writes_much(tmp_path):
    crowd = Crowd(PEOPLE, EXCHANGES)
    author = crowd.home(tmp_path / "store.db")
    crowd.step = 1
    crowd.clock = now() - 60_000
    take_wires(crowd)
    gc.collect()
    gc.freeze()  # the objects of those who wrote the records are no part of a home
    bench = Bench(author)
    print(f"\n{author.inbox.store.records.count()} records")  # noqa: T201  # as above
    writer, other = crowd.people[1:3]

    for number in range(POSTS):
        request = crowd.says(writer, "request", title=f"A lift to town {number}", minutes=60)
    bench.run("ingest posts", ingest, author, take_wires(crowd))
    for number in range(ACTIVITIES):
        crowd.says(
            writer, "activity", title=f"Choir {number}", starts="2026-11-23T19:00", minutes=60,
            repeats=RULES[number % len(RULES)], places=9,
        )  # fmt: skip
    bench.run("ingest activities", ingest, author, take_wires(crowd))
    for _ in range(ANSWERS):
        crowd.says(other, "response", request, minutes=60)
    bench.run("ingest answers", ingest, author, take_wires(crowd))
    crowd.says(other, "response", request, minutes=60)
    bench.run("ingest one more answer", ingest, author, take_wires(crowd))
    bench.run("countersign", countersign, author)

    suggestions = ("list", {"what": "suggestions"})
    bench.call(*suggestions)
    crowd.says(writer, "request", title="A lift home", minutes=60)
    bench.run("ingest one more post", ingest, author, take_wires(crowd))
    bench.call(*suggestions)
    for call in CALLS:
        bench.call(*call)
    bench.call("show", {"id": request.id.hex()})
    bench.call("introductions", {"person": crowd.people[5].person.hex()})

    assert not bench.slow
