"""The command line: reads the global options and runs the command. If the command fails, says so in
one sentence.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import metadata
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, NoReturn

from cyclopts import App, CycloptsError, Parameter

from meshcoop.cli import screen
from meshcoop.cli.context import Context
from meshcoop.cli.typed_field import name_typed_field
from meshcoop.errors import USAGE_RULES, BrokenRule, Mistake
from meshcoop.home import key_file
from meshcoop.home.folder import Home
from meshcoop.store.disk_errors import StoreError, disk_error_of
from protocol.display_text import safe_line, safe_text
from protocol.errors import Refused
from protocol.log_lines import escape_line, shorten_entry

_REFUSED = 1
_USAGE = 2
_INTERRUPTED = 130

# The place of each command. To be quick, the program imports only the module of the called command.
_COMMANDS = {
    "help": "cli.guides:show_guide",
    "found": "cli.membership:found_command",
    "invite": "cli.membership:invite_newcomer",
    "join": "cli.membership:join_neighbourhood",
    "approve": "cli.membership:approve_knock",
    "guest": "cli.guest:add_guest",
    "renew": "cli.post:propose_renewal",
    "recovery": "cli.devices:check_recovery_words",
    "devices": "cli.devices:list_devices",
    "certify": "cli.devices:certify_device",
    "revoke": "cli.devices:revoke_device",
    "leave": "cli.devices:leave_neighbourhood",
    "bundle": "cli.bundle:bundle_app",
    "backup": "cli.backup:write_backup",
    "restore": "cli.backup:restore_backup",
    "run": "cli.node:run_node",
    "up": "cli.node:start_node",
    "down": "cli.node:stop_node",
    "log": "cli.node:keep_log",
    "status": "cli.node:show_status",
    "wait": "cli.node:wait_for_node",
    "post": "cli.post:post_app",
    "list": "cli.records:list_records",
    "show": "cli.records:show_record",
    "next": "cli.records:show_next_steps",
    "balance": "cli.records:show_balance",
    "introductions": "cli.records:show_introductions",
    "address": "cli.addresses:address_app",
    "relay": "cli.relay:relay_app",
    "doctor": "cli.doctor.command:show_findings",
    "search": "cli.records:search_records",
    "kinds": "cli.records:list_kinds",
    "mute": "cli.records:mute_person",
    "export": "cli.export:export_file",
    "take-out": "cli.export:take_out",
    "loops": "cli.loops.point_file:apply_loop_rules",
    "rehearse": "cli.loops.rehearsal:rehearse_measure",
    "demo": "dev.commands:_demo",
    "specs": "dev.commands:_specs",
    "bench": "dev.commands:_bench",
}

# These commands do without the home in the folder that the options name.
_WITHOUT_HOME = {"help", "demo", "specs", "bench"}

_GLOBAL_FLAGS = {"--json", "--version"}  # the global option besides them is `--home`


def build_app() -> App:
    """Builds the application with all its commands."""
    app = App(
        name="meshcoop",
        help="A neighbourhood runs its own public services, from home to home.",
        version_flags=(),
        result_action="return_value",
    )
    for name, place in _COMMANDS.items():
        app.command(f"meshcoop.{place}", name=name)
    if not (_COMMANDS.keys() | {"--version"}) & set(sys.argv):
        # The list of commands quotes the docstring of each command. So all modules are imported.
        for name in _COMMANDS:
            app[name]
    # Only the help reads it: so the help of each command lists the global options too.
    app.meta.default(launch)
    return app


def run_command(words: Sequence[str], context: Context) -> None:
    """Runs one command in this process.

    If the command fails, raises the error without printing it. The function `main` prints a
    sentence for such an error.
    """
    _run(build_app(), words, context)


def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    home: Annotated[Path | None, Parameter(help="the home folder, else MESHCOOP_HOME")] = None,
    json: Annotated[bool, Parameter(negative=(), help="answer with one JSON document")] = False,
    version: Annotated[
        bool, Parameter(negative=(), help="print the version of this build")
    ] = False,
) -> Any:
    """Runs the command `tokens` with the global options."""
    app = build_app()
    context = Context(Home.find(home), json)
    if version:
        return _print_version(context)
    asks_help = not {*app.help_flags}.isdisjoint(tokens[: _end_of_options(tokens)])
    if not asks_help and (not tokens or tokens[0] not in _WITHOUT_HOME):
        key_file.refuse_older_home(context.home.key_file)
    if not tokens and not json and screen.can_show_screen():
        return screen.become_screen(context)
    return _run(app, tokens, context)


def main() -> None:
    """Runs the command that was typed. The exit code is 0 if the command succeeds, 1 if it is
    refused, and 2 if it was typed wrongly.
    """
    # Other users of the machine must not read what a home writes.
    os.umask(0o077)
    _prepare_streams()
    sys.excepthook = _print_crash
    try:
        words, options = split_global_options(sys.argv[1:])
        launch(*words, **options)
        sys.stdout.flush()
    except CycloptsError as error:
        _exit_with(f"{_first_line(str(error))}; `meshcoop --help` shows how.", _USAGE)
    except Mistake as mistake:
        _exit_with(mistake.sentence, mistake.code)
    except Refused as refusal:
        _exit_with(f"{refusal}.", _USAGE if refusal.rule in USAGE_RULES else _REFUSED)
    except BrokenPipeError:
        pass  # The reader of the output has gone, and misses nothing.
    except (StoreError, OSError) as error:
        disk_trouble = disk_error_of(error)
        if disk_trouble is None:
            raise
        _exit_with(disk_trouble.sentence, disk_trouble.code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    finally:
        _drop_unwritable_output()


def split_global_options(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Takes the global options out of a command line. They may stand anywhere before `--`. Returns
    the other words, and the options as arguments of `launch`.

    Cyclopts could read these options too, as those of a meta app. But it would examine them again
    at each word, and take two thirds of the time of a short command.

    Raises Mistake if `--home` lacks its value or is given twice.
    """
    end = _end_of_options(words)
    options: dict[str, Any] = {flag[2:]: True for flag in _GLOBAL_FLAGS & {*words[:end]}}
    typed = iter([word for word in words[:end] if word not in _GLOBAL_FLAGS])
    rest: list[str] = []
    for word in typed:
        name, equals, value = word.partition("=")
        if name != "--home":
            rest.append(word)
        elif "home" in options:
            raise _usage_mistake("Parameter --home specified multiple times")
        else:
            options["home"] = Path(value if equals else _read_value(typed))
    return [*rest, *words[end:]], options


