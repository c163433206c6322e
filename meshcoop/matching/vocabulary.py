"""The meanings of words in several languages, and the neighbourhood's own synonyms. Meanings are
concepts, such as "gardening".
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple, TypedDict, cast

from meshcoop.matching.stemming import stem
from protocol.spelling import split_words

SPEAKS = "speaks:"  # the concept of a language begins with this
THING = "thing:"  # the concept of a thing that changes hands begins with this
LONGEST = 4  # the most words in a phrase that is looked up

Phrase = tuple[str, ...]  # stems

WordsByLanguage = Mapping[str, str]  # tag of a language → words, with commas between them


class _Tables(TypedDict):
    """The tables in the file vocabulary.toml."""

    stop: WordsByLanguage
    weak: WordsByLanguage
    speaking: WordsByLanguage
    days: WordsByLanguage
    goods: WordsByLanguage
    concepts: Mapping[str, WordsByLanguage]
    languages: Mapping[str, WordsByLanguage]
    things: Mapping[str, str]


class Meaning(NamedTuple):
    """The meaning of a phrase: one or more concepts. If `alone` is True, the phrase has this
    meaning only in a text that says nothing else.
    """

    concepts: frozenset[str]
    alone: bool = False


class Lexicon(NamedTuple):
    """The words of one language, as stems, that is, without their endings. `exact` holds the
    phrases that contain small words, such as "the".
    """

    language: str
    small: frozenset[str]  # words such as "the"; folded, not stemmed
    weak: frozenset[str]  # words of asking and offering, and the days
    speaking: frozenset[str]  # beside such words, "French" means the language
    days: Mapping[str, int]  # 0 for Monday
    goods: frozenset[Phrase]  # a text with one of these is about things
    phrases: dict[Phrase, Meaning]
    exact: dict[Phrase, Meaning]
    beginnings: set[tuple[str, int]]  # the first stem of each phrase, and its number of stems
    marker_stems: set[str]  # single words that are a sign of this language

    def stems_of(self, text: str) -> Phrase:
        """Returns the stems of the words of a phrase."""
        return _stems(self.language, text)

    def learn(self, text: str, meaning: Meaning) -> None:
        """Adds a phrase with its meaning.

        If the phrase has small words, also adds the phrase without the small words. But if only one
        word would be left, does not add this shorter phrase.
        """
        whole = self.stems_of(text)
        content = tuple(
            stem(self.language, word.plain)
            for word in split_words(text)
            if word.plain not in self.small
        )
        if whole != content:
            _add_meaning(self.exact, whole, meaning)
        if whole == content or len(content) > 1:
            _add_meaning(self.phrases, content, meaning)
        self.beginnings.update((phrase[0], len(phrase)) for phrase in (whole, content) if phrase)
        if len(whole) == 1:
            self.marker_stems.update(whole)

    def concepts_of(self, text: str) -> frozenset[str]:
        """Returns the concepts that a whole phrase means. The result is empty if the lexicon does
        not have the phrase.
        """
        phrase = self.stems_of(text)
        meaning = self.exact.get(phrase) or self.phrases.get(phrase)
        return meaning.concepts if meaning else frozenset()


class Vocabulary:
    """The lexicons of all languages, together with the neighbourhood's own synonyms."""

    def __init__(self, synonyms: Iterable[Iterable[str]] = ()) -> None:
        # Copies: another neighbourhood must not know what this one teaches.
        self.lexicons = {language: _copy(lexicon) for language, lexicon in load_lexicons().items()}
        # All meanings are looked up before any is taught, so that the order does not matter.
        meanings = [(group, _meaning_of_group(group)) for group in _join_groups(synonyms)]
        for group, meaning in meanings:
            for lexicon in self.lexicons.values():
                for phrase in group:
                    lexicon.learn(phrase, meaning)

    def find_language(self, text: str) -> str | None:
        """Returns the primary tag of a language, such as "pt". `text` is a tag of the language, or
        its name in any language of the vocabulary.

        Returns None if no such language is found.
        """
        words = split_words(text)
        tag = words[0].plain if words else ""
        if len(words) <= 2 and tag in _language_names():  # noqa: PLR2004 -- such as pt-BR
            return tag
        for lexicon in self.lexicons.values():
            for concept in lexicon.concepts_of(text):
                if concept.startswith(SPEAKS):
                    return concept.removeprefix(SPEAKS)
        return None


