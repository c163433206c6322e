"""Reads what people need and offer, from their posts and profiles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshcoop.matching.stemming import split_words
from meshcoop.matching.times import weekdays_of
from meshcoop.matching.topics import Topics, is_word, read_topics
from meshcoop.matching.vocabulary import SPEAKS, Vocabulary
from protocol.fold.thread import View

_MAX_WORDS_OF_A_LINE = 2  # if a line has more words of unknown meaning, these are no topics


@dataclass(frozen=True, slots=True)
class NeedOrOffer:
    """What one person needs or offers, according to a post or to one list in their profile.

    `written` maps each topic to the words that the person wrote about it. `title` is the title of
    the post, or the person's name if this is from a profile. `days` is None if the person has named
    no days.
    """

    row: int
    id: bytes
    created: int
    person: bytes
    source: str  # "request" or "wants" for a need; "offer" or "assets" for an offer
    title: str
    written: Mapping[str, str]
    days: frozenset[int] | None = None
    starts: str | None = None
    until: str | None = None
    repeats: bool = False
    minutes: int | None = None
    area: str | None = None

    @property
    def is_need(self) -> bool:
        """Whether the person needs this. If not, the person offers it."""
        return self.source in {"request", "wants"}

    @property
    def is_post(self) -> bool:
        """Whether this is from a post. If not, it is from a list in a profile."""
        return self.source in {"request", "offer"}


@dataclass(frozen=True, slots=True)
class Profile:
    """The parts of a person's profile that apply to all their needs and offers."""

    languages: Mapping[str, str]  # tag → the language as the person wrote it
    area: str | None = None
    minutes_a_month: int | None = None
    days: frozenset[int] | None = None


def read_post(row: int, view: View, vocabulary: Vocabulary) -> NeedOrOffer | None:
    """Reads the need or the offer in a post. Returns None if the post is not open or its words are
    hidden.
    """
    if view["state"] != "open" or not view["title"]:
        return None
    lang = view["lang"]
    topics = read_topics(view["title"], vocabulary, lang=lang)
    for tag in view["tags"] or ():
        topics.add(read_topics(tag, vocabulary, lang=lang))
    body = read_topics(view["text"] or "", vocabulary, lang=lang)
    # A long text mentions many things by the way. It counts only if the title has no concept.
    if not topics.has_concepts:
        topics.written |= _concepts_only(body.written)
    weekdays = weekdays_of(view["starts"], view["repeats"])
    return NeedOrOffer(
        row=row,
        id=view["id"],
        created=view["created"],
        person=view["author"],
        source=view["kind"],
        title=view["title"],
        written=topics.written,
        days=weekdays or frozenset(topics.days | body.days) or None,
        starts=view["starts"],
        until=view["until"],
        repeats=bool(view["repeats"]),
        minutes=view["minutes"],
        area=view["area"],
    )


def read_profile(row: int, view: View, vocabulary: Vocabulary) -> tuple[list[NeedOrOffer], Profile]:
    """Reads a profile. Returns what the person needs and offers, and the parts of the profile that
    apply to all of this.
    """
    written_languages = view["languages"] or ()
    languages = _languages_by_tag(written_languages, vocabulary)
    hint = sorted(languages)
    topics_of_lists = {
        source: _read_list(view[source] or (), vocabulary, hint) for source in ("assets", "wants")
    }
    # A language that a person speaks is an asset as well.
    assets = topics_of_lists["assets"]
    for language in written_languages:
        assets.written = {**_language_topics(language, vocabulary), **assets.written}
    about = read_topics(view["about"] or "", vocabulary, hint=hint)
    days = frozenset(assets.days | about.days)
    profile = Profile(
        languages=languages,
        area=view["area"],
        minutes_a_month=view["minutes_a_month"],
        days=days or None,
    )
    needs_and_offers = [
        NeedOrOffer(
            row=row,
            id=view["id"],
            created=view["created"],
            person=view["author"],
            source=source,
            title=view["name"] or "",
            written=topics.written,
        )
        for source, topics in topics_of_lists.items()
        if topics.written
    ]
    return needs_and_offers, profile


def is_same_text(text: str, other: str) -> bool:
    """Returns whether two texts have the same words. Case and accents do not count."""
    words = [word.plain for word in split_words(text)]
    return words == [word.plain for word in split_words(other)]


def _languages_by_tag(written_languages: Iterable[str], vocabulary: Vocabulary) -> dict[str, str]:
    languages = {}
    for written in written_languages:
        tag = vocabulary.find_language(written)
        if tag:
            languages[tag] = written
    return languages


def _language_topics(written: str, vocabulary: Vocabulary) -> Mapping[str, str]:
    tag = vocabulary.find_language(written)
    if tag:
        return {SPEAKS + tag: written}
    return read_topics(written, vocabulary).written


def _read_list(lines: Iterable[str], vocabulary: Vocabulary, hint: list[str]) -> Topics:
    """Reads the topics of a list in a profile, line by line."""
    all_topics = Topics()
    for line in lines:
        topics = read_topics(line, vocabulary, hint=hint)
        words = {written for key, written in topics.written.items() if is_word(key)}
        # In a long line, no single word says what the line is about.
        if len(words) > _MAX_WORDS_OF_A_LINE:
            topics.written = _concepts_only(topics.written)
        all_topics.add(topics)
    return all_topics


def _concepts_only(written: Mapping[str, str]) -> dict[str, str]:
    return {key: words for key, words in written.items() if not is_word(key)}
