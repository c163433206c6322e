"""However many records a peer, gossip or a stick brings at once, a node stores only a few of them in
each step of its loop.
"""

from types import SimpleNamespace

import pytest
import trio
import trio.testing

from meshcoop.api.methods.bundles import BundleMethods
from meshcoop.fold import thread_fold
from meshcoop.ingest import backlog, inbox
from meshcoop.ingest.inbox import AT_ONCE
from meshcoop.ingest.verify_pipeline import VerifyPipeline
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.testing.memory_network import MemoryNetwork
from protocol.wire import gossip
from tests.meshcoop.ingest.test_backlog import ROOMY, backlog_of, chain_of
from tests.support.street_in_memory import Street, settle
from tests.support.work import count_calls, most_in_one_step

MANY = 6 * AT_ONCE


async def by_gossip(home, wires):
    key = next(iter(home.state.epochs.gossip_keys()))
    async with MemoryNetwork(home.street.dice).host("ada") as host, trio.open_nursery() as nursery:
        mesh = HomeMesh(host, home.author, home.now, home.street.dice.randbytes)
        await nursery.start(mesh.run)
        topic = host.topics[gossip.topic_name(home.state.neighbourhood)]
        for wire in wires:
            topic.send.send_nowait(gossip.encode_frame(wire, key))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def by_sync(home, wires):
    async with trio.open_nursery() as nursery:
        await VerifyPipeline(home.inbox, None).put(nursery, wires, lambda _: None)


async def by_stick(home, wires):
    mesh = SimpleNamespace(inbox=home.inbox, on_stored=lambda _: None)
    node = SimpleNamespace(require_membership=lambda: SimpleNamespace(mesh=mesh))
    await BundleMethods(node).table()["take"]({"wires": wires})


@pytest.mark.parametrize("bring", [by_gossip, by_sync, by_stick])
async def test_one_step_stores_a_few_of_many_records(bring):
    with Street(1) as here:
        ada = here.found(**ROOMY)
        ben = here.neighbour(ada)
        wires = chain_of(ben, MANY, "offer", title="An offer")

        def stored():
            return ada.store.records.count_of_log(ben.me.device)

        before = stored()
        with most_in_one_step(stored) as most:
            await bring(ada, wires)

        assert stored() == before + MANY
        assert most.count <= AT_ONCE


def answered(here, count):
    """Ben asks, and Cho answers many times. Ada holds neither."""
    ada = here.found(**ROOMY)
    ben = here.neighbour(ada)
    cho = here.neighbour(ada)
    settle(ada, ben, cho)
    before = ben.head.seq
    request = ben.post("request", title="Who has a ladder?", minutes="60")
    cho.feed(ben.wires())
    answers = chain_of(cho, count, "response", request, minutes=60)
    wires = [record.wire for record in ben.store.records.of_log(ben.me.device, before + 1, 9)]
    return ada, wires, answers, ben.forge("retract", request).wire


async def work_of(here, count):
    """Returns the work of a home when a record comes for which many others have waited, and when
    the author takes this record back.
    """
    ada, request, answers, retraction = answered(here, count)
    async with backlog_of(ada) as running:
        ada.feed(answers)
        await running.settle()
        placing = count_calls(lambda: ada.feed(request))
        await running.settle()
        retracting = count_calls(lambda: ada.feed([retraction]))
        await running.settle()
        assert ada.state.views.failed_threads() == []
    return placing, retracting


async def test_a_record_that_many_have_answered_costs_no_more(monkeypatch):
    for module in (thread_fold, backlog):
        monkeypatch.setattr(module, "MAX_RECORDS", AT_ONCE)
    monkeypatch.setattr(inbox, "_MOST_MOVED", AT_ONCE)
    with Street(1) as here:
        few = await work_of(here, MANY)
    with Street(1) as here:
        many = await work_of(here, 3 * MANY)

    assert many[0] < 1.3 * few[0]
    assert many[1] < 1.3 * few[1]
