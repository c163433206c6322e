"""A post into a large thread holds up nobody, and is checked with what holds when it is signed.

The tests count the calls of functions in each step of the loop, so they need no clock.
"""

import ast
from pathlib import Path

import pytest
import trio

import meshcoop
from meshcoop.author import automatic
from meshcoop.author.folding import FoldThread, ReadPart, fold_at_once, fold_in_steps
from meshcoop.author.next_steps import find_steps
from meshcoop.fold.thread_fold import MAX_RECORDS
from protocol.errors import Refused
from protocol.kinds.exchange.exchange import Response
from tests.meshcoop.api.test_steps import CallMeter
from tests.meshcoop.ingest.test_backlog import ROOMY, answered_request, backlog_of, chain_of
from tests.support.street_in_memory import Street, by_id, street
from tests.support.work import count_calls

FEW, MANY = MAX_RECORDS + 10, 3 * MAX_RECORDS


def begin_to_post(home, request):
    """Lets a minute pass, and begins to post an answer."""
    home.street.clock += 60_000
    return home.author.posting("response", {"text": "I have one"}, about=request.id, resolve=by_id)


def answer_until(home, posting, wanted):
    """Gives the post what it asks for, until it asks for something of the type `wanted`."""
    request = next(posting)
    while type(request) is not wanted:
        request = posting.send(request.answer(home.state))
    return request


def finish(home, posting, request):
    """Gives the post what it asks for, until it ends. Returns the record."""
    try:
        while True:
            request = posting.send(request.answer(home.state))
    except StopIteration as end:
        return end.value


def finish_while_others_write(home, posting, wires):
    """Lets one record arrive each time when the post has asked for the thread."""
    request = next(posting)
    while True:
        if type(request) is ReadPart:
            home.feed([next(wires)])
        request = posting.send(request.answer(home.state))


async def largest_step_of_post(count):
    with Street(1) as here:
        _, ben, request, _ = answered_request(here, count)
        meter = CallMeter()
        async with backlog_of(ben) as backlog:
            trio.lowlevel.add_instrument(meter)
            await trio.lowlevel.checkpoint()
            await fold_in_steps(ben.state, begin_to_post(ben, request))
            await trio.lowlevel.checkpoint()
            trio.lowlevel.remove_instrument(meter)
            await backlog.settle()
            assert len(ben.state.views.of_kind(Response)) == count + 1
    return meter.most


async def test_the_largest_step_of_a_post_does_not_grow_with_its_thread():
    assert await largest_step_of_post(MANY) < 1.2 * await largest_step_of_post(FEW)


def test_a_post_begins_again_if_the_home_signs_something_else_meanwhile():
    with Street(1) as here:
        _, ben, request, _ = answered_request(here, 3)
        posting = begin_to_post(ben, request)
        asked = answer_until(ben, posting, FoldThread)
        other = ben.post("offer", title="Help")

        signed = finish(ben, posting, asked)

        assert signed.header.seq == other.header.seq + 1
        assert ben.store.logs.find(ben.me.device).fork is None
        assert ben.state.views.find(signed.id) is not None


def test_a_post_is_checked_with_what_arrives_meanwhile():
    with Street(1) as here:
        ada, ben, request, _ = answered_request(here, 3)
        posting = begin_to_post(ben, request)
        asked = answer_until(ben, posting, FoldThread)
        closed = ada.post("close", request, as_state="withdrawn")
        ben.feed([closed.wire])

        with pytest.raises(Refused, match="withdrawn"):
            finish(ben, posting, asked)


def test_a_post_into_a_thread_that_never_rests_is_refused():
    with Street(1) as here:
        ada, _, request, answers = answered_request(here, 10)
        cho = here.neighbour(ada)
        cho.feed(ada.wires())
        head = cho.head.seq

        with pytest.raises(Refused, match=r"R-10\.22"):
            finish_while_others_write(cho, begin_to_post(cho, request), iter(answers))

        assert cho.head.seq == head


async def test_a_post_whose_caller_is_cancelled_is_whole():
    with Street(1) as here:
        _, ben, request, _ = answered_request(here, FEW)
        head = ben.head.seq
        async with backlog_of(ben) as backlog:
            with trio.CancelScope() as scope:
                scope.cancel()
                await fold_in_steps(ben.state, begin_to_post(ben, request))
            await backlog.settle()

        assert ben.head.seq == head + 1
        assert len(ben.state.views.of_kind(Response)) == FEW + 1


def work_of_next_steps(count):
    """Counts the work of finding the steps of somebody who wrote all answers of a request."""
    with Street(1) as here:
        ada = here.found(**ROOMY)
        ben = here.neighbour(ada)
        request = ada.post("request", title="Who has a ladder?", minutes="60")
        ben.feed(ada.wires())
        chain_of(ben, count, "response", request, minutes=60)
        steps = []

        def find():
            steps.extend(find_steps(ben.author, ben.author.signer_of(), request.id))

        work = count_calls(find)
        assert len([step for step in steps if step.kind == "retract"]) == count
    return work


def test_steps_about_twice_as_many_own_records_need_twice_the_work():
    assert work_of_next_steps(40) < 2.5 * work_of_next_steps(20)


def test_a_node_signs_no_answer_at_once():
    at_once = [
        f"{path.name}:{call.lineno}"
        for folder in ("api", "author", "node", "sync")
        for path in sorted((Path(meshcoop.__file__).parent / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"post", "write"}
        and any(keyword.arg == "about" for keyword in call.keywords)
    ]

    # Who renews votes for what they have just proposed, so this thread is small.
    assert len(at_once) == 1
    assert at_once[0].startswith("renewal.py:")


def accepts_of(home):
    """Returns the ids of the records by which the person of a home has accepted the charter."""
    rows = home.store.records.of_log(home.me.device, 1, 1000)
    contents = {row.id: home.state.contents.read(row) for row in rows}
    return [number for number, content in contents.items() if content.kind == "accept"]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_two_tasks_accept_a_large_charter_once(steps):
    """The first task waits for the fold of the charter's thread, and the second one comes."""
    with street(homes=2) as (_, ben):
        first = automatic.accept_charter(ben.author)
        request = next(first)
        for _ in range(steps - 1):
            request = first.send(request.answer(ben.state))
        fold_at_once(ben.state, automatic.accept_charter(ben.author))
        finish(ben, first, request)
        fold_at_once(ben.state, automatic.accept_charter(ben.author))

        assert len(accepts_of(ben)) == 1


def test_a_task_that_is_given_up_keeps_nobody_from_accepting_the_charter():
    with street(homes=2) as (_, ben):
        first = automatic.accept_charter(ben.author)
        next(first)
        first.close()
        fold_at_once(ben.state, automatic.accept_charter(ben.author))

        assert len(accepts_of(ben)) == 1
