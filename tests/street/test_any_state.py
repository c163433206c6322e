"""Every command in every state of a home: it answers, or says in one sentence why it cannot.

The table has a line for each command that the program has. A new command without a line fails.
"""

import fcntl
import os
import re
import socketserver
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import pytest
from cyclopts import App

from meshcoop.cli.main import build_app
from protocol.wire.local_rpc import HELLO, Decoder, Response, encode
from tests.support.real_homes import Folder, Home, folder

ID = "0123456789abcdef"
NOT_HERE = "/nowhere/file"

# These are for developers. They use no home.
DEVELOPERS = {"demo", "specs", "bench"}

# Words with which a command may be typed. A command below `post` without words is typed wrongly, so
# each of them has at least what its kind requires.
WORDS: dict[str, tuple[str, ...]] = {
    "help": (),
    "found": ("Rushey Lane", "--as", "Ada"),
    "invite": (),
    "join": (ID, "--as", "Ada"),
    "approve": ("Ada",),
    "guest": ("--as", "Flo"),
    "renew": ("--will-vote", "1"),
    "recovery": (),
    "devices": (),
    "certify": (),
    "revoke": (ID,),
    "leave": (),
    "bundle write": ("{path}/bundle",),
    "bundle read": (NOT_HERE,),
    "bundle have": ("{path}/have",),
    "backup": ("{path}/backup",),
    "restore": (NOT_HERE,),
    "run": (),
    "up": (),
    "down": (),
    "status": (),
    "wait": ("--timeout", "0"),
    "list": ("requests",),
    "show": (ID,),
    "next": (),
    "rehearse": (ID,),
    "balance": (),
    "introductions": ("Ben",),
    "address give": (ID, "--text", "4 Rushey Lane"),
    "address show": (ID,),
    "address forget": (ID,),
    "relay found": ("Surgery",),
    "relay ticket": (),
    "relay enrol": (ID,),
    "relay end": (ID,),
    "relay list": (),
    "relay leave": (ID,),
    "relay limits": (),
    "relay storage": (),
    "relay metrics": (),
    "log": (),
    "relay unit": (),
    "doctor": (),
    "search": ("lift",),
    "kinds": (),
    "mute": ("Ben",),
    "export": ("ics", "--to", "{path}/calendar"),
    "take-out": ("{path}/own",),
    "loops": (NOT_HERE,),
    "post": ("request", "--title", "A lift", "--minutes", "30"),
}

_SENTENCE = re.compile(r"[^\n]+\n")
_FAULT = re.compile(r"Traceback|made a mistake|Error\b.*line")