def _end_of_options(words: Sequence[str]) -> int:
    """Returns the place of the first `--`, behind which no word is an option."""
    return words.index("--") if "--" in words else len(words)


def _read_value(typed: Iterator[str]) -> str:
    value = next(typed, "-")
    if value.startswith("-"):
        raise _usage_mistake("Parameter --home requires an argument")
    return value


def _usage_mistake(sentence: str) -> Mistake:
    return Mistake("{sentence}; `meshcoop --help` shows how.", _USAGE, sentence=sentence)


def _print_version(context: Context) -> None:
    version = metadata.version("meshcoop")
    context.answer({"version": version}, lambda: version)


def _run(app: App, words: Sequence[str], context: Context) -> Any:
    command, bound, ignored = app.parse_args(words, exit_on_error=False, print_error=False)
    extra = {"context": context} if "context" in ignored else {}
    try:
        return command(*bound.args, **bound.kwargs, **extra)
    except BrokenRule as broken:
        named = name_typed_field(broken.refusal, bound.signature)
        raise BrokenRule(named, broken.code) from broken
    except Refused as refusal:
        raise name_typed_field(refusal, bound.signature) from refusal


def _exit_with(sentence: str, code: int) -> NoReturn:
    # The sentence may contain words from a peer, so it is made safe to show.
    shown = safe_line(sentence)
    with suppress(OSError):
        print(shown[0].upper() + shown[1:], file=sys.stderr, flush=True)
    sys.exit(code)


def _print_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Prints the traceback of a fault of the program. Makes the text safe, because it may contain
    words of peers.

    If the output is no terminal, it may be a log. So the traceback becomes one line, like every
    entry of a log (R-05.13).
    """
    text = "".join(traceback.format_exception(kind, error, trace))
    shown = safe_text(text) if sys.stderr.isatty() else escape_line(shorten_entry(text))
    with suppress(OSError):
        print(shown, file=sys.stderr)


def _prepare_streams() -> None:
    """Prepares the standard streams so that reading and writing text never fail. A stream may be
    closed, and the terminal may lack some letters.
    """
    # The files stay open until the program ends. Each takes the number of its closed stream.
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open(encoding="utf-8")
    sys.stdout = sys.stdout or nothing.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nothing.open("w", encoding="utf-8")
    # A letter that the terminal lacks is shown as "?". Bytes that are no text reach the checks of
    # the fields as half characters, as they do on the command line.
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "replace")):
        assert isinstance(stream, TextIOWrapper), "the streams of a program are files"
        stream.reconfigure(errors=errors)


def _drop_unwritable_output() -> None:
    """Drops output that cannot be written. Otherwise Python would try to write this output again at
    the end, and would change the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _first_line(text: str) -> str:
    lines = [row.strip() for row in text.splitlines() if row.strip()]
    first = (lines[0] if lines else text).split(" Available commands")[0].rstrip(".?")
    return first.replace(". Did you mean", "; perhaps you mean")
