"""However many records a peer, gossip or a stick brings at once, a node stores only a few of them in
each step of its loop.
"""

from types import SimpleNamespace

import pytest
import trio
import trio.testing

from meshcoop.api.methods.bundles import BundleMethods
from meshcoop.ingest.inbox import AT_ONCE
from meshcoop.ingest.verify_pipeline import VerifyPipeline
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.testing.memory_network import MemoryNetwork
from protocol.wire import gossip
from tests.meshcoop.ingest.test_backlog import ROOMY, chain_of
from tests.support.street_in_memory import Street
from tests.support.work import most_in_one_step

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
