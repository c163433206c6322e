"""Gets a passphrase or a PIN from a file, or from a person at a terminal. If there is no terminal,
nobody is asked.
"""

import getpass
import os
import secrets
import sys
import unicodedata
from pathlib import Path
from typing import NamedTuple

from meshcoop.errors import Mistake
from meshcoop.home.recovery_words import word_list

PASSPHRASE_VARIABLE = "MESHCOOP_PASSPHRASE_FILE"  # noqa: S105  # a name, no secret
PIN_VARIABLE = "MESHCOOP_PIN_FILE"
SHORTEST_PIN = 4
SHORTEST_PASSPHRASE = 10  # characters
OFFERED_WORDS = 6

_MAX_BYTES = 4096


class _Question(NamedTuple):
    """A secret that a person is asked for. `variable` is the name of an environment variable. This
    environment variable may name a file that holds the secret.
    """

    name: str
    variable: str
    prompt: str


def obtain_passphrase(*, new: bool = False) -> str:
    """Returns the passphrase, which is never empty.

    If the environment variable MESHCOOP_PASSPHRASE_FILE names a file, the passphrase is the first
    line of this file. The file may be a pipe, such as /dev/stdin. Otherwise the person types the
    passphrase. With `new`, the person types it twice. Raises Mistake (exit code 2) if there is no
    usable passphrase, or if a new passphrase is too short (R-01.29a).
    """
    prompt = "New passphrase: " if new else "Passphrase: "
    if new and _can_ask(PASSPHRASE_VARIABLE):
        offered = offer_words()
        sys.stderr.write(
            f"A passphrase has {SHORTEST_PASSPHRASE} characters or more. Six words that nobody"
            f" guesses:\n\n    {offered}\n\n"
        )
    secret = _obtain(_Question("passphrase", PASSPHRASE_VARIABLE, prompt), new=new)
    if new and len(unicodedata.normalize("NFKC", secret).strip()) < SHORTEST_PASSPHRASE:
        raise Mistake(
            "A passphrase has {shortest} characters or more; choose a longer one, or six words.",
            2,
            shortest=SHORTEST_PASSPHRASE,
        )
    return secret


def offer_words() -> str:
    """Returns six random words from the 2,048 words for recovery, as a passphrase. They have 66
    random bits, and a person can still type them.
    """
    book = word_list()
    return " ".join(secrets.choice(book) for _ in range(OFFERED_WORDS))


def obtain_pin(name: str, *, new: bool = False) -> str:
    """Returns the PIN of a guest. Works like `obtain_passphrase`, but with the environment variable
    MESHCOOP_PIN_FILE. Raises Mistake (exit code 2) if there is no usable PIN.
    """
    prompt = f"New PIN of {name}: " if new else f"PIN of {name}: "
    pin = _obtain(_Question("PIN", PIN_VARIABLE, prompt), new=new)
    if new and len(pin) < SHORTEST_PIN:
        raise Mistake(
            "A PIN has {shortest_pin} characters or more; choose a longer one.",
            2,
            shortest_pin=SHORTEST_PIN,
        )
    return pin


def _can_ask(variable: str) -> bool:
    """Returns whether a person can be asked: there is a terminal, and no file gives the secret."""
    return not os.environ.get(variable) and sys.stdin is not None and sys.stdin.isatty()


def _obtain(question: _Question, *, new: bool) -> str:
    path = os.environ.get(question.variable)
    if path:
        return _read_secret(question, Path(path))
    if not _can_ask(question.variable):
        raise Mistake(
            "There is no terminal to ask for the {name}; write it to a file of your own and name "
            "that file in {variable}.",
            2,
            name=question.name,
            variable=question.variable,
        )
    return _prompt(question, new=new)


def _read_secret(question: _Question, path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.readline(_MAX_BYTES)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Mistake(
            "{variable} names {path}: {reason}; correct the path.",
            2,
            variable=question.variable,
            path=path,
            reason=reason,
        ) from None
    try:
        # Some editors begin a file with a byte order mark, which nobody sees.
        secret = line.rstrip(b"\r\n").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Mistake(
            "{path} is not UTF-8; write the {name} as plain text.", 2, path=path, name=question.name
        ) from None
    if not secret:
        raise Mistake(
            "The first line of {path} is empty; write the {name} there.",
            2,
            path=path,
            name=question.name,
        )
    return secret


def _prompt(question: _Question, *, new: bool) -> str:
    try:
        secret = getpass.getpass(question.prompt)
        again = getpass.getpass("The same again: ") if new else secret
        secret.encode()
    except EOFError:
        raise Mistake(
            "No {name} was given; run the command again.", 2, name=question.name
        ) from None
    except UnicodeEncodeError:
        raise Mistake("The terminal does not send UTF-8; set its encoding.", 2) from None
    if not secret:
        raise Mistake(
            "An empty {name} protects nothing; run the command again.", 2, name=question.name
        )
    if secret != again:
        raise Mistake("The two {name}s differ; run the command again.", 2, name=question.name)
    return secret
