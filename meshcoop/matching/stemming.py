"""Reduces words to one form: without upper case, accents and endings."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any, NamedTuple

_ALGORITHMS = {
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "de": "german",
    "it": "italian",
    "pt": "portuguese",
    "pl": "polish",
    "tr": "turkish",
    "ar": "arabic",
}
_MARKS = "\u0300-\u036f\u064b-\u065f\u0670"  # accents that follow their letter, Arabic vowel signs
_WORD = re.compile(rf"[\w{_MARKS}]+")
# Letters that Unicode does not split into a plain letter and an accent.
_LETTERS = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})
_MAX_WORD_CHARS = 40  # a longer run of letters is no word, and would fill the caches
_CACHED_WORDS = 50_000


class Word(NamedTuple):
    """A word as the person wrote it (`written`), and the same word in lower case and without
    accents (`plain`).
    """

    written: str
    plain: str


def split_words(text: str) -> list[Word]:
    """Splits a text into its words, in order. Leaves out runs of letters that are too long to be
    words.
    """
    words = (word for word in _WORD.findall(text) if len(word) <= _MAX_WORD_CHARS)
    return [Word(word, fold_word(word)) for word in words]


@lru_cache(maxsize=_CACHED_WORDS)
def fold_word(word: str) -> str:
    """Writes a word in lower case and without accents, because people often leave accents out."""
    letters_and_accents = unicodedata.normalize("NFKD", word.casefold())
    letters = (char for char in letters_and_accents if not unicodedata.combining(char))
    return "".join(letters).translate(_LETTERS)


@lru_cache(maxsize=_CACHED_WORDS)
def stem(language: str, plain: str) -> str:
    """Removes the ending of a word that `fold_word` has folded. If the language has no stemmer,
    returns the word unchanged.
    """
    stemmer = _stemmer(language)
    return str(stemmer.stemWord(plain)) if stemmer else plain


@cache
def _stemmer(language: str) -> Any:
    """Returns the stemmer of a language, or None if there is none."""
    # The import takes a third of a second. Only a node that matches people should spend this time.
    import snowballstemmer

    algorithm = _ALGORITHMS.get(language)
    return snowballstemmer.stemmer(algorithm) if algorithm else None
