"""Reduces words to their stems. A stem is a word without its ending. The words must be folded
before, that is, brought to one spelling.
"""

from functools import cache, lru_cache
from typing import Any

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
_CACHED_WORDS = 50_000


@lru_cache(maxsize=_CACHED_WORDS)
def stem(language: str, plain: str) -> str:
    """Removes the ending of a word. The word must be brought to one spelling by `protocol.spelling`
    before. If the language has no stemmer, returns the word unchanged.
    """
    stemmer = _stemmer(language)
    return str(stemmer.stemWord(plain)) if stemmer else plain


@cache
def _stemmer(language: str) -> Any:
    """Returns the stemmer of a language, or None if this language has no stemmer."""
    import Stemmer  # late, because only a node that matches people needs it

    algorithm = _ALGORITHMS.get(language)
    return Stemmer.Stemmer(algorithm) if algorithm else None
