"""Spelling: folds words to one form. So people can find and name what others wrote, even if they
type it in another way.

Search, matching and the comparison of people's names all use this folding. No record depends on it,
because the tables of Unicode differ between versions of Python.
"""

import re
import unicodedata
from functools import cache, lru_cache
from itertools import groupby
from typing import NamedTuple

from protocol.look_alikes import find_skeleton

_CACHED_WORDS = 50_000
_CACHED_CHARACTERS = 20_000
_MAX_WORD_CHARS = 40  # a longer run of letters is no word, and would fill the caches

# Letters that Unicode does not split into a plain letter and an accent, as people type them.
_LETTERS = dict(zip("łıøđðħŧŋəɓɗƙɛɔґکی", "lioddhtnebdkeoгكي", strict=True)) | {
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ـ": "",  # the line that joins Arabic letters
}
# Letters that people also write out, such as "Joerg" for "Jörg".
_WRITTEN_OUT = str.maketrans(
    dict(zip("äöüåøÄÖÜÅØ", ("ae", "oe", "ue", "aa", "oe") * 2, strict=True))
)
# Programs show what tells people apart in brackets at the end of a name (R-12.7c).
_ENDING_IN_BRACKETS = re.compile(r"\s*[(\[{].*[)\]}]\s*$")

# Combining classes of the marks that people leave out: strokes through a letter, the points of
# Hebrew, Arabic and Syriac, and accents above and below. A mark of another class makes another
# letter, as in Indian scripts and in Japanese.
_LEFT_OUT = {1, *range(10, 37)}
_FIRST_ACCENT = 200

_SYMBOLS = {"Sm", "Sc", "Sk", "So", "Cn", "Co"}  # categories; "Cn" has the emoji of next year

# Signs that only choose how the sign before them is drawn, such as the colour of a hand.
_VARIANTS = re.compile(
    "[\u034f\u180b-\u180f\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]"
)

# Scripts that write no spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese and
# Chinese. Korean is here too, because its compounds are one word.
_SPACELESS = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)


class Word(NamedTuple):
    """A word as the person wrote it (`written`), and the same word folded (`plain`)."""

    written: str
    plain: str


def fold_text(text: str) -> str:
    """Writes a text in lower case and with plain digits, without accents and unseen signs."""
    if text.isascii():
        return text.lower()
    # Taking signs apart can lay bare a capital letter, and lower case can bring an accent again.
    lower = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", lower).translate(_PLAIN))


@lru_cache(maxsize=_CACHED_WORDS)
def fold_word(word: str) -> str:
    """Folds one word. See `fold_text`."""
    return fold_text(word)


def split_words(text: str) -> list[Word]:
    """Splits a text into its words, in order. Leaves out runs of letters that are too long to be
    words.
    """
    words = (word for word in load_patterns().word.findall(text) if len(word) <= _MAX_WORD_CHARS)
    return [Word(word, fold_word(word)) for word in words]


def search_terms(text: str) -> list[str]:
    """Returns the terms by which a text is found, in order, each without spaces (R-06.13).

    A term is a folded word, a symbol such as an emoji, or two neighbouring signs of a script that
    writes no spaces. The signs "+" and "#" after a word belong to it, so "C++" is not "C". Some
    letters can also be written out, such as "ä" as "ae". A word with such a letter comes again at
    the end, with the letter written out.
    """
    terms = _terms(_runs(text))
    written_out = set(_terms(_written_out_runs(text)))
    return terms + sorted(written_out.difference(terms))


def query_terms(typed: str) -> list[tuple[str, ...]]:
    """Returns the terms to look for, in groups. Each typed word gives one group of terms. A
    repeated group is left out.

    A text matches if it has the terms of every group. The terms of a group must follow each other
    in the text. The last term of a group can be the beginning of a longer term in the text.
    """
    groups = dict.fromkeys(_query_of_word(word) for word in typed.split())
    return [terms for terms in groups if terms]


def are_alike(name: str, other: str) -> bool:
    """Returns whether people may confuse two names (R-12.7b)."""
    return not name_keys(name).isdisjoint(name_keys(other))


@lru_cache(maxsize=_CACHED_WORDS)
def name_keys(name: str) -> frozenset[str]:
    """Returns the keys of a name. Two names are alike if they have a key in common (R-12.7b).

    Some differences do not matter: upper case, accents, spaces, punctuation, words in brackets at
    the end, and signs that look the same. Signs may look the same in small letters, in capitals, or
    as they are written. So a name has a key for each of these three forms.
    """
    composed = unicodedata.normalize("NFC", name)
    keys = set()
    for spelling in {composed, composed.translate(_WRITTEN_OUT)}:
        folded = fold_text(spelling)
        written = "".join(map(_fold_keeping_case, find_skeleton(spelling)))
        for case, text in (("small", folded), ("capital", folded.upper()), ("written", written)):
            skeleton = find_skeleton(text)
            key = _join_runs(_ENDING_IN_BRACKETS.sub("", skeleton)) or _join_runs(skeleton)
            keys.add(f"{case} {key or skeleton}")
    return frozenset(keys)


