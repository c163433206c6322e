"""The command line: global options, dispatch, and one sentence for every mistake."""

import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from meshcoop.commands import screen
from meshcoop.commands.context import Context
from meshcoop.config import Home
from meshcoop.disk import trouble
from meshcoop.errors import USAGE, Mistake
from protocol.errors import Refused
from protocol.text import line

_REFUSED, _USAGE, _INTERRUPTED = 1, 2, 130

# Where each command is; what is not called is not even imported, so that commands are quick.
_COMMANDS = {
    "found": "belonging:_founding",
    "invite": "belonging:_invite",
    "join": "belonging:_join",
    "approve": "belonging:_approve",
    "guest": "guests:_guest",
    "renew": "deciding:_renew",
    "recovery": "keys:_recovery",
    "devices": "keys:_devices",
    "certify": "keys:_certify",
    "revoke": "keys:_revoke",
    "bundle": "bundle:app",
    "backup": "backup:_backup",
    "restore": "backup:_restore",
    "run": "nodes:_run",
    "up": "nodes:_up",
    "down": "nodes:_down",
    "status": "nodes:_status",
    "wait": "nodes:_wait",
    "post": "posting:post",
    "list": "records:_list",
    "show": "records:_show",
    "balance": "records:_balance",
    "introductions": "records:_introductions",
    "address": "address:address",
    "relay": "relay:relay",
    "doctor": "doctoring:_doctor",
    "search": "records:_search",
    "kinds": "records:_list_kinds",
    "mute": "records:_mute",
    "export": "exporting:_export",
    "loops": "loops:_loops",
    "demo": "workshop:_demo",
    "specs": "workshop:_specs",
    "bench": "workshop:_bench",
}


def build() -> App:
    """The application with all its commands."""
    app = App(
        name="meshcoop",
        help="A neighbourhood runs its own public services, from home to home.",
        version_flags=(),
        result_action="return_value",
    )
    for name, place in _COMMANDS.items():
        app.command(f"meshcoop.commands.{place}", name=name)
    if not _COMMANDS.keys() & set(sys.argv):
        for name in _COMMANDS:
            app[name]  # to be told of, which takes its docstring
    app.meta.default(_launcher(app))
    return app


def call(words: Sequence[str], context: Context) -> None:
    """Runs one command in this process. Raises what `main` ends with in a sentence."""
    _call(build(), words, context)


def main() -> None:
    """The entry point: runs a command and exits with 0 (done), 1 (refused) or 2 (usage)."""
    os.umask(0o077)  # nothing that a home writes is for others
    try:
        build().meta(exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _end(f"{_first_line(str(error))}; `meshcoop --help` shows how.", _USAGE)
    except Mistake as mistake:
        _end(mistake.sentence, mistake.code)
    except Refused as refusal:
        _end(f"{refusal}.", _USAGE if refusal.rule in USAGE else _REFUSED)
    except sqlite3.DatabaseError as error:
        known = trouble(error)
        if known is None:
            raise
        _end(known.sentence, known.code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has gone
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _launcher(app: App) -> Any:
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        home: Annotated[Path | None, Parameter(help="the home folder, else MESHCOOP_HOME")] = None,
        json: Annotated[bool, Parameter(negative=(), help="answer with one JSON document")] = False,
    ) -> Any:
        if not tokens and not json and screen.terminal():
            return screen.become(Context(Home.find(home), json))
        return _call(app, tokens, Context(Home.find(home), json))

    return launch


def _call(app: App, words: Sequence[str], context: Context) -> Any:
    command, bound, ignored = app.parse_args(words, exit_on_error=False, print_error=False)
    extra = {"context": context} if "context" in ignored else {}
    return command(*bound.args, **bound.kwargs, **extra)


def _end(sentence: str, code: int) -> None:
    shown = line(sentence)  # some of it may be a peer's words
    print(shown[0].upper() + shown[1:], file=sys.stderr)
    sys.exit(code)


def _first_line(text: str) -> str:
    lines = [one.strip() for one in text.splitlines() if one.strip()]
    first = (lines[0] if lines else text).split(" Available commands")[0].rstrip(".?")
    return first.replace(". Did you mean", "; perhaps you mean")
