"""The context of every command: the home, the form of the answer, and the connection to the
node.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.client import Client, NodeGone
from meshcoop.errors import IS_RELAY, NO_NEIGHBOURHOOD, Mistake
from meshcoop.home import key_file, passphrase
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys, UnlockedKeys
from meshcoop.node import process
from protocol.display_text import safe_line
from protocol.local_clock import LocalClock, read_time
from protocol.time_zones import local_clock
from protocol.wire import calls

ALREADY_SO = "It was so already, so nothing was signed."


@dataclass(frozen=True)
class Context:
    """The home that a command is about, and the form of the command's answer.

    If `json` is set, standard output holds one JSON document and nothing else.
    """

    home: Home
    json: bool

    def answer(
        self, value: Any, text: Callable[[], str] | None = None, *, is_done: bool = False
    ) -> None:
        """Prints the result. Prints JSON if the command answers in JSON, or if `text` is None.
        Otherwise prints the text that the function `text` returns.

        `is_done` means that the command has changed something. If the result cannot be printed,
        raises Mistake. With `is_done`, the sentence of this Mistake says what was done, and the
        exit code is 0. So the person does not run the command a second time.
        """
        words = None if text is None else text()
        try:
            if self.json or words is None:
                self.print_json(value, indent=None if self.json else 2)
            else:
                print_text(words)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _lost_answer(error, words if is_done else None) from None

    def print_json(self, value: Any, *, indent: int | None = None) -> None:
        """Prints a value as JSON. Letters that the terminal lacks are printed as escapes."""
        is_unicode = sys.stdout.encoding.lower().startswith("utf")
        print(json.dumps(value, ensure_ascii=not is_unicode, indent=indent), flush=True)

    @contextmanager
    def connect_node(self) -> Iterator[Client]:
        """Connects to this home's node. If no node runs, starts the node first."""
        with ExitStack() as stack:
            try:
                client = stack.enter_context(Client(self.home.api_socket))
            except NodeGone:
                # No node runs, or it is starting or stopping. `start` handles all three cases.
                self.require_home()
                self.start_node(self.obtain_secret())
                client = stack.enter_context(Client(self.home.api_socket))
            yield client

    def obtain_secret(self) -> str | None:
        """Returns the passphrase of this home, or None if the home has no passphrase."""
        return passphrase.obtain_passphrase() if key_file.is_locked(self.home.key_file) else None

    def unlock_keys(self) -> UnlockedKeys:
        """Opens this home's key file. If the file has a passphrase, asks for the passphrase. Raises
        Mistake if there is no home in the context's folder yet.
        """
        self.require_home()
        return key_file.unlock_key_file(self.home.key_file, self.obtain_secret())

    def start_node(self, secret: str | None) -> None:
        """Starts the node. If this takes long, shows on the terminal what the node is doing."""
        process.start(self.home, secret, tell=show_progress)

    def require_home(self) -> None:
        """Raises Mistake if there is no home in the context's folder yet."""
        if not self.home.key_file.exists():
            raise Mistake(
                (
                    "There is no home in {path} yet: `meshcoop found` begins a neighbourhood, "
                    "`meshcoop join` enters one."
                ),
                path=self.home.path,
            )

    def require_person(self) -> None:
        """Raises Mistake if this home belongs to no person: it is a relay, or it was not
        made yet.
        """
        self.require_home()
        if self.home.read_settings().relay is not None:
            raise Mistake(IS_RELAY)


def require_neighbourhood(keys: Keys) -> bytes:
    """Returns the id of the neighbourhood to which a home belongs. `keys` are the keys of this
    home. Raises Mistake if the home belongs to no neighbourhood.
    """
    if keys.neighbourhood is None:
        raise Mistake(NO_NEIGHBOURHOOD)
    return keys.neighbourhood


def print_text(text: str) -> None:
    """Prints a text. If the terminal cannot show some letters of the text, says so on standard
    error.
    """
    print(text, flush=True)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError as error:
        print(
            f'Letters that {error.encoding} lacks are shown as "?"; set the terminal to UTF-8.',
            file=sys.stderr,
        )


def _lost_answer(error: OSError, done: str | None) -> Mistake:
    """Returns the error for an answer that cannot be printed. `done` says what the command has
    done. If the command has changed nothing, `done` is None.
    """
    reason = error.strerror or "nobody knows why"
    if done is None:
        return Mistake("The answer cannot be written: {reason}; ask again.", reason=reason)
    return Mistake(
        "This is done and must not be repeated, though its answer cannot be written ({reason}): "
        "{done}",
        0,
        reason=reason,
        done=done,
    )


def show_progress(line: str) -> None:
    """Shows a line on the terminal, if there is one."""
    if sys.stderr.isatty():
        print(safe_line(line), file=sys.stderr, flush=True)


def read_clock(node: Client) -> LocalClock:
    """Returns the present time on the neighbourhood's clocks, as the node knows it."""
    return clock_of_status(node.call(calls.Status()))


def clock_of_status(status: dict[str, Any]) -> LocalClock:
    """Returns the time on the neighbourhood's clocks at the moment when the node gave its
    status.
    """
    return local_clock(read_time(status["time"]), status["timezone"])


ContextArgument = Annotated[Context, Parameter(parse=False)]
ListenOption = Annotated[
    list[str] | None,
    Parameter(negative=(), help="an address to listen on, such as /ip4/192.0.2.7/tcp/4001; kept"),
]

WithoutPassphraseOption = Annotated[
    bool,
    Parameter(negative=(), help="lock nothing; whoever takes the disk reads all that is on it"),
]


def keep_listen_addresses(context: Context, listen: list[str] | None) -> None:
    """Saves the addresses from the option `--listen` in the home. Raises Mistake if an address
    cannot be used.
    """
    if not listen:
        return
    # Importing libp2p takes a second, and most commands need no network. So the import is here.
    from meshcoop.network.interface import NetworkError
    from meshcoop.network.libp2p.address import check_listen

    try:
        for address in listen:
            check_listen(address)
    except NetworkError as error:
        raise Mistake(error.text, **error.arguments) from None
    settings = context.home.read_settings()
    context.home.write_settings(replace(settings, listen=tuple(listen)))
