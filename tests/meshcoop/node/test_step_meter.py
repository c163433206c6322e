import time

import trio

from meshcoop.node.step_meter import LIMIT_MS, StepMeter, read_steps


async def wait_quietly():
    await trio.lowlevel.checkpoint()


async def hold_up_everybody():
    began = time.thread_time()
    while time.thread_time() - began < 2 * LIMIT_MS / 1000:
        pass
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
