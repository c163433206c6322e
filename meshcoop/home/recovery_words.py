"""Recovery words: a person's root seed, written as 24 words on paper (BIP-39)."""

import difflib
import getpass
import re
import sys
from functools import cache
from pathlib import Path

import nacl.bindings
from mnemonic import Mnemonic

from meshcoop.errors import Mistake

COUNT = 24

_WORD = r"[^\W\d_]+"
_MAX_BYTES = 4096
_USAGE = 2


def to_words(root_seed: bytes) -> list[str]:
    """Returns the 24 words that stand for a root seed."""
    return _book().to_mnemonic(root_seed).split()


def to_seed(text: str) -> bytes:
    """Returns the root seed for words that a person has copied. Capital letters, numbers and line
    breaks do not matter.

    Raises Mistake (exit code 2) if the words are wrong. If a word is not among the 2,048 words, the
    message names this word.
    """
    typed = re.findall(_WORD, text.lower())
    for number, word in enumerate(typed, 1):
        if word not in _book().wordlist:
            raise _refusal_of_word(number, word)
    if len(typed) != COUNT:
        raise Mistake(
            "There are {count} words, and a sheet has {count_2}; copy all of it.",
            _USAGE,
            count=len(typed),
            count_2=COUNT,
        )
    try:
        return bytes(_book().to_entropy(typed))
    except ValueError:
        raise Mistake(
            "These words do not belong together; compare each with the sheet, and their order.",
            _USAGE,
        ) from None


def read_root_seed(path: Path) -> bytes:
    """Reads recovery words from a file, and returns their root seed. If the path is `-`, the person
    types the words.

    Raises Mistake if the words cannot be read or are wrong.
    """
    if str(path) == "-":
        return to_seed(_ask())
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Mistake(
            "{path}: {reason}; name the file with the recovery words.",
            _USAGE,
            path=path,
            reason=reason,
        ) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Mistake(
            "{path} is not UTF-8; write the words as plain text.", _USAGE, path=path
        ) from None
    return to_seed(text[:_MAX_BYTES])


def person_of(root_seed: bytes) -> bytes:
    """Returns the public root key that belongs to a root seed. This key is the id of the person."""
    public: bytes = nacl.bindings.crypto_sign_seed_keypair(root_seed)[0]
    return public


def word_list() -> list[str]:
    """Returns the 2,048 words from which recovery words are chosen."""
    return list(_book().wordlist)


def _ask() -> str:
    """Asks the person for the words at the terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise Mistake(
            "There is no terminal to type the words at; write them to a file of your own and name "
            "it with --words.",
            _USAGE,
        )
    sys.stderr.write(
        f"Type the {COUNT} recovery words, as many a line as you like. They are not shown.\n"
    )
    words: list[str] = []
    try:
        while len(words) < COUNT:
            words += re.findall(_WORD, getpass.getpass(f"{len(words)} of {COUNT} > "))
    except EOFError:
        raise Mistake("No words were given; run the command again.", _USAGE) from None
    return " ".join(words)


def _refusal_of_word(number: int, word: str) -> Mistake:
    similar = difflib.get_close_matches(word, _book().wordlist, 1)
    if not similar:
        return Mistake(
            "Word {number}, {word!r}, is no recovery word; compare it with the sheet.",
            _USAGE,
            number=number,
            word=word,
        )
    return Mistake(
        "Word {number}, {word!r}, is no recovery word; perhaps {similar!r} is meant.",
        _USAGE,
        number=number,
        word=word,
        similar=similar[0],
    )


@cache
def _book() -> Mnemonic:
    return Mnemonic("english")
