"""What a text is about: the concepts and the rarer words in it, and the days that it names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from meshcoop.matching.stemming import Word, stem, words
from meshcoop.matching.vocabulary import (
    LONGEST,
    SPEAKS,
    THING,
    Lexicon,
    Meaning,
    Vocabulary,
    things,
)

_SKIPPED = 2  # small words within a phrase
_READ = 120  # words of a text; what comes after these is not what it is about
_SHORT = 4  # letters: shorter words tell little by themselves
NO_FIT = "nothing"  # the concept of phrases that mean nothing of what their words do


@dataclass
class Gist:
    """`about`: each key, a concept or a word with its language, and the words that were written."""

    about: dict[str, str] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)

    def add(self, other: "Gist") -> None:
        """What another text says besides."""
        self.about = {**other.about, **self.about}
        self.days |= other.days

    @property
    def concepts(self) -> bool:
        """Whether anything here has a meaning that is known."""
        return any(not is_word(key) for key in self.about)


def is_word(key: str) -> bool:
    """Whether a key is somebody's word rather than a concept."""
    return key.startswith("=")


@dataclass
class _Scan:
    """One text, read in one language."""

    lexicon: Lexicon
    said: list[Word]
    gist: Gist = field(default_factory=Gist)

    def __post_init__(self) -> None:
        name = self.lexicon.language
        self.stems = [stem(name, one.plain) for one in self.said]
        self.content = [
            at for at, one in enumerate(self.said) if one.plain not in self.lexicon.small
        ]
        self.telling = [at for at in self.content if self.stems[at] not in self.lexicon.weak]
        self._turn = {at: turn for turn, at in enumerate(self.content)}
        self.used: set[int] = set()
        self.spoken: dict[str, tuple[int, ...]] = {}

    def read(self) -> Gist:
        """The concepts, of the longest phrases first, and the days."""
        for length in range(LONGEST, 0, -1):
            for start in range(len(self.said)):
                for places, meaning in self._at(start, length):
                    if meaning and not self.used & set(places) and self._says(meaning, places):
                        self._note(meaning, places)
        self._languages()
        if self._of_goods():
            self.gist.about = {_thing(key): words for key, words in self.gist.about.items()}
        days = self.lexicon.days
        self.gist.days = {days[one] for one in self.stems if one in days}
        return self.gist

    def _at(self, start: int, length: int) -> Iterable[tuple[tuple[int, ...], Meaning | None]]:
        row = tuple(range(start, min(start + length, len(self.said))))
        if len(row) == length:
            yield row, self.lexicon.exact.get(tuple(self.stems[at] for at in row))
        turn = self._turn.get(start)
        ahead = () if turn is None else tuple(self.content[turn : turn + length])
        if len(ahead) == length and ahead[-1] - start < length + _SKIPPED:
            yield ahead, self.lexicon.phrases.get(tuple(self.stems[at] for at in ahead))

    def _says(self, meaning: Meaning, places: tuple[int, ...]) -> bool:
        return not meaning.alone or set(self.telling) <= set(places)

    def _note(self, meaning: Meaning, places: tuple[int, ...]) -> None:
        self.used |= set(range(places[0], places[-1] + 1))
        for concept in meaning.concepts:
            if concept.startswith(SPEAKS):
                self.spoken[concept] = places
            elif concept != NO_FIT:
                self.gist.about.setdefault(concept, self._written(places))

    def _languages(self) -> None:
        """The name of a language means it beside words of speaking, or among such names only."""
        names = {at for places in self.spoken.values() for at in places}
        speaking = any(one in self.lexicon.speaking for one in self.stems)
        if speaking or set(self.telling) <= names:
            for concept, places in self.spoken.items():
                self.gist.about[concept] = self._written(places)
            if self.spoken:
                self.gist.about.pop("interpreting", None)  # in this language, not in any

    def _of_goods(self) -> bool:
        return any(
            tuple(self.stems[at : at + len(phrase)]) == phrase
            for phrase in self.lexicon.goods
            for at in range(len(self.stems))
        )

    def words(self, meant: set[int]) -> dict[str, str]:
        """The words that tell something; `meant` are places of which the meaning is known."""
        found = {}
        for at in set(self.telling) - meant:
            word, stemmed = self.said[at], self.stems[at]
            plain = len(word.plain) >= _SHORT and not word.plain.isdigit()
            if plain and stemmed not in self.lexicon.speaking:
                found[f"={self.lexicon.language} {stemmed}"] = word.written
        return found

    def _written(self, places: tuple[int, ...]) -> str:
        return " ".join(one.written for one in self.said[places[0] : places[-1] + 1])


def read(
    text: str, vocabulary: Vocabulary, *, lang: str | None = None, hint: Sequence[str] = ()
) -> Gist:
    """The gist of a text. `lang`: the language that its author says it is in; `hint`: those that
    they speak.
    """
    said = words(text)[:_READ]
    gist = Gist()
    names = _languages_of(said, vocabulary, lang, hint)
    scans = [_Scan(vocabulary.lexicons[name], said) for name in names]
    for scan in scans:
        gist.add(scan.read())
    meant = {at for scan in scans for at in scan.used}
    for scan in scans:
        gist.about |= scan.words(meant)
    return gist


def _languages_of(
    said: list[Word], vocabulary: Vocabulary, lang: str | None, hint: Sequence[str]
) -> list[str]:
    """As the author says; else those of which most words are known; else what they speak; else any."""
    known = vocabulary.lexicons
    declared = vocabulary.language(lang) if lang else None
    if declared in known:
        return [declared]
    told = {
        name: sum(
            one.plain in lexicon.small or stem(name, one.plain) in lexicon.known for one in said
        )
        for name, lexicon in known.items()
    }
    most = max(told.values())
    likely = [name for name, count in told.items() if count == most]
    return [name for name in likely if name in hint] or likely


def _thing(key: str) -> str:
    return key if key in things() or key.startswith(SPEAKS) else THING + key
