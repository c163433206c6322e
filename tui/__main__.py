"""`python -m tui --socket PATH`: the screen of the node that answers there."""

import argparse
import gc
import os
import sys
from pathlib import Path

_REFUSED, _USAGE = 1, 2


def main() -> int:
    """Opens the screen; returns the exit code once it is closed."""
    parser = argparse.ArgumentParser(prog="python -m tui", description="The screen of a home.")
    parser.add_argument("--socket", type=Path, required=True, help="where the node's local API is")
    socket: Path = parser.parse_args().socket
    refusal = _refusal()
    if refusal is not None:
        print(refusal, file=sys.stderr)
        return _USAGE
    print("Opening meshcoop…", flush=True)
    os.umask(0o077)
    _log_to(socket.parent / "screen.log")
    gc.disable()  # until the splash is seen: nothing that the imports make is ever garbage

    from tui.app import MeshcoopApp

    app = MeshcoopApp(socket)
    app.run()
    code = app.return_code or 0
    if code:
        print(f"The screen has failed; {socket.parent / 'screen.log'} says why.", file=sys.stderr)
    return _REFUSED if code else 0


def _refusal() -> str | None:
    """Why this terminal cannot show the screen, if it cannot."""
    commands = "`meshcoop status`, `meshcoop list requests`, `meshcoop post request`"
    advice = f"the plain commands do all of it: {commands}; `meshcoop --help` lists them"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return f"The screen needs a terminal; {advice}."
    if os.environ.get("TERM", "dumb") in {"dumb", ""}:
        return f"This terminal (TERM=dumb) cannot show the screen; {advice}."
    return None


def _log_to(path: Path) -> None:
    # The screen is drawn on standard error: not a word of a library may go there.
    import logging

    from protocol.display_text import safe

    class Harmless(logging.Formatter):
        """A log is read on a terminal, too."""

        def format(self, record: logging.LogRecord) -> str:
            return safe(super().format(record))

    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(Harmless("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.captureWarnings(True)


if __name__ == "__main__":
    sys.exit(main())
