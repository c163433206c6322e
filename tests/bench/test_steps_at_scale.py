"""Measures the slowest step of a home's loop in a neighbourhood that writes much: 100,000 records of
exchanges, 5,000 posts of one person, 3,000 activities with costly rules, and 2,600 answers to one
request. Also measures single changes that concern thousands of records, and 240 renewals that one
person proposes. To run: `uv run pytest -m long -n 0 -s` on this file.

All figures are milliseconds of the processor, and not of the clock on the wall.
"""

import gc
import time
from functools import partial
from itertools import combinations, islice
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
from meshcoop.node.garbage import Garbage
from meshcoop.node.slow_tables import load_tables
from meshcoop.node.step_meter import LIMIT_MS, StepMeter
from tests.meshcoop.ingest import test_sweeps as sweeps
from tests.support.council import renew
from tests.support.crowded_street import Crowd
from tests.support.street_in_memory import Street, settle, street

PEOPLE, EXCHANGES = 300, 20_000
POSTS, ACTIVITIES, ANSWERS = 5000, 3000, 2600
RENEWALS = 240
FIRST_MS, AGAIN_MS = 100, 10  # of a quiet processor, for suggestions among all these posts
AS_PYTHON_BEGINS = (700, 10, 10)  # objects and collections, between two collections of garbage
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
        keeps_recovery_words=False,
    )  # fmt: skip


class Bench:
    """Runs what a loop does, and prints how long it takes and how long its slowest step takes."""

    def __init__(self, author, clock=now):
        node = node_of(author)
        node.now = clock
        self.methods = Methods(node).table()
        self.slow = []
        load_tables()
        # What was made for the bench is frozen, so it is no part of the home.
        self.garbage = Garbage()

    async def run_beside_collections(self, function, *arguments):
        """Runs a function while garbage is collected, as in a node."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.garbage.collect_in_steps)
            answer = await function(*arguments)
            nursery.cancel_scope.cancel()
        return answer

    def run(self, label, function, *arguments):
        meter = StepMeter()
        began = time.thread_time()
        answer = trio.run(self.run_beside_collections, function, *arguments, instruments=[meter])
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


@pytest.fixture(autouse=True)
def _python_collects_as_in_a_node():
    thresholds = gc.get_threshold()
    gc.set_threshold(*AS_PYTHON_BEGINS)
    yield
    gc.set_threshold(*thresholds)


def crowd_and_home(path, people, exchanges):
    crowd = Crowd(people, exchanges)
    author = crowd.home(path)
    crowd.step = 1
    crowd.clock = now() - 60_000
    take_wires(crowd)
    return crowd, author


@pytest.mark.long
def test_no_step_is_long_in_a_neighbourhood_that_writes_much(tmp_path):
    crowd, author = crowd_and_home(tmp_path / "store.db", PEOPLE, EXCHANGES)
    bench = measure_neighbourhood(crowd, author)
    assert not bench.slow


def measure_neighbourhood(crowd, author):
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
    return bench


@pytest.mark.long
def test_suggestions_among_the_posts_of_one_person_are_quick(tmp_path):
    crowd, author = crowd_and_home(tmp_path / "store.db", 10, 10)
    bench = Bench(author)
    writer = crowd.people[1]
    for number in range(POSTS):
        crowd.says(writer, "request", title=f"A lift to town {number}", minutes=60)
    bench.run("ingest posts", ingest, author, take_wires(crowd))

    first, _ = bench.call("list", {"what": "suggestions"})
    crowd.says(writer, "request", title="A lift home", minutes=60)
    bench.run("ingest one more post", ingest, author, take_wires(crowd))
    again, _ = bench.call("list", {"what": "suggestions"})

    assert not bench.slow
    assert first <= FIRST_MS
    assert again <= AGAIN_MS


async def feed_and_settle(home, wires):
    async with sweeps.backlog_of(home) as running:
        home.feed(wires)
        while not running.is_empty:
            await running.settle()


@pytest.mark.long
@pytest.mark.parametrize("change", sweeps.CHANGES)
def test_no_step_of_a_change_of_thousands_of_records_is_long(change):
    with Street(1) as here:
        home, wires = change(here, ACTIVITIES)
        bench = Bench(home.author, home.now)
        bench.run(change.__name__, feed_and_settle, home, wires)
        assert not bench.slow


@pytest.mark.long
def test_no_step_is_long_for_somebody_who_is_asked_about_many_renewals():
    with street(homes=3, vouchers=1) as homes:
        ada, mal, ben = homes
        newcomers = [mal.street.person() for _ in range(12)]
        for newcomer in newcomers:
            mal.admit(newcomer)
        settle(*homes)
        people = [home.me.person for home in (mal, ben)]
        renew(ada.author, joining=people)
        settle(*homes)
        term = mal.state.authority.term
        chosen = (people for size in range(1, 6) for people in combinations(newcomers, size))
        for number, joining in enumerate(islice(chosen, RENEWALS)):
            fields = {"parent": term.id, "round": number + 1, "vouchers": 1, "share": 50}
            fields["moderators"] = sorted(term.moderators)
            people = sorted(newcomer.person for newcomer in joining)
            ben.take(mal.put(mal.forge("renewal", joining=people, **fields)))
        bench = Bench(ben.author, ben.now)
        bench.call("list", {"what": "waiting"})
        _, answer = bench.call("next_steps", {})

        assert answer["total"] == RENEWALS
        assert not bench.slow
