"""A node folds large threads beside its loop, and many threads in many steps. The views are the
same as if it had folded all of them at once.
"""

from contextlib import asynccontextmanager

import trio
import trio.testing

from meshcoop.fold.thread_fold import MAX_RECORDS
from meshcoop.ingest.backlog import Backlog, fold_thread_in_steps
from protocol.fold.fold import MAX_A_DAY
from protocol.kinds.exchange.exchange import Request, Response
from protocol.record.envelope import DAY_MS
from tests.support.street_in_memory import Street
from tests.support.work import count_calls

ROOMY = {"quota_records": 100_000, "quota_bytes": 2**30}
MANY = MAX_RECORDS + 60
FEW = MAX_RECORDS // 2 - 10  # these are folded in the step that stores them


@asynccontextmanager
async def backlog_of(home):
    """Runs the backlog of a home, as a node does."""
    backlog = Backlog(home.inbox, lambda _: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(backlog.run)
        await trio.testing.wait_all_tasks_blocked()
        yield backlog
        nursery.cancel_scope.cancel()


def chain_of(home, count, kind, about=None, **fields):
    """Signs many records of one kind, as many a day as count in a thread. The home stores them.
    Returns them as wires.
    """
    seq, prev = home.head.seq, home.head.id
    wires = []
    for number in range(count):
        seq += 1
        if number % MAX_A_DAY == 0:
            home.street.clock += DAY_MS
        record = home.forge(kind, about, seq=seq, prev=prev, **fields)
        prev = record.id
        wires.append(record.wire)
    home.street.clock += DAY_MS
    home.feed(wires)
    return wires


def answered_request(here, count):
    """Makes a home with a request, a home without it, and the wires of a request with answers."""
    ada = here.found(**ROOMY)
    ben = here.neighbour(ada)
    request = ada.post("request", title="Who has a ladder?", minutes="60", places="2")
    ben.feed(ada.wires())
    answers = chain_of(ben, count, "response", request, minutes=60)
    return ada, ben, request, answers


async def test_a_large_thread_folds_beside_the_loop_to_the_same_views():
    with Street(1) as here:
        ada, ben, request, answers = answered_request(here, MANY)
        async with backlog_of(ada) as backlog:
            ada.feed(answers[:20])
            assert len(ada.state.views.find(request.id).responses) == 20
            ada.feed(answers[20:])
            assert len(ada.state.views.find(request.id).responses) == 20

            await backlog.settle()

            assert len(ada.state.views.of_kind(Response)) == MANY
            assert ada.state_hash() == ben.state_hash()
            thread = await fold_thread_in_steps(ada.state, ada.store.records.find(request.id).root)
            assert len(thread.history) == MANY + 1


async def test_what_a_person_posts_is_folded_soon():
    with Street(1) as here:
        ada, _, request, answers = answered_request(here, MANY)
        ada.feed(answers)
        async with backlog_of(ada) as backlog:
            ada.post("close", request, as_state="withdrawn")
            await backlog.settle()

            assert ada.state.views.find(request.id).state == Request.State.WITHDRAWN


async def test_what_was_put_off_is_folded_after_a_restart():
    with Street(1) as here:
        ada, ben, _, answers = answered_request(here, MANY)
        ada.state.thread_fold.on_put_off = lambda _: None  # the node is killed before it can fold
        ada.feed(answers)
        ada.state.thread_fold.on_put_off = None
        assert ada.state_hash() != ben.state_hash()

        async with backlog_of(ada) as backlog:
            await backlog.settle()

            assert ada.state_hash() == ben.state_hash()


async def test_many_threads_are_folded_in_many_steps():
    with Street(1) as here:
        ada = here.found(**ROOMY)
        ben = here.neighbour(ada)
        ben.feed(ada.wires())
        wires = chain_of(ben, MANY, "offer", title="An offer")
        ada.feed(wires)
        async with backlog_of(ada) as backlog:
            ada.state.thread_fold.fold(ada.store.records.roots())
            assert not backlog.is_empty

            await backlog.settle()

            assert backlog.is_empty
            assert ada.state_hash() == ben.state_hash()


async def test_one_more_answer_costs_no_more_in_a_large_thread():
    with Street(1) as here:
        ada, _, _, answers = answered_request(here, MANY + 2)
        ada.feed(answers[:FEW])
        async with backlog_of(ada):
            among_few = count_calls(lambda: ada.feed(answers[FEW : FEW + 1]))
            ada.feed(answers[FEW + 1 : MANY + 1])

            among_many = count_calls(lambda: ada.feed(answers[MANY + 1 :]))

            assert among_many < among_few / 4


async def test_many_records_that_waited_are_placed_in_many_steps():
    with Street(1) as here:
        ada = here.found(**ROOMY)
        ben = here.neighbour(ada)
        ben.feed(ada.wires())
        wires = chain_of(ben, MANY, "offer", title="An offer")
        async with backlog_of(ada) as backlog:
            ada.feed(reversed(wires[1:]))
            before = ada.store.records.count()
            ada.feed(wires[:1])
            assert 0 < ada.store.records.count() - before < MANY

            await backlog.settle()

            assert ada.store.records.count() - before == MANY
            assert ada.state_hash() == ben.state_hash()
