"""`meshcoop` without a command: the screen, in a process of its own (DESIGN 8)."""

import os
import subprocess
import sys
from pathlib import Path

from meshcoop.cli.context import Context
from meshcoop.home import passphrase
from meshcoop.node import process


def program(socket: Path) -> list[str]:
    """The command of the screen. `-P`: a folder called tui where somebody stands is not ours."""
    return [sys.executable, "-P", "-m", "tui", "--socket", str(socket)]


def terminal() -> bool:
    """Whether somebody sits at a terminal that can show the screen."""
    able = os.environ.get("TERM", "dumb") not in {"dumb", ""}
    return able and sys.stdin.isatty() and sys.stdout.isatty()


def become(context: Context) -> None:
    """Starts the node if none runs, and becomes the screen; the node outlives it."""
    context.must_exist()
    if not process.running(context.home):
        secret = passphrase.obtain()
        print("Starting your node…", flush=True)
        process.start(context.home, secret)
    command = program(context.home.socket)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  # our own program, and no shell


def show(socket: Path) -> int:
    """Shows the screen and returns its exit code once it is closed."""
    child = subprocess.Popen(program(socket))  # noqa: S603  # our own program
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()  # not kill: it leaves a clean terminal
            child.wait()
