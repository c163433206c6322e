"""Where the passphrase comes from: a file, or one prompt. Never a prompt without a terminal."""

import getpass
import os
import sys
from pathlib import Path

from meshcoop.errors import Mistake

VARIABLE = "MESHCOOP_PASSPHRASE_FILE"

_MAX_BYTES = 4096


def obtain(*, new: bool = False) -> str:
    """The passphrase, never empty: the first line of the file that MESHCOOP_PASSPHRASE_FILE names,
    else what the person types, twice when `new`.

    The file may be a pipe, /dev/stdin for one. Raises Mistake (2).
    """
    path = os.environ.get(VARIABLE)
    if path:
        return _from_file(Path(path))
    if sys.stdin is None or not sys.stdin.isatty():
        remedy = f"write it to a file of your own and name that file in {VARIABLE}"
        raise Mistake(f"There is no terminal to ask for the passphrase; {remedy}.", 2)
    return _from_terminal(new=new)


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.readline(_MAX_BYTES)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise Mistake(f"{VARIABLE} names {path}: {reason}; correct the path.", 2) from None
    try:
        passphrase = line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        raise Mistake(f"{path} is not UTF-8; write the passphrase as plain text.", 2) from None
    if not passphrase:
        raise Mistake(f"The first line of {path} is empty; write the passphrase there.", 2)
    return passphrase


def _from_terminal(*, new: bool) -> str:
    try:
        passphrase = getpass.getpass("New passphrase: " if new else "Passphrase: ")
        again = getpass.getpass("The same again: ") if new else passphrase
        passphrase.encode()
    except EOFError:
        raise Mistake("No passphrase was given; run the command again.", 2) from None
    except UnicodeEncodeError:
        raise Mistake("The terminal does not send UTF-8; set its encoding.", 2) from None
    if not passphrase:
        raise Mistake("An empty passphrase protects nothing; run the command again.", 2)
    if passphrase != again:
        raise Mistake("The two passphrases differ; run the command again.", 2)
    return passphrase
