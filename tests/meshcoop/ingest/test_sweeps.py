"""What concerns tens of thousands of threads is done in short steps. A kill at any step does no harm,
and the result is the same as at once.
"""

import pytest
import trio

from meshcoop.author.key_giving import give_by_record
from meshcoop.fold import thread_fold
from meshcoop.ingest import backlog, inbox, quota
from meshcoop.ingest.backlog import Backlog
from protocol.kinds.exchange.exchange import Offer
from protocol.kinds.neighbourhood import Admit
from tests.meshcoop.ingest.test_backlog import ROOMY, backlog_of, chain_of
from tests.support.council import propose, vote
from tests.support.street_in_memory import Street
from tests.support.work import count_calls, most_in_one_step

AT_ONCE = 20
FEW, MANY = 100, 400


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch):
    for module in (thread_fold, backlog):
        monkeypatch.setattr(module, "MAX_RECORDS", AT_ONCE)
    monkeypatch.setattr(quota, "_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(inbox, "_MOST_MOVED", AT_ONCE)


def written(here, count):
    """Makes the home of Ada, and the home of Ben, who has written many offers. Both hold all."""
    ada = here.found(**ROOMY)
    ben = here.neighbour(ada)
    ada.feed(chain_of(ben, count, "offer", title="An offer"))
    return ada, ben


def revocation(here, count):
    """All offers of Ben stop to count, because his device is revoked."""
    ada, ben = written(here, count)
    home = here.twin(ben)
    home.feed(ada.wires())
    return home, [ada.write("device", statement=ben.revocation(5)).wire]


def epoch_key(here, count):
    """Cho can read nothing, until she gets the key."""
    ada, _ = written(here, count)
    cho = here.person()
    ada.admit(cho)
    home = here.home(ada, cho)
    home.feed(ada.wires())
    before = ada.head.seq
    give_by_record(ada.author, cho.device, ada.state.ring.all())
    sealed = ada.store.records.of_log(ada.me.device, before + 1, 9)
    return home, [record.wire for record in sealed]


def lost_proxy(here, count):
    """Ben is no deputy any more, because the device that said so is revoked. It had written many
    offers before.
    """
    ada, ben = written(here, count)
    cho = here.neighbour(ada)
    ada.feed(chain_of(cho, 3 * AT_ONCE, "offer", title="An offer"))
    cho.post("proxy", person=ben.me.person.hex(), matters=["flag"], until="2030-01-01")
    ada.feed(cho.wires())
    home = here.twin(ben)
    home.feed(ada.wires())
    return home, [ada.write("device", statement=cho.revocation(5)).wire]


def smaller_quota(here, count):
    """Most offers of Ben lie above the quota, which the neighbourhood makes smaller."""
    ada, ben = written(here, count)
    home = here.twin(ben)
    home.feed(ada.wires())
    before = ada.head.seq
    vote(propose(ada, "charter quota_records=30"), [ada], [ada])
    decided = ada.store.records.of_log(ada.me.device, before + 1, 9)
    return home, [record.wire for record in decided]


def fork(here, count):
    """Ben's device has signed twice with one number, which is low."""
    ada, ben = written(here, count)
    home = here.twin(ben)
    home.feed(ada.wires())
    return home, [ben.forge("offer", title="Another one", seq=8, prev=b"p" * 32).wire]


def stranger(here, count):
    """Nobody has let Ben in any more: Ada did so, after her device had signed twice with one
    number.
    """
    ada, ben = written(here, count)
    home = here.twin(ben)
    home.feed(ada.wires())
    (admission,) = home.state.authority_fold.records_of(Admit)
    return home, [ada.forge("offer", title="Another", seq=admission.seq - 1, prev=b"p" * 32).wire]


def answered(here, count):
    """Cho has answered a request of Ben many times. Returns the homes, and the wire of the request.
    Ada holds all.
    """
    ada = here.found(**ROOMY)
    cho = here.neighbour(ada)
    ben = here.neighbour(ada)
    request = ben.post("request", title="Who has a ladder?", minutes="60")
    cho.feed([*ada.wires(), *ben.wires()])
    chain_of(cho, count, "response", request, minutes=60)
    ada.feed([*ben.wires(), *cho.wires()])
    return ada, ben, request.wire


def late_root(here, count):
    """The request comes after all its answers."""
    ada, ben, request = answered(here, count)
    home = here.twin(ben)
    home.feed(wire for wire in ada.wires() if wire != request)
    return home, [request]


def answered_stranger(here, count):
    """Nobody has let in Ben any more, whose request has many answers."""
    ada, ben, _ = answered(here, count)
    home = here.twin(ben)
    home.feed(ada.wires())
    admissions = home.state.authority_fold.records_of(Admit)
    seq = max(admission.seq for admission in admissions) - 1
    return home, [ada.forge("offer", title="Another", seq=seq, prev=b"p" * 32).wire]


MOVES = [late_root, answered_stranger]
CHANGES = [revocation, epoch_key, smaller_quota, fork, stranger, *MOVES]


def at_once(home, wires):
    """Returns what a home finds that does all at once."""
    other = home.street.twin(home)
    other.feed(home.wires())
    other.feed(wires)
    return other.state_hash(), other.ids()


async def run_and_kill(home, steps):
    """Runs the backlog of a home for some steps."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Backlog(home.inbox, lambda _: None).run)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("change", [*CHANGES, lost_proxy])
async def test_a_change_of_many_threads_ends_as_at_once(change):
    with Street(1) as here:
        home, wires = change(here, FEW)
        wanted = at_once(home, wires)
        async with backlog_of(home) as running:
            home.feed(wires)
            await running.settle()

            assert (home.state_hash(), home.ids()) == wanted


@pytest.mark.parametrize("change", [*CHANGES, lost_proxy])
async def test_a_change_of_many_threads_survives_a_kill_at_each_step(change):
    with Street(1) as here:
        home, wires = change(here, FEW)
        wanted = at_once(home, wires)
        async with backlog_of(home):
            home.feed(wires)  # and the node is killed before the next step
        for steps in range(1, 4):
            await run_and_kill(home, steps)
        async with backlog_of(home) as running:
            await running.settle()

        assert (home.state_hash(), home.ids()) == wanted


@pytest.mark.parametrize("change", CHANGES)
async def test_the_step_of_a_change_does_not_grow_with_the_threads(change):
    work = []
    for count in (FEW, MANY):
        with Street(1) as here:
            home, wires = change(here, count)
            async with backlog_of(home) as running:
                work.append(count_calls(lambda home=home, wires=wires: home.feed(wires)))
                await running.settle()

    assert work[1] < 1.3 * work[0]


@pytest.mark.parametrize("change", [fork, stranger])
async def test_one_step_deletes_a_few_of_many_records(change):
    with Street(1) as here:
        home, wires = change(here, FEW)
        async with backlog_of(home) as running:
            with most_in_one_step(lambda: -home.store.records.count()) as deleted:
                home.feed(wires)
                await running.settle()

        assert home.store.records.count() < FEW / 2
        assert deleted.count <= 2 * AT_ONCE


@pytest.mark.parametrize("change", MOVES)
async def test_one_step_moves_a_few_of_many_answers(change):
    with Street(1) as here:
        home, wires = change(here, FEW)

        def moved():
            rows = home.store.db.execute("SELECT count(*) FROM records WHERE root IS NULL")
            return rows.fetchone()[0]

        before = moved()
        async with backlog_of(home) as running:
            with most_in_one_step(lambda: abs(moved() - before)) as most:
                home.feed(wires)
                await running.settle()

        assert abs(moved() - before) >= FEW
        assert most.count <= AT_ONCE


async def test_one_step_folds_a_few_of_many_threads():
    with Street(1) as here:
        home, wires = revocation(here, FEW)

        def removed():
            return -home.state.views.count(Offer)

        before = removed()
        async with backlog_of(home) as running:
            with most_in_one_step(removed) as most:
                home.feed(wires)
                await running.settle()

        assert removed() > before + FEW / 2
        # A thread of one record costs as much as three records.
        assert most.count <= AT_ONCE / 3 + 1


async def test_one_step_folds_a_few_records_of_a_former_deputy(monkeypatch):
    folds = []
    fold_entries = thread_fold.fold_entries

    def note(*arguments):
        folds.append(arguments)
        return fold_entries(*arguments)

    monkeypatch.setattr(thread_fold, "fold_entries", note)
    with Street(1) as here:
        home, wires = lost_proxy(here, FEW)
        async with backlog_of(home) as running:
            with most_in_one_step(lambda: len(folds)) as most:
                home.feed(wires)
                await running.settle()

    assert most.count <= AT_ONCE


def test_a_new_deputy_is_folded_at_once_among_more_threads_than_are_written_together(monkeypatch):
    monkeypatch.setattr(thread_fold, "_AT_ONCE", 5)
    with Street(1) as here:
        ada, ben = written(here, 1)
        other = here.twin(ben)
        ada.post("proxy", person=ben.me.person.hex(), matters=["flag"], until="2030-01-01")
        ben.feed(ada.wires())
        for number in range(AT_ONCE):
            request = ben.post("request", title=f"A ladder {number}?", minutes="60")
            ben.post("flag", request, reason="odd")
        other.feed(ben.wires())

        assert other.state_hash() == ben.state_hash()
