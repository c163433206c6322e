"""Where a passphrase or a PIN comes from: a file, or one prompt. Never a prompt without a terminal."""

import getpass
import os
import sys
from pathlib import Path
from typing import NamedTuple

from meshcoop.errors import Mistake

VARIABLE = "MESHCOOP_PASSPHRASE_FILE"
PIN_VARIABLE = "MESHCOOP_PIN_FILE"
SHORTEST_PIN = 4

_MAX_BYTES = 4096


class _Asked(NamedTuple):
    """What is asked for, and where a program leaves it."""

    name: str
    variable: str
    prompt: str


def obtain(*, new: bool = False) -> str:
    """The passphrase, never empty: the first line of the file that MESHCOOP_PASSPHRASE_FILE names,
    else what the person types, twice when `new`.

    The file may be a pipe, /dev/stdin for one. Raises Mistake (2).
    """
    prompt = "New passphrase: " if new else "Passphrase: "
    return _obtain(_Asked("passphrase", VARIABLE, prompt), new=new)


def obtain_pin(whose: str, *, new: bool = False) -> str:
    """The PIN of a guest, in the same way, from MESHCOOP_PIN_FILE. Raises Mistake (2)."""
    prompt = f"New PIN of {whose}: " if new else f"PIN of {whose}: "
    pin = _obtain(_Asked("PIN", PIN_VARIABLE, prompt), new=new)
    if new and len(pin) < SHORTEST_PIN:
        raise Mistake(f"A PIN has {SHORTEST_PIN} characters or more; choose a longer one.", 2)
    return pin


def _obtain(asked: _Asked, *, new: bool) -> str:
    path = os.environ.get(asked.variable)
    if path:
        return _from_file(asked, Path(path))
    if sys.stdin is None or not sys.stdin.isatty():
        remedy = f"write it to a file of your own and name that file in {asked.variable}"
        raise Mistake(f"There is no terminal to ask for the {asked.name}; {remedy}.", 2)
    return _from_terminal(asked, new=new)


def _from_file(asked: _Asked, path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.readline(_MAX_BYTES)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise Mistake(f"{asked.variable} names {path}: {reason}; correct the path.", 2) from None
    try:
        secret = line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        raise Mistake(f"{path} is not UTF-8; write the {asked.name} as plain text.", 2) from None
    if not secret:
        raise Mistake(f"The first line of {path} is empty; write the {asked.name} there.", 2)
    return secret


def _from_terminal(asked: _Asked, *, new: bool) -> str:
    try:
        secret = getpass.getpass(asked.prompt)
        again = getpass.getpass("The same again: ") if new else secret
        secret.encode()
    except EOFError:
        raise Mistake(f"No {asked.name} was given; run the command again.", 2) from None
    except UnicodeEncodeError:
        raise Mistake("The terminal does not send UTF-8; set its encoding.", 2) from None
    if not secret:
        raise Mistake(f"An empty {asked.name} protects nothing; run the command again.", 2)
    if secret != again:
        raise Mistake(f"The two {asked.name}s differ; run the command again.", 2)
    return secret
