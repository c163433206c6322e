"""The recovery sheet: shows a person's words once, and asks for two of them."""

import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import Context
from meshcoop.errors import Mistake
from meshcoop.home import recovery_words as recovery
from meshcoop.home.key_file import Unlocked

Words = Annotated[
    Path | None,
    Parameter(help="the file that holds the 24 recovery words; - to type them"),
]

_USAGE = 2
_ROWS = 6
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"  # the screen, what was scrolled away, and the cursor goes home


def terminal() -> bool:
    """Whether somebody sits here who can read the words and answer."""
    return all(one is not None and one.isatty() for one in (sys.stdin, sys.stderr))


def check_on_paper(root_seed: bytes) -> None:
    """Shows the words and returns once two of them were typed from the sheet. Raises Mistake."""
    if not terminal():
        raise Mistake(
            "There is no terminal to show the recovery words at; run `meshcoop recovery` at one.",
            _USAGE,
        )
    words = recovery.to_words(root_seed)
    numbered = [f"{at:2} {word:<12}" for at, word in enumerate(words, 1)]
    rows = ["".join(numbered[row::_ROWS]).rstrip() for row in range(_ROWS)]
    _say("These words are the only way back to being you if this home is lost.\n")
    _say("Write them on paper, with their numbers:\n\n" + "\n".join(rows) + "\n\n")
    _ask("Press Enter once they are on paper. ")
    _say(_CLEAR)
    for at in sorted(random.SystemRandom().sample(range(len(words)), 2)):
        if _ask(f"Word {at + 1} on your sheet: ").strip().lower() != words[at]:
            raise Mistake(
                f"That is not word {at + 1}; correct your sheet with `meshcoop recovery`.", 1
            )


def forget(unlocked: Unlocked) -> Unlocked:
    """The root key leaves the home: from now on it is on paper alone."""
    return unlocked.save(replace(unlocked.again().keys, recovery=None))


def tell(context: Context, unlocked: Unlocked, result: dict[str, Any], said: str) -> None:
    """Answers for a command that has made a person: JSON holds the words, as long as nobody has
    shown at a terminal that they are on paper.
    """
    seed = unlocked.keys.recovery
    words = " ".join(recovery.to_words(seed)) if seed else None
    later = "\n\nYour recovery words are not on paper yet: `meshcoop recovery` shows them."
    at_hand = seed is not None and not context.json and terminal()
    context.answer(
        {**result, "recovery": words}, lambda: said + (later if seed and not at_hand else "")
    )
    if seed is not None and at_hand:
        check_on_paper(seed)
        forget(unlocked)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _ask(prompt: str) -> str:
    _say(prompt)
    line = sys.stdin.readline()
    if not line:
        raise Mistake("Nobody answered; `meshcoop recovery` shows the words again.", _USAGE)
    return line
