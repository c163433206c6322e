"""The commands about addresses, person to person: address give, show, forget."""

import sys
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop.cli.context import Context, Given
from meshcoop.cli.records import asked
from meshcoop.errors import Mistake
from protocol.display_text import line, safe

Party = Annotated[
    str | None, Parameter(name="--as", help="which person of this home, where that is a guest")
]

_USAGE = 2
_MOST = 4096  # characters that are read

_HELD = "Your home and theirs hold it, and nobody else, until the agreement is over"


def _give(
    agreement: str,
    /,
    *,
    text: Annotated[
        str | None,
        Parameter(help="the address; better typed when asked, since others may see a command"),
    ] = None,
    keep: Annotated[
        bool, Parameter(negative=(), help="keep your own copy here when the agreement is over")
    ] = False,
    as_: Party = None,
    context: Given,
) -> None:
    """Gives your address to the other party of an agreement; no other home ever holds it."""
    typed = _typed() if text is None else text
    given = {"text": typed, "keep": keep}
    answer = _ask(context, "give_address", agreement, as_, given)
    who = line(answer["to"]["name"])
    told = {
        "delivered": f"{who} has it. {_HELD}.",
        "waiting": f"It goes to {who} as soon as both homes are up. {_HELD}.",
    }
    context.answer(answer, lambda: told[answer["state"]])


def _show(
    agreement: str,
    /,
    *,
    keep: Annotated[
        bool, Parameter(negative=(), help="keep it here when the agreement is over")
    ] = False,
    as_: Party = None,
    context: Given,
) -> None:
    """Shows the address that you were given for an agreement, or else the one that you gave."""
    answer = _ask(context, "show_address", agreement, as_, {"keep": keep})
    until = "kept" if answer["kept"] else "until the agreement is over"
    context.answer(
        answer, lambda: f"From {line(answer['from']['name'])}, {until}:\n{safe(answer['text'])}"
    )


def _forget(agreement: str, /, *, as_: Party = None, context: Given) -> None:
    """Erases the addresses of an agreement here; one you gave is erased at the other home as well,
    unless they keep it.
    """
    answer = _ask(context, "forget_address", agreement, as_, {})
    told = {
        "forgotten": "Forgotten.",
        "waiting": "Forgotten here, and at the other home as soon as both are up.",
    }
    context.answer(answer, lambda: told[answer["state"]])


def _ask(
    context: Context, method: str, agreement: str, person: str | None, given: dict[str, Any]
) -> dict[str, Any]:
    with context.node() as node:
        who = {"as": person, **asked(node, person)}
        answer: dict[str, Any] = node.call(method, agreement=agreement, **who, **given)
        return answer


def _typed() -> str:
    """The address from standard input; at a terminal it is asked for."""
    if sys.stdin is None:
        raise Mistake("Say the address with --text, or on standard input.", _USAGE)
    if sys.stdin.isatty():
        print("Address, on one line: ", end="", file=sys.stderr, flush=True)
        found = sys.stdin.readline(_MOST)
    else:
        found = sys.stdin.read(_MOST)
    if not found.strip():
        raise Mistake("No address was given; say it with --text, or on standard input.", _USAGE)
    return found.strip()


address = App(name="address", help="An address, from person to person.", version_flags=())
address.command(_give, name="give")
address.command(_show, name="show")
address.command(_forget, name="forget")
