"""Measures how long a screen waits in a crowded neighbourhood. To run: `uv run pytest -m long -n 0
-s` on this file.

On one core, it took 25 ms to make the board with its 500 requests, and 2 ms to make one thread. It
took 3 ms to make the balance of one person, with its history, and 11 ms to make all balances. The
test asserts nothing about time. It counts the calls of functions instead.
"""

import statistics
import time
from functools import partial
from types import SimpleNamespace

import pytest
import trio

from meshcoop.api.methods.method_table import Methods
from meshcoop.author.next_steps import find_steps
from meshcoop.dev.bench.fixtures import now
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.muted_people import MutedPeople
from protocol.kinds.exchange.payments import Receipt
from tests.attacks.test_costs import CALLS_PER_MS
from tests.support.crowded_street import Crowd, timed
from tests.support.street_in_memory import Street, by_id
from tests.support.work import count_calls

PEOPLE, EXCHANGES = 500, 20_000
FEW_RECORDS = 49
WAITING_MS = 50  # of the processor, for all that waits for a person
NEXT_STEPS_MS = 10  # of the processor, for the steps in a thread of 50 records


@pytest.mark.long
def test_what_a_screen_asks_for_in_a_crowded_neighbourhood(tmp_path):
    author = Crowd(PEOPLE, EXCHANGES).home(tmp_path / "store.db")
    state = author.state
    credentials = SimpleNamespace(device=next(iter(author.devices)))
    member = SimpleNamespace(
        state=state, author=author, muted=MutedPeople(author.inbox.store),
        loop_cache=LoopCache(state), mesh=SimpleNamespace(credentials=credentials),
    )  # fmt: skip
    node = SimpleNamespace(relay=None, require_membership=lambda: member, now=now)
    methods = Methods(node).table()
    one = next(one for one in state.views.newest(Receipt, state=Receipt.State.CONFIRMED))
    giver, agreement = one.giver.hex(), one.about.hex()
    print(f"\n{PEOPLE} people, {EXCHANGES} exchanges")  # noqa: T201  # this bench prints figures

    board = timed("list requests", methods["list"], what="requests")["rows"]
    assert len(board) == 500
    assert all(view["responses"] for view in board)
    shown = timed("show", methods["show"], id=one.id.hex())
    assert len(shown["history"]) == 5
    receipts = timed("list receipts --about", methods["list"], what="receipts", about=agreement)
    (listed,) = receipts["rows"]
    assert listed["id"] == one.id.hex()
    row = timed("balance PERSON", methods["balance"], person=giver)
    assert row["history"][-1]["balance"] == row["balance"]
    waiting = timed("list waiting", methods["list"], what="waiting")["rows"]
    assert {row["step"]["kind"] for row in waiting} == {"receipt", "confirm"}
    list_waiting = partial(trio.run, methods["list"], {"what": "waiting"})
    assert count_calls(list_waiting) <= WAITING_MS * CALLS_PER_MS
    rows = timed("balance", methods["balance"])["rows"]
    assert sum(one["balance"] for one in rows) == 0
    author.inbox.store.close()


@pytest.mark.long
def test_what_next_steps_cost_in_a_thread_of_fifty_records():
    with Street(1) as here:
        author, thread, asker, helper = long_thread(here)
        for name, person in (("asker", asker), ("helper", helper)):
            signer = author.signer_of(person)
            costs = []
            for _ in range(20):
                before = time.process_time()
                steps = find_steps(author, signer, thread)
                costs.append(1000 * (time.process_time() - before))
            median = statistics.median(costs)
            print(f"\nnext_steps, 50 records, {name}: {len(steps)} steps, {median:.1f} ms")  # noqa: T201


def long_thread(here):
    """Makes one request with fifty records: responses, agreements, receipts and confirms."""
    first = here.found(quota_records=1000)
    other = here.neighbour(first)
    home = here.home(first, first.me, other.me)
    home.feed(first.wires())
    author = home.author
    signers = [author.signer_of(person) for person in (first.me.person, other.me.person)]

    def post(signer, kind, about=None, **fields):
        here.clock += 60_000
        about = about and about.id
        return author.post(kind, fields, about=about, signer=signer, resolve=by_id)

    request = post(signers[0], "request", title="A shelf", minutes="60", places="20")
    count = 1
    while count < FEW_RECORDS:
        response = post(signers[1], "response", request)
        agreement = post(signers[0], "agreement", response)
        count += 2
        if count + 2 <= FEW_RECORDS and count % 3:
            receipt = post(signers[1], "receipt", agreement)
            post(signers[0], "confirm", receipt)
            count += 2
    return author, request.id, first.me.person, other.me.person
