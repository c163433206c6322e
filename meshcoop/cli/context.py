"""What every command is given: the home, how to answer, and a node to ask."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.client import Client, NodeGone
from meshcoop.errors import NOWHERE, Mistake
from meshcoop.home import passphrase
from meshcoop.home.folder import Home
from meshcoop.node import process


@dataclass(frozen=True)
class Context:
    """`json`: standard output holds one JSON document and nothing else."""

    home: Home
    json: bool

    def answer(self, value: Any, text: Callable[[], str] | None = None) -> None:
        """Prints the result, as JSON or in words."""
        if self.json or text is None:
            print(json.dumps(value, ensure_ascii=False, indent=None if self.json else 2))
        else:
            print(text())
        sys.stdout.flush()

    @contextmanager
    def node(self) -> Iterator[Client]:
        """A client of this home's node, which is started if it does not run."""
        with ExitStack() as stack:
            try:
                client = stack.enter_context(Client(self.home.socket))
            except NodeGone:  # none runs, or one is on its way up, or out
                self.must_exist()
                process.start(self.home, passphrase.obtain())
                client = stack.enter_context(Client(self.home.socket))
            yield client

    def must_exist(self) -> None:
        """Raises Mistake where nobody has founded or joined yet."""
        if not self.home.keys.exists():
            raise Mistake(
                f"There is no home in {self.home.path} yet: `meshcoop found` begins a "
                "neighbourhood, `meshcoop join` enters one."
            )

    def neighbourhood(self) -> bytes:
        """The id of the neighbourhood that this home belongs to. Raises Mistake."""
        self.must_exist()
        named = self.home.read_settings().neighbourhood
        if named is None:
            raise Mistake(NOWHERE)
        return bytes.fromhex(named)


Given = Annotated[Context, Parameter(parse=False)]
Listen = Annotated[
    list[str] | None,
    Parameter(negative=(), help="an address to listen on, such as /ip4/192.0.2.7/tcp/4001; kept"),
]


def keep_listen(context: Context, listen: list[str] | None) -> None:
    """Keeps what --listen named in the home."""
    if listen:
        from dataclasses import replace

        from meshcoop.network.interface import NetworkError
        from meshcoop.network.libp2p.address import check_listen

        try:
            for one in listen:
                check_listen(one)
        except NetworkError as error:
            raise Mistake(str(error)) from None
        settings = context.home.read_settings()
        context.home.write_settings(replace(settings, listen=tuple(listen)))
