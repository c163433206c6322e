"""The command `meshcoop` without further words: shows the screen. The screen runs in a process of
its own.
"""

import os
import subprocess
import sys
from pathlib import Path

from meshcoop.cli.context import Context
from meshcoop.cli.guides import find_guides
from meshcoop.home.log_files import put_away
from meshcoop.node import process


def screen_command(socket: Path, log: Path | None = None) -> list[str]:
    """Returns the command line that starts the screen.

    The screen talks to the node whose local API is at `socket`. The screen writes its faults to
    `log`. If `log` is None, the faults are not written down.
    """
    # With -P, Python does not import a folder called tui from the current directory.
    command = [sys.executable, "-P", "-m", "tui", "--socket", str(socket)]
    if log is not None:
        command += ["--log", str(log)]
    # The screen cannot ask where this package keeps the guides: it never imports meshcoop.
    guides = find_guides()
    return command if guides is None else [*command, "--guides", str(guides)]


def can_show_screen() -> bool:
    """Returns whether there is a terminal that can show the screen."""
    is_able = os.environ.get("TERM", "dumb") not in {"dumb", ""}
    return is_able and sys.stdin.isatty() and sys.stdout.isatty()


def become_screen(context: Context) -> None:
    """Starts the node if no node runs. Then this process becomes the screen.

    When the person closes the screen, the node keeps running.
    """
    context.require_home()
    if not process.running(context.home):
        secret = context.obtain_secret()
        print("Starting your home…", flush=True)
        context.start_node(secret)
    with context.connect_node():
        pass  # if the node is another version of the program, this says so
    log = None if context.home.read_settings().no_log else context.home.screen_log_file
    if log is not None:
        put_away(log)
    command = screen_command(context.home.api_socket, log)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  # our own program, and no shell


def show_screen(socket: Path) -> int:
    """Shows the screen. When somebody closes the screen, returns the screen's exit code."""
    child = subprocess.Popen(screen_command(socket))  # noqa: S603  # our own program
    try:
        return child.wait()
    finally:
        if child.poll() is None:
            # `kill` would be wrong: the screen must put the terminal back into its ordinary mode.
            child.terminate()
            child.wait()
