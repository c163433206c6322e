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
_LETTERS = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})
_LONGEST = 40
_KNOWN_WORDS = 50_000


class Word(NamedTuple):
    """A word as it was written, and without case and accents."""

    written: str
    plain: str


def words(text: str) -> list[Word]:
    """The words of a text, in order; none that is longer than words are."""
    found = (one for one in _WORD.findall(text) if len(one) <= _LONGEST)
    return [Word(one, fold(one)) for one in found]


@lru_cache(maxsize=_KNOWN_WORDS)
def fold(word: str) -> str:
    """A word without case and accents: people leave these out as they please."""
    apart = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one)).translate(_LETTERS)


@lru_cache(maxsize=_KNOWN_WORDS)
def stem(language: str, plain: str) -> str:
    """A folded word without its ending; languages whose endings we do not know leave it as it is."""
    stemmer = _stemmer(language)
    return str(stemmer.stemWord(plain)) if stemmer else plain


@cache
def _stemmer(language: str) -> Any:
    """Made when first needed: importing the library takes a third of a second."""
    import snowballstemmer

    known = _ALGORITHMS.get(language)
    return snowballstemmer.stemmer(known) if known else None
