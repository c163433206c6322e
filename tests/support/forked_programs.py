"""The warm program: a process that has imported all of meshcoop. Commands of the tests are forked
from it.

The start of a node takes two seconds of a core. Nearly all of that is the import of libp2p, and the
suite starts hundreds of nodes. A forked command or node is still a process of its own, with its own
environment, files and signals. It shares only the imports. A test of the start itself (the demo,
the wheel, a changed copy of the program) does not use this module.

A home with packages of its own has its own PYTHONPATH. Python reads this variable when it starts, so
each PYTHONPATH has a warm program.

Tests call `run`, `start` and `end`. When this file runs as a program, it is the warm program.
"""

import ctypes
import gc
import json
import os
import pkgutil
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from setproctitle import setproctitle

PROGRAM = (sys.executable, "-m", "meshcoop")
PATCH = "TESTS_PATCH"  # names a module that changes the program of a command, and of its node

_POSSIBLE = hasattr(os, "pidfd_open")  # Linux
_ONCE = ("PYTHON", "LD_")  # variables that Python reads only when it starts
_PACKAGES = "PYTHONPATH"  # the one of them that a warm program may have
_MAX = 1 << 17  # bytes of a command and its environment
_CLONE_NEWNET = 0x40000000

_servers = {}  # by PYTHONPATH
_lock = threading.Lock()


def run(command, *, network=None, said="", env, timeout):
    """Runs `command` as subprocess.run does.

    `command` begins with PROGRAM. `network` is the name of a network namespace, and `said` is the
    text for standard input.
    """
    if _cold(env):
        return subprocess.run(
            [*_enter(network), *command], input=said, capture_output=True, text=True, env=env,
            timeout=timeout, check=False,
        )  # fmt: skip
    # Input and output are files in memory, so that no process must read and write at once.
    with _file(said) as asked, _file() as out, _file() as err:
        forked = _Forked(command, network, env, (asked.fileno(), out.fileno(), err.fileno()))
        try:
            code = forked.wait(timeout)
        except subprocess.TimeoutExpired:
            forked.kill()
            forked.wait()
            raise
        for one in (out, err):
            one.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


def start(command, *, network=None, env):
    """Starts `command` as subprocess.Popen does, with three pipes of text."""
    if _cold(env):
        return subprocess.Popen(
            [*_enter(network), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, bufsize=1, env=env,
        )  # fmt: skip
    (asked, said), (heard, out), (failed, err) = os.pipe(), os.pipe(), os.pipe()
    forked = _Forked(command, network, env, (asked, out, err))
    for one in (asked, out, err):
        os.close(one)
    forked.stdin = open(said, "w", buffering=1)
    forked.stdout, forked.stderr = open(heard), open(failed)
    return forked


def end():
    """Ends the warm programs."""
    while _servers:
        _servers.popitem()[1].end()


def _cold(env):
    """Returns whether this command needs a new Python and cannot be forked."""
    assert _POSSIBLE or PATCH not in env, "only a forked program can be changed"
    changed = {name for name, _ in env.items() ^ os.environ.items()} - {_PACKAGES}
    return not _POSSIBLE or any(name.startswith(_ONCE) for name in changed)


def _enter(network):
    return ("ip", "netns", "exec", network) if network else ()


def _file(text=""):
    file = open(os.memfd_create("tests"), "w+")
    file.write(text)
    file.seek(0)
    return file


class _Server:
    """A warm program as the tests see it. The process ends when the tests end."""

    def __init__(self, env):
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=env)

    @classmethod
    def running(cls, packages):
        """Returns the warm program with this PYTHONPATH, or with none."""
        with _lock:
            if packages not in _servers:
                env = {name: value for name, value in os.environ.items() if name != _PACKAGES}
                _servers[packages] = cls(env if packages is None else {**env, _PACKAGES: packages})
            return _servers[packages]

    def ask(self, asked, handles):
        socket.send_fds(self._socket, [asked], handles)

    def end(self):
        self._socket.close()
        self._process.wait()


class _Forked:
    """A command forked from the warm program. It has the part of Popen that the tests use."""

    def __init__(self, command, network, env, handles):
        assert tuple(command[: len(PROGRAM)]) == PROGRAM
        where = {"folder": str(Path.cwd()), "network": network}
        asked = {"words": command[len(PROGRAM) :], "env": env, **where}
        told, telling = os.pipe()
        try:
            server = _Server.running(env.get(_PACKAGES))
            server.ask(json.dumps(asked).encode(), [*handles, telling])
        finally:
            os.close(telling)
        self._told = open(told, "rb", buffering=0)
        self.pid, self.returncode = int(self._line()), None

    def _line(self):
        line = self._told.readline()
        assert line, "the warm program has ended"
        return line

    def wait(self, timeout=None):
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            self.returncode = int(self._line())
            self._told.close()
        return self.returncode

    def kill(self):
        if self.returncode is None and not select.select([self._told], [], [], 0)[0]:
            os.kill(self.pid, signal.SIGKILL)


