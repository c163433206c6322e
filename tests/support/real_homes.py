"""Homes of the acceptance tests: real nodes on this machine. Tests use only their command line."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

from meshcoop.home.key_file import unlock_key_file
from meshcoop.store.sqlite_connection import Connection
from tests.support import forked_programs as warm
from tests.support.forked_programs import PROGRAM
from tests.support.stores import files_and_rows, open_rows

PASSPHRASE = "brass kettle sings"
PATIENCE = 60.0  # seconds: no wait may take longer, and most take far less
ROOMY = ("--quota-records", "100000", "--quota-bytes", "1000000000")  # a charter for busy scripts

_LINE = re.compile(r"(?!Traceback)[^\n]+\n")
_SENTENCE = re.compile(r"(?!.*\. )[^\n]*[^\n.]\.\n")


class Place(NamedTuple):
    """A place on this machine for homes. `network` is a network namespace, or None for the usual
    network.
    """

    address: str
    network: str | None = None


HERE = Place("127.0.0.1")


class Home:
    """A home folder. If `passphrase_file` is None, nobody tells the home its passphrase."""

    def __init__(self, path: Path, passphrase_file: Path | None, place: Place = HERE) -> None:
        self.path = path
        self.place = place
        self.env = {**os.environ, "MESHCOOP_MDNS": "0"}
        self.env.pop("MESHCOOP_HOME", None)
        self.env.pop("MESHCOOP_PASSPHRASE_FILE", None)
        if passphrase_file is not None:
            self.env["MESHCOOP_PASSPHRASE_FILE"] = str(passphrase_file)

    @contextmanager
    def in_new_python(self) -> Iterator[None]:
        """Runs the commands within the block, and the node that they start, in a new Python. A
        forked process begins with the memory of the warm program, in which words of earlier commands
        may be left.
        """
        self.env["PYTHONHASHSEED"] = "random"  # as it is by default
        yield
        del self.env["PYTHONHASHSEED"]

    @property
    def store(self) -> Path:
        return self.path / "store.db"

    def command(self, *words: str) -> list[str]:
        return [*PROGRAM, "--home", str(self.path), *words]

    def run(self, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command that may fail. `said` is its standard input."""
        return warm.run(
            self.command(*words), network=self.place.network, said=said, env=self.env,
            timeout=2 * PATIENCE,
        )  # fmt: skip

    def __call__(self, *words: str) -> Any:
        """Runs a command that must succeed and print one JSON document. Returns the document."""
        done = self.run("--json", *words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert done.stderr == ""
        return json.loads(done.stdout)

    def answer_and_remark(self, *words: str) -> tuple[Any, str]:
        """Runs a command that must succeed and say a line beside its JSON document. Returns the
        document and the line.
        """
        done = self.run("--json", *words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert _LINE.fullmatch(done.stderr), done.stderr
        return json.loads(done.stdout), done.stderr.strip()

    def text(self, *words: str) -> str:
        """Runs a command that must succeed. Returns the text that it prints for people."""
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert done.stderr == ""
        return done.stdout

    def refused(self, *words: str, code: int = 1, said: str = "", several: bool = False) -> str:
        """Runs a command that must refuse. Returns the one sentence that the command prints. With
        `several`, the command may print more sentences.
        """
        done = self.run("--json", *words, said=said)
        assert (done.returncode, done.stdout) == (code, ""), f"{words}: {done}"
        assert _LINE.fullmatch(done.stderr), done.stderr
        assert several or _SENTENCE.fullmatch(done.stderr), f"no one sentence: {done.stderr}"
        return done.stderr.strip()

    def post(self, kind: str, *words: str) -> str:
        posted = self("post", kind, *words)
        assert list(posted) == ["id"]
        return str(posted["id"])

    def lines(self) -> "Lines":
        return Lines(self)

    def has(self, *ids: str) -> None:
        """Waits until this home has stored all these records."""
        for one in ids:
            self("wait", "--id", one, "--timeout", str(PATIENCE))

    def invite(self) -> str:
        return str(self("invite", "--approve")["invitation"])

    # -- behind the command line ------------------------------------------------------------------

    @property
    def holder(self) -> int | None:
        """Returns the process id in the lock file, or None if there is none. The process may have
        ended.
        """
        try:
            text = (self.path / "lock").read_text()
        except FileNotFoundError:
            return None
        return int(text) if text else None

    def kill(self) -> None:
        """Kills the node with SIGKILL. The node must be running or starting."""
        pid = self.holder
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    @contextmanager
    def database(self, *, write: bool = False) -> Iterator[Connection]:
        """Opens the store of a stopped node."""
        with open_rows(self.store, self.store_key, write=write) as db:
            yield db

    @cached_property  # to unlock a key file is slow, and the key never changes
    def store_key(self) -> bytes:
        """The key of this home's stores."""
        return unlock_key_file(self.path / "keys", PASSPHRASE).keys.store_key

    def holds(self, *words: str) -> list[str]:
        """Returns the files of this home that hold any of the words for somebody who has its
        keys.
        """
        wanted = [each.encode() for each in words]
        written = files_and_rows(self.path, self.store_key)
        return [name for name, data in written.items() if any(each in data for each in wanted)]


class Lines:
    """A script that uses `post --lines`: it writes lines, and reads one answer to each line."""

    def __init__(self, home: Home) -> None:
        command = home.command("--json", "post", "--lines")
        self.process = warm.start(command, network=home.place.network, env=home.env)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(BrokenPipeError):
                pipe.close()

    def say(self, *requests: dict[str, Any]) -> None:
        for one in requests:
            self.process.stdin.write(json.dumps(one) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any] | None:
        """Returns the next answer, or None if there are no more."""
        text = self.process.stdout.readline()
        return json.loads(text) if text else None

    def post(self, *requests: dict[str, Any]) -> list[str]:
        """Writes the lines. Returns the ids of the posted records."""
        found = []
        for at in range(0, len(requests), 50):  # neither pipe may fill up
            self.say(*requests[at : at + 50])
            found += [self.answer()["id"] for _ in requests[at : at + 50]]
        return found

    def end(self) -> int:
        """Ends the input. Returns the exit code."""
        self.process.stdin.close()
        return self.process.wait(2 * PATIENCE)


def request(title: str, **fields: Any) -> dict[str, Any]:
    """Makes a line for `post --lines`."""
    return {"kind": "request", "fields": {"title": title, "minutes": 30, **fields}}


class Folder:
    """A folder for homes, with a passphrase file. The path is short, because the path of a socket
    must be short.
    """

    def __init__(self, path: Path, place: Place) -> None:
        self.path = path
        self.place = place
        self.passphrase_file = path / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE + "\n")
        self.homes: list[Home] = []

    def home(self, name: str) -> Home:
        one = Home(self.path / name, self.passphrase_file, self.place)
        self.homes.append(one)
        return one

    def listen(self) -> str:
        """Returns a free address for a home. The home keeps this address, so that other homes find
        the home again.
        """
        with socket.create_server(("127.0.0.1", 0)) as server:
            return f"/ip4/{self.place.address}/tcp/{server.getsockname()[1]}"

    def founded(self, person: str = "Ada", *charter: str) -> Home:
        """Makes the home of a person who has founded Rushey Lane. One voucher suffices, if the
        options `charter` do not say otherwise.
        """
        home = self.home(person.lower())
        vouchers = () if "--vouchers" in charter else ("--vouchers", "1")
        home("found", "Rushey Lane", "--as", person, "--listen", self.listen(), *vouchers, *charter)
        return home

    def founder(self, person: str = "Ada", *charter: str) -> Home:
        """Makes the home of a person who has founded Rushey Lane, and starts its node."""
        home = self.founded(person, *charter)
        home("up")
        return home

    def newcomer(self, inviter: Home, person: str) -> Home:
        """Makes the home of a person who has joined by an invitation of `inviter`. The profile comes
        after the admission, so this waits until `inviter` can name the person.
        """
        home = self.home(person.lower())
        joined = home("join", inviter.invite(), "--as", person, "--listen", self.listen())
        assert joined["state"] == "member"
        eventually(
            lambda: person in {each["name"] for each in inviter("list", "people")},
            f"{person}'s profile does not arrive",
        )
        return home


def put_on_roll(founder: Home, *others: Home) -> None:
    """Puts all members on the roll, so that they vouch as well. The founder is alone on it."""
    count = len(founder("list", "people"))
    renewal = founder("renew", "--will-vote", str(count))["id"]
    together(*(lambda home=home: home.has(renewal) for home in others))


@contextmanager
def folder(place: Place = HERE) -> Iterator[Folder]:
    """Yields a folder for homes. Afterwards stops every node and checks that no process is left."""
    one = Folder(Path(tempfile.mkdtemp(prefix="mc-")), place)
    try:
        yield one
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda home: home("down"), one.homes))
        assert all(answer == {"stopped": True} for answer in answers)
        eventually(lambda: not processes_about(one.path), "a process is left")
    finally:
        for pid in processes_about(one.path):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(one.path, ignore_errors=True)


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Runs these jobs at the same time and returns their results."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [one.result() for one in [pool.submit(job) for job in jobs]]


