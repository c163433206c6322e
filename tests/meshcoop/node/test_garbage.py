"""A node collects garbage in steps of its own, and looks through few objects in each of them."""

import json
import subprocess
import sys

from meshcoop.node.garbage import MOST_FROZEN, MOST_UNFROZEN

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

async def keep(kept, count, in_a_step, circles=None):
    '''Makes objects that stay. Returns how often old ones were collected in these steps.'''
    collections = 0
    for _ in range(count // in_a_step):
        before = len(looked_through)
        kept += ([] for _ in range(in_a_step))
        if circles is not None:
            circles.append(Circle())
        collections += len(looked_through) - before
        await trio.testing.wait_all_tasks_blocked()
    return collections

async def main():
    home = garbage.Garbage()
    gc.callbacks.append(note)
    kept, circles = [], []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(home.collect_in_steps)
        in_other_steps = await keep(kept, {MOST_FROZEN // 2}, 5000, circles)
        frozen = list(map(weakref.ref, circles))
        circles.clear()
        new = list(map(weakref.ref, [Circle() for _ in range(200)]))
        in_other_steps += await keep(kept, {MOST_FROZEN // 4}, 5000)
        most = max(looked_through)
        rounds = len(looked_through)
        lefts = [left(new)]
        in_other_steps += await keep(kept, {MOST_FROZEN}, 5000)
        lefts.append(left(frozen))
        whole = sum(count > {MOST_FROZEN} for count in looked_through)
        in_other_steps += await keep(kept, {MOST_FROZEN}, {MOST_FROZEN})
        nursery.cancel_scope.cancel()
    print(json.dumps([rounds, in_other_steps, most, lefts, whole]))

trio.run(main)
"""


def test_a_node_looks_through_few_objects_at_once_and_leaves_no_garbage_for_good():
    output = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True).stdout
    rounds, in_other_steps, most, lefts, whole = json.loads(output)

    assert rounds >= 5
    assert in_other_steps == 0
    assert most < 3 * MOST_UNFROZEN
    assert lefts == [0, 0]
    assert whole == 1


def test_a_node_seldom_counts_the_frozen_objects():
    """To count them takes long, because Python looks at each of them."""
    program = f"""
import gc
import trio, trio.testing
from meshcoop.node import garbage

async def main():
    home = garbage.Garbage()
    counts = []
    count = gc.get_freeze_count
    gc.get_freeze_count = lambda: counts.append(0) or count()
    kept = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(home.collect_in_steps)
        for _ in range({MOST_FROZEN} // 5000):
            kept += ([] for _ in range(5000))
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    print(len(counts))

trio.run(main)
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert int(output) <= 3
