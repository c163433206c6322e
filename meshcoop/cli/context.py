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
from meshcoop.errors import NO_NEIGHBOURHOOD, Mistake
from meshcoop.home import passphrase
from meshcoop.home.folder import Home
from meshcoop.node import process


@dataclass(frozen=True)
class Context:
    """The home that a command is about, and the form in which the command answers.

    If `json` is set, standard output holds one JSON document and nothing else.
    """

    home: Home
    json: bool

    def answer(self, value: Any, text: Callable[[], str] | None = None) -> None:
        """Prints the result. If the command answers in JSON or `text` is None, prints JSON.
        Otherwise prints the text that the function `text` returns.
        """
        if self.json or text is None:
            print(json.dumps(value, ensure_ascii=False, indent=None if self.json else 2))
        else:
            print(text())
        sys.stdout.flush()

    @contextmanager
    def connect_node(self) -> Iterator[Client]:
        """Connects to this home's node. Starts the node first if none runs."""
        with ExitStack() as stack:
            try:
                client = stack.enter_context(Client(self.home.api_socket))
            except NodeGone:
                # No node runs, or it is starting or stopping. `start` handles all three cases.
                self.require_home()
                process.start(self.home, passphrase.obtain_passphrase())
                client = stack.enter_context(Client(self.home.api_socket))
            yield client

    def require_home(self) -> None:
        """Raises Mistake if nobody has made a home in the context's folder yet."""
        if not self.home.key_file.exists():
            raise Mistake(
                (
                    "There is no home in {path} yet: `meshcoop found` begins a neighbourhood, "
                    "`meshcoop join` enters one."
                ),
                path=self.home.path,
            )

    def require_neighbourhood(self) -> bytes:
        """Returns the id of this home's neighbourhood. Raises Mistake if the home belongs to no
        neighbourhood.
        """
        self.require_home()
        neighbourhood = self.home.read_settings().neighbourhood
        if neighbourhood is None:
            raise Mistake(NO_NEIGHBOURHOOD)
        return bytes.fromhex(neighbourhood)


ContextArgument = Annotated[Context, Parameter(parse=False)]
ListenOption = Annotated[
    list[str] | None,
    Parameter(negative=(), help="an address to listen on, such as /ip4/192.0.2.7/tcp/4001; kept"),
]


def keep_listen_addresses(context: Context, listen: list[str] | None) -> None:
    """Saves in the home the addresses from the option `--listen`. Raises Mistake if an address
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
        raise Mistake(str(error)) from None
    settings = context.home.read_settings()
    context.home.write_settings(replace(settings, listen=tuple(listen)))
