"""The command line: global options, dispatch, and one sentence for every mistake."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from meshcoop.cli import screen
from meshcoop.cli.context import Context
from meshcoop.errors import USAGE, Mistake
from meshcoop.home.folder import Home
from meshcoop.store.disk_errors import StoreError, trouble
from protocol.display_text import line
from protocol.errors import Refused

_REFUSED, _USAGE, _INTERRUPTED = 1, 2, 130

# Where each command is; what is not called is not even imported, so that commands are quick.
_COMMANDS = {
    "found": "cli.membership:_founding",
    "invite": "cli.membership:_invite",
    "join": "cli.membership:_join",
    "approve": "cli.membership:_approve",
    "guest": "cli.guest:_guest",
    "renew": "cli.renew:_renew",
    "recovery": "cli.devices:_recovery",
    "devices": "cli.devices:_devices",
    "certify": "cli.devices:_certify",
    "revoke": "cli.devices:_revoke",
    "bundle": "cli.bundle:app",
    "backup": "cli.backup:_backup",
    "restore": "cli.backup:_restore",
    "run": "cli.node:_run",
    "up": "cli.node:_up",
    "down": "cli.node:_down",
    "status": "cli.node:_status",
    "wait": "cli.node:_wait",
    "post": "cli.post:post",
    "list": "cli.records:_list",
    "show": "cli.records:_show",
    "balance": "cli.records:_balance",
    "introductions": "cli.records:_introductions",
    "address": "cli.address:address",
    "relay": "cli.relay:relay",
    "doctor": "cli.doctor:_doctor",
    "search": "cli.records:_search",
    "kinds": "cli.records:_list_kinds",
    "mute": "cli.records:_mute",
    "export": "cli.export:_export",
    "loops": "cli.loops:_loops",
    "demo": "dev.commands:_demo",
    "specs": "dev.commands:_specs",
    "bench": "dev.commands:_bench",
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
        app.command(f"meshcoop.{place}", name=name)
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
    except StoreError as error:
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
