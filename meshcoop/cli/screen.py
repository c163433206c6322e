"""The command `meshcoop` without further words: shows the screen. The screen runs in a process of
its own.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from meshcoop.cli.context import Context
from meshcoop.cli.guides import find_guides
from meshcoop.home.folder import Home
from meshcoop.home.log_files import put_away
from meshcoop.node import process


def screen_command(home: Home, log: Path | None = None, *, is_first_run: bool = False) -> list[str]:
    """Returns the command line that starts the screen of a home.

    The screen writes its faults to `log`. If `log` is None, the faults are not written down. If the
    home is still empty, `is_first_run` is true.
    """
    # With -P, Python does not import a folder called tui from the current directory.
    command = [sys.executable, "-P", "-m", "tui", "--socket", str(home.api_socket)]
    if log is not None:
        command += ["--log", str(log)]
    # The screen cannot ask where this package keeps the guides: it never imports meshcoop.
    guides = find_guides()
    if guides is not None:
        command += ["--guides", str(guides)]
    if is_first_run:
        command.append("--first-run")
    return [*command, "--program", *process.PROGRAM, "--home", str(home.path)]


def can_show_screen() -> bool:
    """Returns whether there is a terminal that can show the screen."""
    is_able = os.environ.get("TERM", "dumb") not in {"dumb", ""}
    return is_able and sys.stdin.isatty() and sys.stdout.isatty()


def become_screen(context: Context) -> None:
    """Starts the node if no node runs. Then this process becomes the screen. If there is no home
    yet, the screen leads the person to one.

    When the person closes the screen, the node keeps running.
    """
    if not context.home.key_file.exists():
        _replace_process(screen_command(context.home, is_first_run=True))
    if not process.running(context.home):
        secret = context.obtain_secret()
        print("Starting your home…", flush=True)
        context.start_node(secret)
    with context.connect_node():
        pass  # if the node is another version of the program, this says so
    log = None if context.home.read_settings().no_log else context.home.screen_log_file
    if log is not None:
        put_away(log)
    _replace_process(screen_command(context.home, log))


def show_screen(home: Home) -> int:
    """Shows the screen of a home. When somebody closes the screen, returns the screen's exit code."""
    child = subprocess.Popen(screen_command(home))  # noqa: S603  # our own program
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            # `kill` would be wrong: the screen must put the terminal back into its ordinary mode.
            child.terminate()
            child.wait()


def _replace_process(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  # our own program, and no shell
