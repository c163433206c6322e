"""Answers are worked out in slices, and other tasks run between them."""

import trio

from meshcoop.fold import slices
from meshcoop.fold.slices import answer_in_slices, pause, run_beside


async def count_while(finished):
    """Counts how often this task may run until the event is set."""
    count = 0
    while not finished.is_set():
        count += 1
        await trio.lowlevel.checkpoint()
    return count


async def runs_of_others(work, params):
    """Awaits `work` and returns how often another task ran meanwhile."""
    counts = []
    async with trio.open_nursery() as nursery:
        finished = trio.Event()

        async def note():
            counts.append(await count_while(finished))

        nursery.start_soon(note)
        await work(params)
        finished.set()
    return counts[0]


async def pause_often(times):
    for _ in range(times):
        pause()


async def test_others_run_at_each_pause_of_an_answer(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_MS", 0)

    async def answer(times):
        await answer_in_slices(pause_often, times)

    assert await runs_of_others(answer, 50) > 40


async def test_nobody_is_interrupted_outside_an_answer(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_MS", 0)

    assert await runs_of_others(pause_often, 50) <= 1


async def test_a_task_that_an_answer_starts_is_not_interrupted(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_MS", 0)

    async def answer(times):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pause_often, times)

    await answer_in_slices(answer, 50)


async def test_a_thread_gives_the_same_result_as_the_loop():
    async def answer(text):
        return run_beside(str.upper, text)

    assert await answer_in_slices(answer, "ladder") == await answer("ladder") == "LADDER"
