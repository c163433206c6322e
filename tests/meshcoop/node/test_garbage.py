"""A node collects garbage in steps of its own, and looks through few objects in each of them."""

import json
import subprocess
import sys

from meshcoop.node.garbage import MOST_UNFROZEN

KEPT = 7 * MOST_UNFROZEN

# It runs in a process of its own, because it changes how the whole process collects garbage.
PROGRAM = f"""
import gc, json, weakref
import trio, trio.testing
from meshcoop.node import garbage

class Circle:
    def __init__(self):
        self.itself = self

looked_through = []

def note(phase, info):
    if phase == "start" and info["generation"] == 2:
        looked_through.append(len(gc.get_objects()))

def left(circles):
    return sum(circle() is not None for circle in circles)

async def keep(kept, in_a_step, circles=None):
    '''Makes objects that stay. Returns how often old ones were collected in these steps.'''
    count = 0
    for _ in range({KEPT} // in_a_step):
        before = len(looked_through)
        kept += ([] for _ in range(in_a_step))
        if circles is not None:
            circles.append(Circle())
        count += len(looked_through) - before
        await trio.testing.wait_all_tasks_blocked()
    return count

async def main():
    home = garbage.Garbage()
    gc.callbacks.append(note)
    kept, circles = [], []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(home.collect_in_steps)
        await trio.sleep(garbage.WHOLE_SECONDS + 1)
        on_a_quiet_day = len(looked_through)
        in_other_steps = await keep(kept, 5000, circles)
        frozen = list(map(weakref.ref, circles))
        circles.clear()
        new = list(map(weakref.ref, [Circle() for _ in range(200)]))
        in_other_steps += await keep(kept, 5000)
        most = max(looked_through)
        rounds = len(looked_through)
        in_other_steps += await keep(kept, {KEPT})
        lefts = [left(new)]
        await trio.sleep(garbage.WHOLE_SECONDS + 1)
        lefts.append(left(frozen))
        nursery.cancel_scope.cancel()
    print(json.dumps([on_a_quiet_day, rounds, in_other_steps, most, lefts]))

trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
"""


def test_a_node_looks_through_few_objects_at_once_and_leaves_no_garbage_for_good():
    output = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True).stdout
    on_a_quiet_day, rounds, in_other_steps, most, lefts = json.loads(output)

    assert on_a_quiet_day == 0
    assert rounds >= 5
    assert in_other_steps == 0
    assert most < 3 * MOST_UNFROZEN
    assert lefts == [0, 0]
