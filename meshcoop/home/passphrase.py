"""Gets a passphrase or a PIN, from a file or from a prompt. If there is no terminal, it never
prompts.
"""

import getpass
import os
import sys
from pathlib import Path
from typing import NamedTuple

from meshcoop.errors import Mistake

PASSPHRASE_VARIABLE = "MESHCOOP_PASSPHRASE_FILE"  # noqa: S105  # a name, no secret
PIN_VARIABLE = "MESHCOOP_PIN_FILE"
SHORTEST_PIN = 4

_MAX_BYTES = 4096


class _Question(NamedTuple):
    """Describes a secret that a person is asked for. `variable` is an environment variable. It
    names a file that holds the secret.
    """

    name: str
    variable: str
    prompt: str


def obtain_passphrase(*, new: bool = False) -> str:
    """Returns the passphrase, which is never empty.

    If the environment variable MESHCOOP_PASSPHRASE_FILE is set, the passphrase is the first line of
    the file that it names. This file may be a pipe, such as /dev/stdin. Without the variable, the
    person types the passphrase, and types it twice if `new`. Raises Mistake (exit code 2).
    """
    prompt = "New passphrase: " if new else "Passphrase: "
    return _obtain(_Question("passphrase", PASSPHRASE_VARIABLE, prompt), new=new)


def obtain_pin(name: str, *, new: bool = False) -> str:
    """Returns the PIN of a guest. Works like `obtain_passphrase`, with the variable
    MESHCOOP_PIN_FILE. Raises Mistake (exit code 2).
    """
    prompt = f"New PIN of {name}: " if new else f"PIN of {name}: "
    pin = _obtain(_Question("PIN", PIN_VARIABLE, prompt), new=new)
    if new and len(pin) < SHORTEST_PIN:
        raise Mistake(f"A PIN has {SHORTEST_PIN} characters or more; choose a longer one.", 2)
    return pin


def _obtain(question: _Question, *, new: bool) -> str:
    path = os.environ.get(question.variable)
    if path:
        return _read_secret(question, Path(path))
    if sys.stdin is None or not sys.stdin.isatty():
        remedy = f"write it to a file of your own and name that file in {question.variable}"
        raise Mistake(f"There is no terminal to ask for the {question.name}; {remedy}.", 2)
    return _prompt(question, new=new)


def _read_secret(question: _Question, path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.readline(_MAX_BYTES)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise Mistake(f"{question.variable} names {path}: {reason}; correct the path.", 2) from None
    try:
        secret = line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        raise Mistake(f"{path} is not UTF-8; write the {question.name} as plain text.", 2) from None
    if not secret:
        raise Mistake(f"The first line of {path} is empty; write the {question.name} there.", 2)
    return secret


def _prompt(question: _Question, *, new: bool) -> str:
    try:
        secret = getpass.getpass(question.prompt)
        again = getpass.getpass("The same again: ") if new else secret
        secret.encode()
    except EOFError:
        raise Mistake(f"No {question.name} was given; run the command again.", 2) from None
    except UnicodeEncodeError:
        raise Mistake("The terminal does not send UTF-8; set its encoding.", 2) from None
    if not secret:
        raise Mistake(f"An empty {question.name} protects nothing; run the command again.", 2)
    if secret != again:
        raise Mistake(f"The two {question.name}s differ; run the command again.", 2)
    return secret
