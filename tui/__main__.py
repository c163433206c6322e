"""Opens the screen of a node: `python -m tui --socket PATH`. PATH is the socket of the node's local
API.
"""

import argparse
import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui.exit_signals import end_in_time

if TYPE_CHECKING:
    from tui.app import MeshcoopApp

_REFUSED = 1
_USAGE = 2


def main() -> int:
    """Opens the screen and waits until the reader closes it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tui", description="The screen of a home.")
    parser.add_argument("--socket", type=Path, required=True, help="where the node's local API is")
    parser.add_argument("--guides", type=Path, help="the folder of the guides that help shows")
    parser.add_argument("--log", type=Path, help="the file for faults of the screen")
    parser.add_argument("--first-run", action="store_true", help="the home is still empty")
    parser.add_argument(
        "--program", nargs=argparse.REMAINDER, default=[], help="the program that runs commands"
    )
    arguments = parser.parse_args()
    obstacle = _find_obstacle()
    if obstacle is not None:
        print(obstacle, file=sys.stderr)
        return _USAGE
    print("Opening meshcoop…", flush=True)
    os.umask(0o077)
    log: Path | None = arguments.log
    _send_log_to(log)
    # No garbage collection until the splash is seen: nothing that the imports make is ever garbage.
    gc.disable()

    from tui.app import MeshcoopApp
    from tui.node.program import Program

    program = Program(arguments.program) if arguments.program else None
    app = MeshcoopApp(arguments.socket, arguments.guides, program, is_first_run=arguments.first_run)
    asyncio.run(_show(app))
    if app.next_command is not None and program is not None:
        program.become(*app.next_command)
    code = app.return_code or 0
    if code:
        why = "`meshcoop log on` keeps a log that says why" if log is None else f"{log} says why"
        print(f"The screen has failed; {why}.", file=sys.stderr)
    return _REFUSED if code else 0


async def _show(app: "MeshcoopApp") -> None:
    end_in_time(app.exit)
    await app.run_async()


def _find_obstacle() -> str | None:
    """Returns a sentence that says why this terminal cannot show the screen. If the terminal can
    show the screen, returns None.
    """
    commands = "`meshcoop status`, `meshcoop list requests`, `meshcoop post request`"
    advice = f"plain commands do the same: {commands}; `meshcoop --help` lists them"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return f"The screen needs a terminal; {advice}."
    if os.environ.get("TERM", "dumb") in {"dumb", ""}:
        return f"This terminal (TERM=dumb) cannot show the screen; {advice}."
    return None


def _send_log_to(path: Path | None) -> None:
    # No library may write to standard error, because the screen is drawn there.
    import logging

    from protocol.log_lines import guard_log

    handler = logging.NullHandler() if path is None else logging.FileHandler(path, delay=True)
    guard_log(handler)
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.captureWarnings(True)


if __name__ == "__main__":
    sys.exit(main())
