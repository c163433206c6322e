"""What words mean: concepts, in several languages and in the neighbourhood's own words."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from meshcoop.matching.stemming import stem, words

Phrase = tuple[str, ...]

SPEAKS = "speaks:"  # begins the concept of a language
THING = "thing:"  # begins the concept of something that changes hands
LONGEST = 4  # words in a phrase that is looked up


class Meaning(NamedTuple):
    """What a phrase means. `alone`: only where nothing else is said."""

    concepts: frozenset[str]
    alone: bool = False


class Lexicon(NamedTuple):
    """The words of one language, as stems. `exact` phrases have small words in them."""

    language: str
    small: frozenset[str]  # folded
    weak: frozenset[str]
    speaking: frozenset[str]
    days: Mapping[str, int]
    goods: frozenset[Phrase]
    phrases: dict[Phrase, Meaning]
    exact: dict[Phrase, Meaning]
    known: set[str]  # single words by which the language is told

    def stems(self, text: str) -> Phrase:
        """The words of a phrase without their endings."""
        return tuple(stem(self.language, one.plain) for one in words(text))

    def has_small(self, text: str) -> bool:
        """Whether there are small words in it."""
        return any(one.plain in self.small for one in words(text))

    def learn(self, text: str, meaning: Meaning) -> None:
        """Adds a phrase; one with small words is known without them as well, if enough is left."""
        whole = self.stems(text)
        kept = tuple(
            stem(self.language, one.plain) for one in words(text) if one.plain not in self.small
        )
        if whole != kept:
            _add(self.exact, whole, meaning)
        if whole == kept or len(kept) > 1:
            _add(self.phrases, kept, meaning)
        if len(whole) == 1:
            self.known.update(whole)

    def meaning(self, text: str) -> frozenset[str]:
        """What a whole phrase means, if it is known."""
        whole = self.stems(text)
        found = self.exact.get(whole) or self.phrases.get(whole)
        return found.concepts if found else frozenset()


class Vocabulary:
    """The lexicons, with sets of words that mean the same in this neighbourhood."""

    def __init__(self, same: Iterable[Iterable[str]] = ()) -> None:
        self.lexicons = {name: _copy(one) for name, one in lexicons().items()}
        taught = [(group, self._means(group)) for group in _groups(same)]
        for group, meaning in taught:
            for lexicon in self.lexicons.values():
                for one in group:
                    lexicon.learn(one, meaning)

    def language(self, text: str) -> str | None:
        """The primary tag of a language by its tag or its name, in any language known here."""
        said = words(text)
        tag = said[0].plain if said else ""
        if len(said) <= 2 and tag in _languages():  # noqa: PLR2004 -- such as pt-BR
            return tag
        for lexicon in self.lexicons.values():
            for concept in lexicon.meaning(text):
                if concept.startswith(SPEAKS):
                    return concept.removeprefix(SPEAKS)
        return None

    def _means(self, group: list[str]) -> Meaning:
        """What any word of a set means, all of them mean; a new concept if none is known."""
        known = lexicons().values()
        means = {each for one in group for lexicon in known for each in lexicon.meaning(one)}
        return Meaning(frozenset(means or {f"“{group[0]}”"}))


def label(concept: str) -> str:
    """A concept in English."""
    if concept.startswith(SPEAKS):
        tag = concept.removeprefix(SPEAKS)
        return _languages().get(tag, tag)
    return concept.removeprefix(THING).replace("-", " ")


@cache
def things() -> frozenset[str]:
    """The concepts that are things."""
    return frozenset(_listed(_data()["things"]["names"]))


@cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _languages() -> dict[str, str]:
    """The English name of each language, by its tag."""
    return {tag: _listed(said["en"])[0] for tag, said in _data()["languages"].items()}


@cache
def lexicons() -> dict[str, Lexicon]:
    """What everybody's words mean, by language. Made once; that takes a moment."""
    return {name: _lexicon(name) for name in _data()["stop"]}


def _lexicon(name: str) -> Lexicon:
    data = _data()
    small = frozenset(one.plain for one in words(data["stop"][name]))

    def stems(table: str) -> list[str]:
        return [stem(name, one.plain) for one in words(data[table][name])]

    days = {each: day for day, each in enumerate(stems("days"))}
    weak = frozenset([*stems("weak"), *days])
    goods = frozenset(
        tuple(stem(name, one.plain) for one in words(each)) for each in _listed(data["goods"][name])
    )
    lexicon = Lexicon(name, small, weak, frozenset(stems("speaking")), days, goods, {}, {}, set())
    spoken = {SPEAKS + tag: said for tag, said in data["languages"].items()}
    for concept, said in {**data["concepts"], **spoken}.items():
        for each in _listed(said.get(name, "")):
            lexicon.learn(each, Meaning(frozenset((concept,)), alone=each.endswith("!")))
    lexicon.known.update(stem(name, one) for one in small)
    lexicon.known.update(weak | lexicon.speaking)
    return lexicon


def _copy(one: Lexicon) -> Lexicon:
    return one._replace(phrases=dict(one.phrases), exact=dict(one.exact), known=set(one.known))


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _add(table: dict[Phrase, Meaning], phrase: Phrase, meaning: Meaning) -> None:
    """Adds a meaning; a phrase that counts anywhere keeps doing so."""
    known = table.get(phrase)
    if known is None or (known.alone and not meaning.alone):
        table[phrase] = meaning
    elif known.alone == meaning.alone:
        table[phrase] = Meaning(known.concepts | meaning.concepts, known.alone)


def _groups(same: Iterable[Iterable[str]]) -> list[list[str]]:
    """Sets that share a word are one set, in whatever order they come."""
    groups: list[set[str]] = []
    for one in same:
        joined = {" ".join(each.plain for each in words(word)) for word in one} - {""}
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined] if joined else apart
    return [sorted(group) for group in groups]
