"""Shows a person's recovery words, so that the person can copy the words by hand. Then asks for two
of the words.
"""

import getpass
import random
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import Context
from meshcoop.errors import Mistake
from meshcoop.home import recovery_words
from meshcoop.home.key_file import UnlockedKeys

WordsOption = Annotated[
    Path | None,
    Parameter(
        help="the file that holds the 24 recovery words; - to type them",
        allow_leading_hyphen=True,
    ),
]

_USAGE = 2
_ROWS = 6
_ASKED = 2  # words that people type from their sheet
_MOST_TYPED = 1024  # characters
_TYPED_WORD = re.compile(r"([0-9]{1,2})[^0-9a-z]+([a-z]+)")
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"  # clears the screen and what was scrolled away; cursor to the top


def has_terminal() -> bool:
    """Returns whether there is a terminal at which a person can read the words and answer."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def check_sheet(root_seed: bytes) -> None:
    """Shows the recovery words of the root key, and asks the person to type two of them. Raises
    Mistake if the person types a wrong word.
    """
    if not has_terminal():
        raise Mistake(
            "There is no terminal to show the recovery words on; run `meshcoop recovery` at one.",
            _USAGE,
        )
    words = recovery_words.to_words(root_seed)
    numbered = [f"{number:2} {word:<12}" for number, word in enumerate(words, 1)]
    rows = ["".join(numbered[row::_ROWS]).rstrip() for row in range(_ROWS)]
    _write("These words are the only way back if this home is lost.\n")
    _write("Write them on paper, with their numbers:\n\n" + "\n".join(rows) + "\n\n")
    _ask("Press Enter once they are on paper. ")
    _write(_CLEAR)
    for index in sorted(random.SystemRandom().sample(range(len(words)), _ASKED)):
        number = index + 1
        if _ask_unseen(f"Word {number} on your sheet: ").strip().lower() != words[index]:
            raise _wrong_word(number)


def check_typed(root_seed: bytes, typed: Path) -> None:
    """Checks two words that a person has typed from the sheet into a file. Raises Mistake if a word
    is wrong, or if there are fewer than two.
    """
    words = recovery_words.to_words(root_seed)
    numbers = set()
    for number, word in _TYPED_WORD.findall(_read_typed(typed).lower()):
        if not 1 <= int(number) <= len(words) or words[int(number) - 1] != word:
            raise _wrong_word(int(number))
        numbers.add(int(number))
    if len(numbers) < _ASKED:
        raise Mistake(
            "Write two words of the sheet with their numbers, such as `3 market`, one a line.",
            _USAGE,
        )


def forget_root_key(unlocked: UnlockedKeys) -> UnlockedKeys:
    """Erases the root key from the home. From now on only the paper holds the root key."""
    return unlocked.save(replace(unlocked.reread().keys, recovery_seed=None))


def answer_with_words(
    context: Context, unlocked: UnlockedKeys, result: dict[str, Any], sentence: str
) -> None:
    """Prints the answer of a command that has made a person's keys. If a person at a terminal can
    read the answer, also shows the recovery words. Then asks the person for two of the words.

    A JSON answer holds the words, as long as the home still has the root key. When somebody has
    typed two of the words at a terminal, the home erases the root key.
    """
    seed = unlocked.keys.recovery_seed
    if seed is None:
        context.answer({**result, "recovery": None}, lambda: sentence, is_done=True)
        return
    words = " ".join(recovery_words.to_words(seed))
    can_check_now = not context.json and has_terminal()
    if not can_check_now:
        sentence += "\n\nYour recovery words are not on paper yet: `meshcoop recovery` shows them."
    context.answer({**result, "recovery": words}, lambda: sentence, is_done=True)
    if can_check_now:
        check_sheet(seed)
        forget_root_key(unlocked)


def _read_typed(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(_MOST_TYPED)
    except OSError as error:
        raise Mistake("{path}: {reason}.", _USAGE, path=path, reason=error.strerror) from None


def _wrong_word(number: int) -> Mistake:
    return Mistake(
        "That is not word {number}; correct your sheet with `meshcoop recovery`.", 1, number=number
    )


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _ask_unseen(prompt: str) -> str:
    """Asks for a word without showing on the terminal what the person types (R-01.29c)."""
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise Mistake(
            "Nobody answered; `meshcoop recovery` shows the words again.", _USAGE
        ) from None


def _ask(prompt: str) -> str:
    _write(prompt)
    line = sys.stdin.readline()
    if not line:
        raise Mistake("Nobody answered; `meshcoop recovery` shows the words again.", _USAGE)
    return line
