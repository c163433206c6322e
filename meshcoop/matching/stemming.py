"""Words brought into one shape: without case, accents and endings."""

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
_MARKS = "\u0300-\u036f\u064b-\u065f\u0670"  # accents apart from their letter, Arabic vowel signs
_WORD = re.compile(rf"[\w{_MARKS}]+")
# Letters that Unicode does not take apart into a plain letter and an accent.
_LETTERS = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})
_MAX_WORD_CHARS = 40  # longer runs of letters are no words, and would fill the caches
_CACHED_WORDS = 50_000


class Word(NamedTuple):
    """A word as it was written, and without case and accents."""

    written: str
    plain: str


def split_words(text: str) -> list[Word]:
    """The words of a text, in order, without those that are too long to be words."""
    words = (word for word in _WORD.findall(text) if len(word) <= _MAX_WORD_CHARS)
    return [Word(word, fold_word(word)) for word in words]


@lru_cache(maxsize=_CACHED_WORDS)
def fold_word(word: str) -> str:
    """A word without case and accents, since people often leave these out."""
    letters_and_accents = unicodedata.normalize("NFKD", word.casefold())
    letters = (char for char in letters_and_accents if not unicodedata.combining(char))
    return "".join(letters).translate(_LETTERS)


@lru_cache(maxsize=_CACHED_WORDS)
def stem(language: str, plain: str) -> str:
    """A folded word without its ending; unchanged in a language without a stemmer."""
    stemmer = _stemmer(language)
    return str(stemmer.stemWord(plain)) if stemmer else plain


@cache
def _stemmer(language: str) -> Any:
    """The stemmer of a language, or None."""
    # Importing the library takes a third of a second, which only a node that matches should pay.
    import snowballstemmer

    algorithm = _ALGORITHMS.get(language)
    return snowballstemmer.stemmer(algorithm) if algorithm else None