def commands(app: App, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yields each command. The commands below `post` are made of one function, so they are one."""
    names = [name for name in app if not name.startswith("-")]
    if not names or path == ("post",):
        yield " ".join(path)
        return
    for name in names:
        yield from commands(app[name], (*path, name))


ALL = sorted(set(commands(build_app())) - DEVELOPERS)


def test_the_table_has_every_command():
    assert sorted(WORDS) == ALL


def typed(home: Home, command: str) -> tuple[str, ...]:
    return (*command.split(), *(word.format(path=home.path) for word in WORDS[command]))


def problem(home: Home, command: str) -> str | None:
    """Runs a command. Returns what is wrong with its answer, or None."""
    ended = home.run(*typed(home, command))
    said = f"{command}: {ended.returncode} {ended.stderr} {ended.stdout}"
    if ended.returncode not in {0, 1, 2} or _FAULT.search(ended.stdout + ended.stderr):
        return said
    if ended.returncode == 2 and not ended.stderr:
        return said
    if ended.returncode == 1 and not (ended.stdout or _SENTENCE.fullmatch(ended.stderr)):
        return said
    return None


def lost_store(place: Folder) -> Home:
    home = place.founded("Ada")
    home.store.unlink()
    home("up")
    return home


def lost_store_unstarted(place: Folder) -> Home:
    home = place.founded("Ada")
    home.store.unlink()
    return home


def lost_settings(place: Folder) -> Home:
    home = place.founded("Ada")
    (home.path / "home.toml").unlink()
    home("up")
    return home


def lost_keys(place: Folder) -> Home:
    home = place.founded("Ada")
    (home.path / "keys").unlink()
    return home


def store_is_a_folder(place: Folder) -> Home:
    home = place.founded("Ada")
    home.store.unlink()
    home.store.mkdir()
    return home


def lost_log_and_socket(place: Folder) -> Home:
    home = place.founder("Ada")
    (home.path / "node.log").unlink()
    return home


def a_relay(place: Folder) -> Home:
    home = place.home("surgery")
    home("relay", "found", "Surgery", "--listen", place.listen())
    home("up")
    return home


def nothing(place: Folder) -> Home:
    return place.home("nobody")


LONG = (
    lost_settings,
    lost_store_unstarted,
    lost_keys,
    store_is_a_folder,
    lost_log_and_socket,
    a_relay,
    nothing,
)


@pytest.mark.parametrize(
    "state",
    [lost_store, *(pytest.param(state, marks=pytest.mark.long) for state in LONG)],
    ids=lambda state: state.__name__,
)
def test_each_command_answers_in_each_state(state):
    with folder() as place:
        home = state(place)
        # These end what the others need, or begin something in its place.
        last = ["found", "relay found", "restore", "certify", "join", "leave", "down"]
        first = [command for command in ALL if command not in {*last, "run"}]
        with ThreadPoolExecutor(2) as pool:
            problems = list(pool.map(lambda command: problem(home, command), first))
        problems += [problem(home, command) for command in last]
        assert [said for said in problems if said] == []


# -- another version of the node ------------------------------------------------------------------

# What these do needs no node, or is the same with every version of the node.
NEED_NO_NODE = {
    "help", "found", "join", "restore", "run", "down", "bundle read", "relay found",
    "relay metrics", "relay unit", "log", "doctor", "kinds", "loops", "recovery", "certify", "backup",
    "bundle have", "bundle write",
}  # fmt: skip


@contextmanager
def other_node(home: Home, greeting: object) -> Iterator[list[str]]:
    """Runs a node that answers hello with `greeting`, and everything else with nothing. It ends at
    `stop`. Yields the methods that were called.
    """
    called = []
    (home.path / "run").mkdir(mode=0o700, exist_ok=True)
    path = home.path / "run" / "api.sock"
    path.unlink(missing_ok=True)
    lock = os.open(home.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)

    class Node(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            decoder = Decoder()
            while data := self.request.recv(65536):
                decoder.feed(data)
                for request in decoder:
                    result = greeting if request.method == HELLO else {}
                    self.request.sendall(encode(Response(request.id, result=result)))
                    called.append(request.method)
                    if request.method == "stop":
                        fcntl.flock(lock, fcntl.LOCK_UN)

    with socketserver.ThreadingUnixStreamServer(str(path), Node) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield called
        finally:
            server.shutdown()
            thread.join()
            os.close(lock)
            path.unlink()


@pytest.mark.parametrize(
    "greeting",
    [{"version": 1}, pytest.param({"version": 1, "program": "newer"}, marks=pytest.mark.long)],
    ids=["older", "newer"],
)
def test_each_command_that_needs_the_node_says_that_it_is_another_version(greeting):
    with folder() as place:
        home = place.founded("Ada")
        with other_node(home, greeting) as called:
            with ThreadPoolExecutor(2) as pool:
                needing = [command for command in ALL if command not in NEED_NO_NODE]
                answers = list(pool.map(lambda command: home.run(*typed(home, command)), needing))
            for command, answer in zip(needing, answers, strict=True):
                assert answer.returncode == 1, command
                assert "another version of the program" in answer.stderr, command
                assert _SENTENCE.fullmatch(answer.stderr), command
            assert "another version of the program" in home.run("doctor").stdout
            assert set(called) <= {HELLO, "status"}
            assert home("down") == {"stopped": True}
            assert called[-1] == "stop"
