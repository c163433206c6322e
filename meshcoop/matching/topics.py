"""Finds what a text is about: concepts, rarer words, and the days that the text names. A concept is
a meaning, such as "gardening".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from meshcoop.matching.stemming import stem
from meshcoop.matching.vocabulary import (
    LONGEST,
    SPEAKS,
    THING,
    Lexicon,
    Meaning,
    Vocabulary,
    thing_concepts,
)
from protocol.spelling import Word, split_words

NO_FIT = "nothing"  # marks a phrase that means none of the things its words mean

_MAX_SKIPPED = 2  # the most small words that a phrase may contain
_MAX_WORDS = 120  # the number of words read from the start of a text
_MIN_LETTERS = 4  # a shorter word says little by itself

Places = tuple[int, ...]  # places of words in a text, counted from 0


@dataclass
class Topics:
    """What a text is about.

    A topic is a concept, or a single word marked with its language. `written` maps each topic to
    the words that the person wrote. `days` are weekdays, with 0 for Monday.
    """

    written: dict[str, str] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)

    def add(self, other: "Topics") -> None:
        """Adds the topics of the text `other`. If `other` has a topic that is here already, keeps
        the words that are here for this topic.
        """
        self.written = {**other.written, **self.written}
        self.days |= other.days

    @property
    def has_concepts(self) -> bool:
        """Whether the text has a word or a phrase with a known meaning."""
        return any(not is_word(key) for key in self.written)


def is_word(key: str) -> bool:
    """Returns whether a topic is a word that a person wrote. If not, the topic is a concept."""
    return key.startswith("=")


def read_topics(
    text: str, vocabulary: Vocabulary, *, lang: str | None = None, hint: Sequence[str] = ()
) -> Topics:
    """Finds the topics of a text.

    `lang` is the language that the author has declared, or None. `hint` are the languages that the
    author speaks.
    """
    words = split_words(text)[:_MAX_WORDS]
    if not words:
        return Topics()
    languages = _guess_languages(words, vocabulary, lang, hint)
    scans = [_Scan(vocabulary.lexicons[language], words) for language in languages]
    topics = Topics()
    for scan in scans:
        topics.add(scan.read_concepts())
    # Words come last: a word with a known meaning in any of the languages is no topic by itself.
    with_meaning = {place for scan in scans for place in scan.used}
    for scan in scans:
        topics.written |= scan.read_words(with_meaning)
    return topics


def _guess_languages(
    words: list[Word], vocabulary: Vocabulary, lang: str | None, hint: Sequence[str]
) -> list[str]:
    """Returns the language that the author has declared. If there is no declared language, guesses
    from the words.

    The guess is the language that knows most of the words. There may be several such languages. If
    the author speaks some of them, returns only those that the author speaks.
    """
    lexicons = vocabulary.lexicons
    declared = vocabulary.find_language(lang) if lang else None
    if declared in lexicons:
        return [declared]
    counts = {
        language: sum(_is_marker(word, lexicon) for word in words)
        for language, lexicon in lexicons.items()
    }
    most = max(counts.values())
    likely = [language for language, count in counts.items() if count == most]
    return [language for language in likely if language in hint] or likely


def _is_marker(word: Word, lexicon: Lexicon) -> bool:
    """Returns whether a word shows that the text is in the language of a lexicon."""
    if word.plain in lexicon.small:
        return True
    return stem(lexicon.language, word.plain) in lexicon.marker_stems


class _Scan:
    """Reads one text in one language."""

    def __init__(self, lexicon: Lexicon, words: list[Word]) -> None:
        self._lexicon = lexicon
        self._words = words
        self._stems = [stem(lexicon.language, word.plain) for word in words]
        # Content words are all but the small words. Telling words also leave out weak words such as
        # "help" or "need".
        self._content = [
            place for place, word in enumerate(words) if word.plain not in lexicon.small
        ]
        self._telling = [place for place in self._content if self._stems[place] not in lexicon.weak]
        self._content_index = {place: index for index, place in enumerate(self._content)}
        self._topics = Topics()
        self._language_names: dict[str, Places] = {}  # concept of a language → where it is named
        self.used: set[int] = set()  # places of words whose meaning is known

    def read_concepts(self) -> Topics:
        """Returns the concepts and the days that the text names."""
        # The longest phrases come first: a word within a phrase does not mean anything by itself.
        for length in range(LONGEST, 0, -1):
            for start, stemmed in enumerate(self._stems):
                if (stemmed, length) in self._lexicon.beginnings:
                    self._read_phrases(start, length)
        self._add_language_names()
        if self._is_about_goods():
            self._topics.written = {
                _thing_of(key): words for key, words in self._topics.written.items()
            }
        days = self._lexicon.days
        self._topics.days = {days[stemmed] for stemmed in self._stems if stemmed in days}
        return self._topics

    def read_words(self, with_meaning: set[int]) -> dict[str, str]:
        """Returns the words that say what the text is about, by topic. Leaves out the words at the
        places `with_meaning`, because their meaning has already been found.
        """
        written = {}
        for place in set(self._telling) - with_meaning:
            word = self._words[place]
            stemmed = self._stems[place]
            is_long_enough = len(word.plain) >= _MIN_LETTERS and not word.plain.isdigit()
            if is_long_enough and stemmed not in self._lexicon.speaking:
                written[f"={self._lexicon.language} {stemmed}"] = word.written
        return written

    def _read_phrases(self, start: int, length: int) -> None:
        for places, meaning in self._phrases_at(start, length):
            if meaning is None or not self.used.isdisjoint(places):
                continue
            is_alone = set(self._telling) <= set(places)
            if is_alone or not meaning.alone:
                self._add_meaning(meaning, places)

    def _phrases_at(self, start: int, length: int) -> Iterator[tuple[Places, Meaning | None]]:
        """Yields two phrases of `length` words that begin at `start`, each with its meaning. The
        first phrase has the words as written. The second phrase leaves out small words, such as
        "the".
        """
        row = tuple(range(start, min(start + length, len(self._words))))
        if len(row) == length:
            yield row, self._lexicon.exact.get(self._stems_at(row))
        if start not in self._content_index:
            return
        index = self._content_index[start]
        content = tuple(self._content[index : index + length])
        if len(content) == length and content[-1] - start < length + _MAX_SKIPPED:
            yield content, self._lexicon.phrases.get(self._stems_at(content))

    def _stems_at(self, places: Places) -> tuple[str, ...]:
        return tuple(self._stems[place] for place in places)

    def _add_meaning(self, meaning: Meaning, places: Places) -> None:
        self.used |= set(range(places[0], places[-1] + 1))
        for concept in meaning.concepts:
            if concept.startswith(SPEAKS):
                self._language_names[concept] = places
            elif concept != NO_FIT:
                self._topics.written.setdefault(concept, self._written_at(places))

    def _add_language_names(self) -> None:
        """Adds the languages that the text names, if the text is about speaking languages.

        "French" means the language in two cases: the text also has a word about speaking, or the
        text says nothing else. In "French toast", "French" does not mean the language.
        """
        if not self._language_names:
            return
        names = {place for places in self._language_names.values() for place in places}
        is_speaking = any(stemmed in self._lexicon.speaking for stemmed in self._stems)
        if not is_speaking and not set(self._telling) <= names:
            return
        for concept, places in self._language_names.items():
            self._topics.written[concept] = self._written_at(places)
        # If languages are named, interpreting means interpreting between these languages only.
        self._topics.written.pop("interpreting", None)

    def _is_about_goods(self) -> bool:
        """Returns whether the text is about giving or lending a thing, and not about a person's
        time.
        """
        stems = set(self._stems)
        return any(
            stems.issuperset(phrase) and self._has_phrase(phrase) for phrase in self._lexicon.goods
        )

    def _has_phrase(self, phrase: tuple[str, ...]) -> bool:
        starts = range(len(self._stems))
        return any(tuple(self._stems[start : start + len(phrase)]) == phrase for start in starts)

    def _written_at(self, places: Places) -> str:
        words = self._words[places[0] : places[-1] + 1]
        return " ".join(word.written for word in words)


def _thing_of(key: str) -> str:
    """Turns the concept of an activity into the concept of a thing for this activity. For example,
    turns gardening into garden tools. If the concept is a thing already, returns it unchanged.
    """
    if key in thing_concepts() or key.startswith(SPEAKS):
        return key
    return THING + key