def concept_name(concept: str) -> str:
    """Returns the name of a concept in English."""
    if concept.startswith(SPEAKS):
        tag = concept.removeprefix(SPEAKS)
        return _language_names().get(tag, tag)
    return concept.removeprefix(THING).replace("-", " ")


@cache
def thing_concepts() -> frozenset[str]:
    """Returns the concepts that mean things, not activities."""
    return frozenset(_split_list(_data()["things"]["names"]))


@cache
def load_lexicons() -> dict[str, Lexicon]:
    """Builds the lexicon of each language, without the neighbourhood's synonyms.

    The first call takes 70 ms. So a node calls this before its event loop begins.
    """
    return {language: _build_lexicon(language) for language in _data()["stop"]}


def _build_lexicon(language: str) -> Lexicon:
    data = _data()
    small = frozenset(word.plain for word in split_words(data["stop"][language]))
    days = {name: day for day, name in enumerate(_stems(language, data["days"][language]))}
    weak = frozenset([*_stems(language, data["weak"][language]), *days])
    goods = frozenset(_stems(language, phrase) for phrase in _split_list(data["goods"][language]))
    lexicon = Lexicon(
        language=language,
        small=small,
        weak=weak,
        speaking=frozenset(_stems(language, data["speaking"][language])),
        days=days,
        goods=goods,
        phrases={},
        exact={},
        beginnings=set(),
        marker_stems=set(),
    )
    languages = {SPEAKS + tag: names for tag, names in data["languages"].items()}
    for concept, phrases_by_language in {**data["concepts"], **languages}.items():
        for phrase in _split_list(phrases_by_language.get(language, "")):
            meaning = Meaning(frozenset((concept,)), alone=phrase.endswith("!"))
            lexicon.learn(phrase, meaning)
    lexicon.marker_stems.update(stem(language, word) for word in small)
    lexicon.marker_stems.update(weak | lexicon.speaking)
    return lexicon


@cache
def _data() -> _Tables:
    text = resources.files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return cast("_Tables", tomllib.loads(text))


@cache
def _language_names() -> dict[str, str]:
    """Returns the English name of each language, by its tag."""
    return {tag: _split_list(names["en"])[0] for tag, names in _data()["languages"].items()}


def _stems(language: str, text: str) -> Phrase:
    return tuple(stem(language, word.plain) for word in split_words(text))


def _split_list(text: str) -> list[str]:
    parts = (part.strip() for part in text.split(","))
    return [part for part in parts if part]


def _copy(lexicon: Lexicon) -> Lexicon:
    return lexicon._replace(
        phrases=dict(lexicon.phrases),
        exact=dict(lexicon.exact),
        beginnings=set(lexicon.beginnings),
        marker_stems=set(lexicon.marker_stems),
    )


def _add_meaning(table: dict[Phrase, Meaning], phrase: Phrase, meaning: Meaning) -> None:
    """Adds a meaning to a phrase that may have a meaning already.

    If only one of the two meanings counts in every text, keeps that meaning. If both count in the
    same way, joins their concepts.
    """
    present = table.get(phrase)
    if present is None or (present.alone and not meaning.alone):
        table[phrase] = meaning
    elif present.alone == meaning.alone:
        table[phrase] = Meaning(present.concepts | meaning.concepts, present.alone)


def _meaning_of_group(group: list[str]) -> Meaning:
    """Returns the meaning of a group of synonyms: every concept that any of the synonyms has. If no
    synonym has a concept, makes a new concept.
    """
    concepts: set[str] = set()
    for phrase in group:
        for lexicon in load_lexicons().values():
            concepts |= lexicon.concepts_of(phrase)
    return Meaning(frozenset(concepts or {f"“{group[0]}”"}))


def _join_groups(synonyms: Iterable[Iterable[str]]) -> list[list[str]]:
    """Joins groups of synonyms that have a phrase in common. The order of the groups makes no
    difference to the result.
    """
    groups: list[set[str]] = []
    for phrases in synonyms:
        joined = {_plain(phrase) for phrase in phrases} - {""}
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined] if joined else apart
    return [sorted(group) for group in groups]


def _plain(phrase: str) -> str:
    return " ".join(word.plain for word in split_words(phrase))
