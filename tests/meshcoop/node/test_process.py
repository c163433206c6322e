import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from meshcoop.client import Client
from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.node import process
from protocol.wire import calls
from tests.support.real_homes import eventually

NODE = """
import os, sys
from pathlib import Path
import trio
from meshcoop.api.event_hub import EventHub
from meshcoop.api.server import serve_api
from meshcoop.home.folder import Home
from meshcoop.errors import Mistake
from meshcoop.home.passphrase import obtain_passphrase

async def node(home, passphrase):
    looks = 0
    async with trio.open_nursery() as nursery:
        async def status(params):
            nonlocal looks
            looks += 1
            return {"ready": looks > 2, "pid": os.getpid(), "passphrase": passphrase,
                    "terminal": os.isatty(0), "session": os.getsid(0)}
        async def stop(params):
            nursery.cancel_scope.cancel()
        await serve_api(home.api_socket, {"status": status, "stop": stop}, EventHub())

option, path, command = sys.argv[1:]
assert (option, command) == ("--home", "run")
home = Home(Path(path))
try:
    with home.lock():
        trio.run(node, home, obtain_passphrase())
except Mistake as mistake:
    sys.exit(mistake.sentence)
"""

STUBBORN = NODE.replace("nursery.cancel_scope.cancel()", "pass")


def program(tmp_path, text):
    path = tmp_path / "node.py"
    path.write_text(text)
    return (sys.executable, str(path))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("MESHCOOP_PASSPHRASE_FILE", raising=False)
    return Home(tmp_path / "home")


def test_a_node_starts_ready_and_stops(home, tmp_path):
    node = program(tmp_path, NODE)
    assert not process.running(home)
    pid = process.start(home, "four w\u00f6rds", program=node)
    try:
        assert process.running(home)
        with Client(home.api_socket) as client:
            status = client.call(calls.Status())
        assert status["pid"] == status["session"] == pid != os.getpid()
        assert status["passphrase"] == "four w\u00f6rds"
        assert not status["terminal"]
        assert process.start(home, "", program=node) == pid
    finally:
        process.stop(home)
    assert not process.running(home)
    assert not home.api_socket.exists()
    process.stop(home)


def test_two_starts_at_once_make_one_node(home, tmp_path):
    node = program(tmp_path, NODE)
    text = (
        "import sys; from pathlib import Path; from meshcoop.node import process\n"
        "from meshcoop.home.folder import Home\n"
        "print(process.start(Home(Path(sys.argv[1])), 'four words', program=sys.argv[2:]))"
    )
    command = [sys.executable, "-c", text, str(home.path), *node]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        pids = [start.communicate()[0] for start in starts]
        with Client(home.api_socket) as client:
            assert [int(pid) for pid in pids] == [client.call(calls.Status())["pid"]] * 2
    finally:
        process.stop(home)


def test_a_node_that_ends_before_it_is_ready_is_followed_by_another(home, tmp_path):
    home.create()
    with ThreadPoolExecutor() as pool:
        with home.lock():
            pid = pool.submit(process.start, home, "four words", program=program(tmp_path, NODE))
        try:
            started = pid.result()
            with Client(home.api_socket) as client:
                assert client.call(calls.Status())["pid"] == started
        finally:
            process.stop(home)


def test_where_there_is_no_home_stopping_is_done(home):
    process.stop(home)
    assert not home.path.exists()


@pytest.mark.parametrize(
    ("text", "sentence", "code"),
    [
        ("import sys; print('first'); sys.exit('Wrong passphrase; try again.')", "Wrong pass", 1),
        ("import sys; print('Say which.', file=sys.stderr); sys.exit(2)", "Say which", 2),
        ("raise KeyError('who')", "KeyError: 'who'", 1),
        ("import os; os._exit(3)", "without a word", 1),
    ],
)
def test_a_node_that_ends_early_says_why(home, tmp_path, text, sentence, code):
    home.create()
    home.log_file.write_text("an old line\n")
    with pytest.raises(Mistake, match=sentence) as caught:
        process.start(home, "four words", program=program(tmp_path, text))
    assert caught.value.code == code
    assert home.log_file.read_text().startswith("an old line\n")


def test_a_program_that_is_not_there_is_said(home, tmp_path):
    with pytest.raises(Mistake, match="cannot start"):
        process.start(home, "four words", program=(str(tmp_path / "none"),))


# A node that has much to do first. It goes on only when the test lets it, and writes to its log.
SLOW = (
    """
import sys
gate, steps = sys.argv.pop(1), int(sys.argv.pop(1))
with open(gate, "rb", 0) as opened:
    for step in range(steps):
        opened.read(1)
        print(f"{step + 1} of {steps}", file=sys.stderr, flush=True)
"""
    + NODE
)


@pytest.fixture
def gate(tmp_path):
    """A named pipe. The slow node takes one step for each byte in it."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    handle = os.open(path, os.O_RDWR)
    yield path, lambda: os.write(handle, b".")
    os.close(handle)


def test_a_node_that_works_on_is_never_ended_and_says_how_far_it_is(
    home, tmp_path, monkeypatch, gate
):
    """Between two lines of the node passes nearly the time for which a caller waits for a silent
    node. The whole start takes longer than that.
    """
    clock = [0.0]
    lines = []
    path, let_step = gate

    def tell(line):
        lines.append(line)
        clock[0] += process.START_SECONDS - 1
        let_step()

    monkeypatch.setattr(process.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(process, "_QUIET_SECONDS", -1)
    let_step()
    python, node = program(tmp_path, SLOW)
    pid = process.start(home, "four words", program=(python, node, str(path), "5"), tell=tell)
    monkeypatch.undo()
    try:
        assert home.holder_pid() == pid
        assert lines == [f"{step} of 5" for step in range(1, 6)]
    finally:
        process.stop(home)


def test_a_caller_stops_waiting_for_a_silent_node_but_lets_it_go_on(
    home, tmp_path, monkeypatch, gate
):
    path, let_step = gate
    python, node = program(tmp_path, SLOW)
    monkeypatch.setattr(process, "START_SECONDS", 0.2)
    with pytest.raises(Mistake, match="goes on in the background"):
        process.start(home, "four words", program=(python, node, str(path), "1"))
    first = process._children[-1]
    assert first.poll() is None
    monkeypatch.undo()
    let_step()
    eventually(lambda: home.holder_pid() == first.pid, "the first node does not go on")
    try:
        assert (
            process.start(home, "four words", program=(python, node, str(path), "0")) == first.pid
        )
    finally:
        process.stop(home)
    first.wait()


def test_a_node_that_does_not_stop_is_said(home, tmp_path):
    process.start(home, "four words", program=program(tmp_path, STUBBORN))
    with Client(home.api_socket) as client:
        pid = client.call(calls.Status())["pid"]
    try:
        with pytest.raises(Mistake, match="not stopped"):
            process.stop(home, timeout=0.1)
        assert process.running(home)
    finally:
        os.kill(pid, 15)
        process.stop(home)
