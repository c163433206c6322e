"""Homes at rest: while nothing changes, a home does next to nothing."""

from collections import Counter

import trio

from meshcoop.ingest.inbox import Inbox
from meshcoop.sync.peer_manager import PeerManager
from tests.support.simulated_street import Street

NAMES = ("ada", "ben", "cho")
SETTLED_AFTER = 60  # simulated seconds
REST = 600


def count_calls(monkeypatch, counts, owner, name):
    method = getattr(owner, name)

    def counted(self, *arguments):
        counts[name] += 1
        return method(self, *arguments)

    monkeypatch.setattr(owner, name, counted)


def test_homes_look_for_work_only_if_there_may_be_work(simulate, monkeypatch):
    looks = Counter()
    count_calls(monkeypatch, looks, PeerManager, "_due_addresses")
    count_calls(monkeypatch, looks, Inbox, "recount_in_steps")

    async def rest(street: Street) -> None:
        async with trio.open_nursery() as nursery:
            for home in street.homes.values():
                await nursery.start(home.live)
            await street.settle()
            await trio.sleep(SETTLED_AFTER)
            looks.clear()
            await trio.sleep(REST)
            nursery.cancel_scope.cancel()

    simulate(1, rest, NAMES)

    assert looks["_due_addresses"] <= len(NAMES) * (REST / 10 + 5), "all are connected"
    assert looks["recount_in_steps"] <= len(NAMES), "the backlog has nothing to do"