def each(cases: Iterable[Any], check: Callable[[Any], Any]) -> list[Any]:
    """Checks all cases, two at a time. Reports all cases that fail."""

    def one(case: Any) -> tuple[Any, str | None]:
        try:
            return check(case), None
        except AssertionError as error:
            return None, f"{case}: {error}"

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(one, cases))
    failures = [failure for _, failure in found if failure]
    assert not failures, "\n".join(failures)
    return [value for value, _ in found]


def eventually(is_so: Callable[[], Any], what: str, within: float = PATIENCE) -> Any:
    """Calls `is_so` until its answer is true, and returns this answer. If that takes too long,
    fails with the message `what`.
    """
    deadline = time.monotonic() + within
    pause = 0.05
    while not (found := is_so()):
        assert time.monotonic() < deadline, what
        time.sleep(pause)
        pause = min(1.5 * pause, 0.5)  # what is asked often takes the processor from the nodes
    return found


def agree(*homes: Home) -> dict[str, Any]:
    """Waits until all homes have the same records and the same state. Returns the last status of
    the first home.
    """

    def equal() -> Any:
        found = together(*(lambda home=home: home("status") for home in homes))
        names = ("records", "set_hash", "state_hash")
        return found[0] if len({tuple(one[name] for name in names) for one in found}) == 1 else None

    return eventually(equal, "the homes do not come to agree")


def processes_about(path: Path) -> list[int]:
    """Returns the ids of the processes whose command line names a file below `path`."""
    wanted = os.fsencode(path)
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = one.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if wanted in said:
            found.append(int(one.parent.name))
    return found


def titles(views: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(str(one["title"]) for one in views)
