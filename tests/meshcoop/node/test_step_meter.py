import time

import trio

from meshcoop.api.server import CALL
from meshcoop.node.step_meter import CALL_LIMIT_MS, LIMIT_MS, StepMeter, read_steps
from tests.support.suite_steps import SuiteMeter, slowest_of_tasks


async def wait_quietly():
    await trio.lowlevel.checkpoint()


def compute(milliseconds):
    began = time.thread_time()
    while time.thread_time() - began < milliseconds / 1000:
        pass


async def hold_up_everybody():
    compute(2 * LIMIT_MS)
    await trio.lowlevel.checkpoint()


async def answer_in_short_steps():
    for _ in range(9):
        compute(CALL_LIMIT_MS / 8)
        await trio.lowlevel.checkpoint()


def test_a_meter_names_the_task_and_the_place_of_a_slow_step(tmp_path):
    report = tmp_path / "steps"
    meter = StepMeter(report)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold_up_everybody)

    trio.run(main, instruments=[meter])

    slow = [step for step in read_steps(report) if step.milliseconds > LIMIT_MS]
    assert [step.task.rpartition(".")[2] for step in slow] == ["hold_up_everybody"]
    assert slow[0].place.startswith("tests.meshcoop.node.test_step_meter:")
    assert meter.slowest == slow[0]


def test_a_meter_without_slow_steps_writes_the_slowest(tmp_path):
    meter = StepMeter(tmp_path / "steps")

    trio.run(wait_quietly, instruments=[meter])

    assert read_steps(tmp_path / "steps") in ([meter.slowest], meter.slow)


def test_a_meter_adds_up_the_steps_of_a_call(tmp_path):
    report = tmp_path / "steps"
    meter = StepMeter(report)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer_in_short_steps, name=CALL + "list")
            nursery.start_soon(answer_in_short_steps, name="a loop of the node")

    trio.run(main, instruments=[meter])

    slow = [step for step in read_steps(report) if step.milliseconds > CALL_LIMIT_MS]
    assert slow == [meter.slowest_call]
    assert (slow[0].task, slow[0].place) == (CALL + "list", "the whole call")


def test_the_meter_of_the_suite_leaves_out_the_steps_of_tests(tmp_path):
    meter = SuiteMeter(tmp_path / "steps")

    async def main():
        compute(2 * LIMIT_MS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold_up_everybody, name="a loop of a node")
            nursery.start_soon(hold_up_everybody)

    trio.run(main, instruments=[meter])

    steps = read_steps(tmp_path / "steps")
    assert [(step.task, count) for step, count in slowest_of_tasks(steps)] == [
        ("a loop of a node", 1)
    ]