# -- the warm program ------------------------------------------------------------------------------


def _serve(asking):
    """Forks a process for each request and reports how it ended. Returns when the tests have closed
    the socket.
    """
    _import()
    gc.collect()
    gc.freeze()  # keeps the imports shared: a collection would copy their pages
    with selectors.DefaultSelector() as waiting:
        waiting.register(asking, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not asking:
                    waiting.unregister(key.fileobj)
                    _tell_end(key.fileobj, *key.data)
                    continue
                asked, handles, _, _ = socket.recv_fds(asking, _MAX, 4)
                if not asked:
                    return
                pid = _fork(json.loads(asked), handles[:3])
                for one in handles[:3]:
                    os.close(one)
                os.write(handles[3], b"%d\n" % pid)
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, handles[3]))


def _tell_end(handle, pid, telling):
    _, status = os.waitpid(pid, 0)
    os.close(handle)
    with suppress(BrokenPipeError):  # the process that asked has gone
        os.write(telling, b"%d\n" % os.waitstatus_to_exitcode(status))
    os.close(telling)


def _import():
    """Imports all modules that commands and nodes would import only when they need them. Makes the
    tables that each node would make.
    """
    import meshcoop

    for module in pkgutil.walk_packages(meshcoop.__path__, "meshcoop."):
        if module.name != "meshcoop.__main__" and not module.name.startswith("meshcoop.dev.bench"):
            import_module(module.name)
    import_module("meshcoop.node.slow_tables").load_tables()
    import_module("meshcoop.client").program_version()
    import_module("meshcoop.fold.fold_version").fold_version()
    assert threading.active_count() == 1, "a thread would not be forked"


def _fork(asked, handles):
    pid = os.fork()
    if pid == 0:
        os.chdir(asked["folder"])
        if asked["network"]:
            _go_to(asked["network"])
        _become(asked["words"], asked["env"], handles)
    return pid


def _go_to(network):
    """Enters a network namespace as `ip netns exec` does. Python has os.setns only since 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{network}", "rb") as place:
        if libc.setns(place.fileno(), _CLONE_NEWNET):
            os._exit(127)


def _become(words, env, handles):
    """Runs `python -m meshcoop WORDS` in this forked process and never returns."""
    from meshcoop.cli import main as cli
    from meshcoop.node import process

    code = 1
    try:
        for at, handle in enumerate(handles):
            os.dup2(handle, at)
        os.closerange(len(handles), os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(env)
        if PATCH in env:
            import_module(env[PATCH])
        setproctitle(" ".join([*PROGRAM, *words]))
        sys.argv = ["meshcoop", *words]
        sys.stdin = open(0, closefd=False)
        sys.stdout = open(1, "w", closefd=False)
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        process.subprocess = SimpleNamespace(
            Popen=_Node,
            PIPE=subprocess.PIPE,
            DEVNULL=subprocess.DEVNULL,
            TimeoutExpired=subprocess.TimeoutExpired,
        )
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        for one in (sys.stdout, sys.stderr):
            one.flush()
        os._exit(code)


class _Node:
    """A replacement of Popen for `meshcoop up`: the command forks the node."""

    def __init__(self, command, *, stdin, stdout, stderr, env, start_new_session):
        assert tuple(command[: len(PROGRAM)]) == PROGRAM
        assert (stdin, start_new_session) == (subprocess.PIPE, True)
        asked, said = os.pipe()
        self.returncode = None
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            nothing = os.open(os.devnull, os.O_WRONLY)
            output = nothing if stdout == subprocess.DEVNULL else stdout.fileno()
            _become(command[len(PROGRAM) :], env, (asked, output, stderr.fileno()))
        os.close(asked)
        self.stdin = open(said, "wb")

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=None):
        if self.poll() is None:
            ended = os.pidfd_open(self.pid)
            readable, _, _ = select.select([ended], [], [], timeout)
            os.close(ended)
            if not readable:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return self.poll()

    def terminate(self):
        self._send(signal.SIGTERM)

    def kill(self):
        self._send(signal.SIGKILL)

    def _send(self, what):
        if self.poll() is None:
            os.kill(self.pid, what)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as asking:
        _serve(asking)
