"""The demo tells its story and leaves nothing behind, in whatever way it ends."""

import os
import re
import signal
import subprocess
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest

from tests.support import forked_programs as warm
from tests.support.forked_programs import PROGRAM
from tests.support.real_homes import PATIENCE, eventually, processes_about


@pytest.fixture
def demo(tmp_path_factory):
    """Yields a function that starts a demo. The demo makes its folder inside a folder of the test,
    and must leave nothing there.
    """
    base = tmp_path_factory.mktemp("d")
    env = {**os.environ, "TMPDIR": str(base)}
    started = []

    def start(*words, forked=False):
        command = [*PROGRAM, "demo", "--headless", *words]
        if forked:
            process = warm.start(command, env=env)
        else:
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=env
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    eventually(lambda: not processes_about(base), "a process is left")
    with suppress(AssertionError):
        eventually(lambda: not list(base.iterdir()), "something is left in the folder")
    assert list(base.rglob("*")) == []


@pytest.mark.parametrize("homes", [3, pytest.param(5, marks=pytest.mark.long)])
def test_the_story_is_told(demo, homes):
    # The next test starts the demo and its nodes as a person does.
    process = demo("--households", str(homes), forked=True)
    process.stdin.close()
    said = process.stdout.read()
    errors = process.stderr.read()
    assert process.wait(4 * PATIENCE) == 0, errors
    assert errors == ""
    hashes = re.findall(r"\b[0-9a-f]{64}\b", said)
    assert len(hashes) == 1
    assert f"One state at all {homes} homes" in said
    assert "together 0" in said
    assert said.count("You both listed Yoruba.") == 2
    assert "offered, not accepted. Sam holds it." in said
    assert "five misses, six reporters. Every home shows one matter, held by Sam." in said
    assert "Every home shows both, and the action is open again." in said
    assert "The matter closes: more than half of those who raised it say that it is fixed." in said
    assert "This did not happen" not in said
    assert "Hers is off when Sam's comes back, and he reads it." in said
    assert "The relay's files contain neither the words nor a name." in said
    assert "no record is stored twice." in said
    assert "as “Ada for Grace”." in said
    assert "No third home shows it." in said
    assert "Grace -120" in said
    assert "Sam +120" in said
    assert "every home says the same." in said
    (lift,) = re.findall(r"a lift on (\S+), Thursday", said)
    assert date.fromisoformat(lift).isoweekday() == 4
    assert date.fromisoformat(lift) >= datetime.now(UTC).date()


def test_a_demo_that_is_interrupted_leaves_nothing(demo):
    # The signal comes in the middle: the founder's node is up, other nodes are about to start.
    ends = {signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGKILL: -signal.SIGKILL}
    running = {number: demo("--households", "3") for number in ends}
    for number, process in running.items():
        assert "founds" in process.stdout.readline()
        process.send_signal(number)
    for number, process in running.items():
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == ends[number], errors
        assert "Traceback" not in errors