# -- runs and terms -------------------------------------------------------------------------------


class Patterns(NamedTuple):
    """`word` finds words in a text. `run` finds three things in a folded text: words, symbols, and
    runs without spaces. `spaceless` matches at the start of a run without spaces.
    """

    word: re.Pattern[str]
    run: re.Pattern[str]
    spaceless: re.Pattern[str]


@cache
def load_patterns() -> Patterns:
    """Makes the patterns that find words and signs in a text. The first call takes 25 ms. So a node
    makes this call before its event loop begins.
    """
    marks = _list_marks()
    letters = rf"[^\W_{_SPACELESS}]+(?:[{marks}]+[^\W_{_SPACELESS}]*)*[+#]*"
    flag = "[\U0001f1e6-\U0001f1ff]{2}"
    return Patterns(
        word=re.compile(rf"[\w{marks}]+"),
        run=re.compile(rf"[{_SPACELESS}]+|{letters}|{flag}|[^\w\s]"),
        spaceless=re.compile(f"[{_SPACELESS}]"),
    )


def _list_marks() -> str:
    """Returns all combining marks as ranges for a pattern. The regular expressions of Python do not
    count them as parts of a word.
    """
    codes = (code for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M")
    # In a row of neighbours, the code grows as fast as the place in the list.
    rows = groupby(enumerate(codes), key=lambda placed: placed[1] - placed[0])
    ranges = [[code for _, code in row] for _, row in rows]
    return "".join(f"{chr(row[0])}-{chr(row[-1])}" for row in ranges)


def _runs(text: str) -> list[str]:
    """Splits a text into folded words, symbols, punctuation and runs of signs without spaces."""
    return load_patterns().run.findall(fold_text(text))


def _fold_keeping_case(sign: str) -> str:
    folded = fold_text(sign)
    return folded.upper() if sign.isupper() else folded


def _join_runs(text: str) -> str:
    """Returns a text without its spaces and punctuation."""
    return "".join(run for run in load_patterns().run.findall(text) if _terms_of_run(run))


def _written_out_runs(text: str) -> list[str]:
    """Writes letters such as "ä" out as "ae", and then splits the text as `_runs` does. Returns
    nothing if the text has none of these letters.
    """
    if text.isascii():
        return []
    composed = unicodedata.normalize("NFC", text)
    written_out = composed.translate(_WRITTEN_OUT)
    return [] if written_out == composed else _runs(written_out)


@lru_cache(maxsize=_CACHED_WORDS)
def _terms_of_run(run: str) -> tuple[str, ...]:
    """Returns the terms of a run. A punctuation mark has no terms. In a run without spaces, each
    pair of neighbouring signs is a term, and so is the last sign. So each sign of the run begins a
    term.
    """
    if load_patterns().spaceless.match(run):
        return tuple(run[place : place + 2] for place in range(len(run)))
    is_mark = len(run) == 1 and not run.isalnum()
    return () if is_mark and unicodedata.category(run) not in _SYMBOLS else (run,)


def _terms(runs: list[str]) -> list[str]:
    return [term for run in runs for term in _terms_of_run(run)]


def _query_of_word(word: str) -> tuple[str, ...]:
    runs = [run for run in _runs(word) if _terms_of_run(run)]
    terms = _terms(runs)
    # The last sign of a run without spaces may be followed by another one in the text.
    if runs and len(_terms_of_run(runs[-1])) > 1:
        terms.pop()
    return tuple(terms)


# -- characters -----------------------------------------------------------------------------------


class _PlainSigns(dict[int, str]):
    """A table for `str.translate`. It works out the plain form of a sign when the sign first comes
    up.
    """

    def __missing__(self, code: int) -> str:
        if len(self) >= _CACHED_CHARACTERS:  # strangers choose which signs come up
            self.clear()
        self[code] = plain = _plain_sign(chr(code))
        return plain


def _plain_sign(sign: str) -> str:
    """Returns the plain form of one sign: a plain letter, a plain digit, the sign itself, or
    nothing.
    """
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return str(digit)
    mark_class = unicodedata.combining(sign)
    is_accent = mark_class in _LEFT_OUT or mark_class >= _FIRST_ACCENT
    is_unseen = unicodedata.category(sign) in {"Cf", "Me"} or _VARIANTS.match(sign)
    return "" if is_accent or is_unseen else _LETTERS.get(sign, sign)


_PLAIN = _PlainSigns()
