"""The questions of the first pages, and what is wrong with an answer while somebody types it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mnemonic import Mnemonic

from protocol.errors import Refused, fill_in
from protocol.schema.fields import Field, Name, PersonName
from protocol.wire import invitation
from tui.i18n import _

RELAY_NAME = "relay-name"  # the name of an answer
PAPER_WORDS = "paper-words"  # the name of an answer
WORD_COUNT = 24
SHORTEST_PASSPHRASE = 10  # characters (R-01.29a)
_OFFERED_WORDS = 6
_MOST_RELAY_NAME = 80  # characters
_RATED = 72  # characters; zxcvbn takes no more
_GUESSES_A_SECOND = 10_000  # of somebody with many machines, against a lock that is slow on purpose
_YEAR_SECONDS = 365 * 86_400

# As a profile and a charter have them.
_PERSON = PersonName(required=True)
_PLACE = Name(required=True)

_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Question:
    """A question with one line for the answer. `find_fault` returns a sentence that says what is
    wrong with an answer. If nothing is wrong, it returns None.
    """

    name: str
    label: str
    help: str
    find_fault: Callable[[str], str | None]
    is_long: bool = False  # the answer may have several lines
    is_secret: bool = False  # the answer is not shown


def ask_invitation() -> Question:
    """Asks for the code that a neighbour has sent."""
    return Question(
        "invitation",
        _("Invitation"),
        _("The letters that your neighbour sent. Spaces and small letters do not matter."),
        _find_fault_of_invitation,
    )


def ask_person() -> Question:
    """Asks for the reader's own name."""
    return Question(
        "person",
        _("Your name"),
        _("As your neighbours know you."),
        lambda typed: _find_fault_of_field(_PERSON, typed),
    )


def ask_place() -> Question:
    """Asks for the name of a new neighbourhood."""
    return Question(
        "place",
        _("Street or block"),
        _("The name of the neighbourhood, such as Elm Street."),
        lambda typed: _find_fault_of_field(_PLACE, typed),
    )


def ask_relay() -> Question:
    """Asks for the name of a new relay."""
    return Question(
        RELAY_NAME,
        _("Name"),
        _("Where it stands, such as the surgery."),
        lambda typed: (
            None
            if 1 <= len(typed.strip()) <= _MOST_RELAY_NAME
            else _("Please type a name of at most 80 letters.")
        ),
    )


def ask_words() -> Question:
    """Asks for the recovery words on somebody's paper."""
    return Question(
        PAPER_WORDS,
        _("Your 24 words"),
        _("From your paper, in their order. Numbers and line breaks do not matter."),
        find_fault_of_words,
        is_long=True,
        is_secret=True,
    )


def ask_backup() -> Question:
    """Asks for the path of a backup."""
    return Question(
        "file",
        _("Backup file"),
        _("Where the file is, such as /media/stick/ada.backup."),
        lambda typed: (
            None if Path(typed.strip()).expanduser().is_file() else _("There is no such file.")
        ),
    )


def find_fault_of_words(typed: str) -> str | None:
    """Returns what is wrong with recovery words, or None."""
    words = read_words(typed)
    for number, word in enumerate(words, 1):
        if word not in word_list():
            return describe_wrong_word(number, word)
    if len(words) != WORD_COUNT:
        return _("{count} of {all} words so far.").format(count=len(words), all=WORD_COUNT)
    if not _word_book().check(" ".join(words)):
        return _("These words do not belong together. Compare each with your paper, and the order.")
    return None


def describe_wrong_word(number: int, word: str) -> str:
    """Says that a word is not one of the 2,048 words, and which similar word is."""
    import difflib

    similar = difflib.get_close_matches(word, word_list(), 1)
    if similar:
        return _("Word {n}: not on the list; did you mean {word}?").format(
            n=number, word=similar[0]
        )
    return _("Word {n}: not on the list. Compare it with your paper.").format(n=number)


def read_words(typed: str) -> list[str]:
    """Returns the words in a text, without numbers and signs, in small letters."""
    return _LETTERS.findall(typed.lower())


def word_list() -> list[str]:
    """Returns the 2,048 words from which recovery words and passphrases are made."""
    return list(_word_book().wordlist)


def draw_passphrase(choose: Callable[[list[str]], str]) -> str:
    """Returns six words as a passphrase that nobody guesses. `choose` draws one of a list."""
    words = word_list()
    return " ".join(choose(words) for _number in range(_OFFERED_WORDS))


def find_fault_of_passphrase(typed: str) -> str | None:
    """Returns what is wrong with a new passphrase, or None."""
    if len(typed.strip()) < SHORTEST_PASSPHRASE:
        return _("At least {n} letters; six words are easy to keep.").format(n=SHORTEST_PASSPHRASE)
    return None


def rate_passphrase(typed: str) -> str:
    """Says how long somebody who has taken the machine would guess."""
    from zxcvbn import zxcvbn  # late: its lists of words take a moment to load

    guesses = float(zxcvbn(f"{typed:.{_RATED}}")["guesses"])
    years = guesses / _GUESSES_A_SECOND / _YEAR_SECONDS
    if years >= 100:  # noqa: PLR2004  # a century
        return _("Strong: a stranger who guesses would need centuries.")
    if years >= 1:
        return _("Good: a stranger who guesses would need years.")
    if guesses >= 86_400 * _GUESSES_A_SECOND:
        return _("Weak: a stranger who guesses would need days. Longer is better.")
    return _("Very weak: a stranger would guess it within a day. Press F4 for a better one.")


def _find_fault_of_invitation(typed: str) -> str | None:
    try:
        invitation.decode(typed)
    except Refused as refusal:
        sentence = fill_in(_(refusal.text), refusal.arguments)
        return sentence[:1].upper() + sentence[1:] + "."
    return None


def _find_fault_of_field(rule: Field, typed: str) -> str | None:
    if not typed.strip():
        return _("Please fill this in.")
    try:
        rule.check("name", rule.read("name", typed, _name_nothing))
    except Refused as refusal:
        return fill_in(_(refusal.text), {**refusal.arguments, "name": _("This")}) + "."
    return None


def _name_nothing(what: str, typed: str) -> bytes:
    raise AssertionError(f"a name names no {what}: {typed!r}")


@cache
def _word_book() -> Mnemonic:
    return Mnemonic("english")
