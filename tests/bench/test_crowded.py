"""Measures how long a screen waits in a crowded neighbourhood. To run: `uv run pytest -m long -n 0
-s` on this file.

Measured on one core, in milliseconds of work: 25 for the board with its 500 requests, 2 for one
thread. A person's balance with its history took 3, all balances took 11. The test asserts nothing
about time.
"""

from types import SimpleNamespace

import pytest

from meshcoop.api.methods.method_table import Methods
from meshcoop.dev.bench.fixtures import now
from meshcoop.fold.muted_people import MutedPeople
from tests.support.crowded_street import Crowd, timed

PEOPLE, EXCHANGES = 500, 20_000


@pytest.mark.long
def test_what_a_screen_asks_for_in_a_crowded_neighbourhood(tmp_path):
    author = Crowd(PEOPLE, EXCHANGES).home(tmp_path / "store.db")
    state = author.state
    member = SimpleNamespace(state=state, author=author, muted=MutedPeople(author.inbox.store))
    methods = Methods(SimpleNamespace(require_membership=lambda: member, now=now)).table()
    one = next(one for one in state.views.newest("receipt", state="confirmed"))
    giver, agreement = one["giver"].hex(), one["about"].hex()
    print(f"\n{PEOPLE} people, {EXCHANGES} exchanges")  # noqa: T201  # figures are what it is for

    board = timed("list requests", methods["list"], what="requests")
    assert len(board) == 500
    assert all(view["responses"] for view in board)
    shown = timed("show", methods["show"], id=one["id"].hex())
    assert len(shown["history"]) == 5
    (listed,) = timed("list receipts --about", methods["list"], what="receipts", about=agreement)
    assert listed["id"] == one["id"].hex()
    row = timed("balance PERSON", methods["balance"], person=giver)
    assert row["history"][-1]["balance"] == row["balance"]
    rows = timed("balance", methods["balance"])
    assert sum(one["balance"] for one in rows) == 0
    author.inbox.store.close()
