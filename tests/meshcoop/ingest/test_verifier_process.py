import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import trio

from meshcoop.ingest.signatures import verify
from meshcoop.ingest.verifier_process import open_verifier
from protocol.record.envelope import Record
from tests.support.street_in_memory import street

ELSEWHERE = bytes(range(32))


def batches(count):
    """Makes batches of genuine records. In each batch, a different record has a false signature."""
    with street() as (ada, _):
        for n in range(12):
            ada.post("offer", title=f"offer {n}")
        rows = [ada.store.records.find(one) for one in ada.store.records.ids()]
        records = [row.record for row in rows if row.record.id != ada.state.neighbourhood]
        found = []
        for n in range(count):
            batch = list(records)
            batch[n % len(batch)] = forged(batch[n % len(batch)])
            found.append(batch)
        return found, ada.state.neighbourhood


def forged(one: Record) -> Record:
    flipped = bytes([one.signature[0] ^ 1]) + one.signature[1:]
    return one._replace(signature=flipped)


def children(parent=None):
    lists = Path(f"/proc/{parent or os.getpid()}/task").glob("*/children")  # of all its threads
    return {int(pid) for one in lists for pid in one.read_text().split()}


async def right(beside, batch, place):
    assert await beside(batch, place) == verify(batch, place)


async def test_each_batch_is_told_what_verifying_in_place_says():
    found, place = batches(40)
    answers = {}

    async def ask(n, verify_beside):
        answers[n] = await verify_beside(found[n], place)

    async with open_verifier() as beside, trio.open_nursery() as nursery:
        for n in range(len(found)):
            nursery.start_soon(ask, n, beside)
    for n, batch in enumerate(found):
        assert answers[n] == verify(batch, place)
        assert len(answers[n].genuine) == len(batch) - 1
        assert answers[n].refused[0].reason.startswith("the signature does not hold")


async def test_the_charter_signs_for_no_place_and_a_record_of_elsewhere_is_refused():
    with street() as (ada, _):
        records = [ada.post("offer", title=f"offer {n}") for n in range(12)]
        charter = ada.store.records.find(ada.state.neighbourhood).record
        async with open_verifier() as beside:
            here = await beside([charter, *records], ada.state.neighbourhood)
            elsewhere = await beside([charter, *records], ELSEWHERE)
    assert here.genuine == [charter, *records]
    assert elsewhere.genuine == []


async def test_who_gives_up_waiting_shifts_nobodys_answer():
    found, place = batches(12)
    async with open_verifier() as beside:
        for batch in found:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(beside, batch[:9], place)
                    await trio.lowlevel.checkpoint()
                    scope.cancel()
            assert await beside(batch, place) == verify(batch, place)


async def test_another_process_takes_the_place_of_one_that_was_killed():
    found, place = batches(6)
    others = children()
    async with open_verifier() as beside:
        for batch in found:
            assert await beside(batch, place) == verify(batch, place)
            (pid,) = children() - others
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(right, beside, batch, place)
                await trio.lowlevel.checkpoint()
                os.kill(pid, signal.SIGKILL)
    assert children() == others


def test_the_process_ends_with_one_that_was_killed():
    node = """
import sys, trio
from meshcoop.ingest.verifier_process import open_verifier
from protocol.record import envelope as record
async def main():
    wires = [bytes.fromhex(line) for line in sys.argv[1:]]
    async with open_verifier() as beside:
        await beside([record.parse(one) for one in wires], bytes(32))
        print("asked", flush=True)
        await trio.sleep_forever()
trio.run(main)
"""
    ((batch, *_), _) = batches(1)
    wires = [one.wire.hex() for one in batch]
    with subprocess.Popen([sys.executable, "-c", node, *wires], stdout=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"asked\n"
        (pid,) = children(running.pid)
        running.kill()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_without_much_to_do_there_is_no_process_and_afterwards_neither():
    found, place = batches(1)
    others = children()
    async with open_verifier() as beside:
        await beside(found[0][:2], place)
        assert children() == others
        await beside(found[0], place)
        assert children() != others
    assert children() == others
