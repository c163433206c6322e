"""The commands `address give`, `address show` and `address forget`. A person's street address goes
directly from one home to another.
"""

import sys
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop.cli.context import Context, ContextArgument
from meshcoop.cli.person_name import format_person
from meshcoop.cli.records import obtain_pin
from meshcoop.errors import Mistake
from protocol.display_text import safe_text
from protocol.wire import calls

PartyOption = Annotated[
    str | None,
    Parameter(name="--as", help="which person of this home, if the party is a guest here"),
]

_USAGE = 2
_MOST_CHARACTERS = 4096  # in a typed address

_WHO_HOLDS_IT = "Only your home and theirs hold it, until the agreement is over"


def give_address(
    agreement: str,
    /,
    *,
    text: Annotated[
        str | None,
        Parameter(help="the address; it is safer to type it when asked: others may see a command"),
    ] = None,
    keep: Annotated[
        bool, Parameter(negative=(), help="keep your own copy here when the agreement is over")
    ] = False,
    as_: PartyOption = None,
    context: ContextArgument,
) -> None:
    """Gives your address to the other party of an agreement. No third home ever holds
    this address.
    """
    address = _read_address() if text is None else text
    call = calls.GiveAddress(agreement=agreement, text=address, keep=keep, as_=as_)
    answer = _call_for_agreement(context, call)
    recipient = format_person(answer["to"])
    sentences = {
        "delivered": f"{recipient} has it. {_WHO_HOLDS_IT}.",
        "waiting": f"It goes to {recipient} as soon as both homes are up. {_WHO_HOLDS_IT}.",
    }
    context.answer(answer, lambda: sentences[answer["state"]], is_done=True)


def show_address(
    agreement: str,
    /,
    *,
    keep: Annotated[
        bool, Parameter(negative=(), help="keep it here when the agreement is over")
    ] = False,
    as_: PartyOption = None,
    context: ContextArgument,
) -> None:
    """Shows the address that the other party of an agreement gave you. If the other party gave
    none, shows the address that you gave.
    """
    answer = _call_for_agreement(
        context, calls.ShowAddress(agreement=agreement, keep=keep, as_=as_)
    )
    giver = format_person(answer["from"])
    until = "kept" if answer["kept"] else "until the agreement is over"
    context.answer(answer, lambda: f"From {giver}, {until}:\n{safe_text(answer['text'])}")


def forget_address(agreement: str, /, *, as_: PartyOption = None, context: ContextArgument) -> None:
    """Erases the addresses of an agreement here. The other home also erases the address that you
    gave, unless the other person has chosen to keep it.
    """
    answer = _call_for_agreement(context, calls.ForgetAddress(agreement=agreement, as_=as_))
    sentences = {
        "forgotten": "Forgotten.",
        "waiting": "Forgotten here, and at the other home as soon as both are up.",
    }
    context.answer(answer, lambda: sentences[answer["state"]], is_done=True)


def _call_for_agreement(
    context: Context, call: calls.GiveAddress | calls.ShowAddress | calls.ForgetAddress
) -> dict[str, Any]:
    """Calls a method of the node about an agreement. If a guest makes the call, first asks for the
    guest's PIN.
    """
    with context.connect_node() as node:
        answer: dict[str, Any] = node.call(replace(call, pin=obtain_pin(node, call.as_)))
        return answer


def _read_address() -> str:
    """Reads the street address from standard input. At a terminal, asks for the address.

    Raises Mistake if there is no input or if the address is empty.
    """
    if sys.stdin is None:
        raise Mistake("Give the address with --text, or on standard input.", _USAGE)
    if sys.stdin.isatty():
        print("Address, on one line: ", end="", file=sys.stderr, flush=True)
        address = sys.stdin.readline(_MOST_CHARACTERS)
    else:
        address = sys.stdin.read(_MOST_CHARACTERS)
    address = address.removeprefix("\ufeff")  # a mark that some editors begin a file with
    if not address.strip():
        raise Mistake("The address is empty; give it with --text, or on standard input.", _USAGE)
    return address.strip()


address_app = App(
    name="address", help="Gives your address to one person, and to nobody else.", version_flags=()
)
address_app.command(give_address, name="give")
address_app.command(show_address, name="show")
address_app.command(forget_address, name="forget")
