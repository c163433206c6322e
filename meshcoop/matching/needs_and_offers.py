"""What people need and what they offer, in posts and in profiles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshcoop.matching.stemming import split_words
from meshcoop.matching.times import weekdays_of
from meshcoop.matching.topics import Topics, is_word, read_topics
from meshcoop.matching.vocabulary import SPEAKS, Vocabulary
from protocol.fold.thread import View

_MAX_WORDS_OF_A_LINE = 2  # words without a known meaning that may stand for a line of a list


@dataclass(frozen=True, slots=True)
class NeedOrOffer:
    """What one person needs or offers: a post, or one list of a profile.

    `written` gives for each topic the words that were written; `title` is the title of a post, or
    the name of a profile's person; `days` is None where none are named.
    """

    row: int
    id: bytes
    created: int
    person: bytes
    source: str  # request, wants: a need; offer, assets: an offer
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
        """Whether the person needs it; otherwise they offer it."""
        return self.source in {"request", "wants"}

    @property
    def is_post(self) -> bool:
        """Whether it is a post; otherwise it is a list of a profile."""
        return self.source in {"request", "offer"}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a profile says that bears on everything the person needs and offers."""

    languages: Mapping[str, str]  # tag → as written
    area: str | None = None
    minutes_a_month: int | None = None
    days: frozenset[int] | None = None


def read_post(row: int, view: View, vocabulary: Vocabulary) -> NeedOrOffer | None:
    """The need or offer of a post; None if the post is not open, or its words are hidden."""
    if view["state"] != "open" or not view["title"]:
        return None
    lang = view["lang"]
    topics = read_topics(view["title"], vocabulary, lang=lang)
    for tag in view["tags"] or ():
        topics.add(read_topics(tag, vocabulary, lang=lang))
    body = read_topics(view["text"] or "", vocabulary, lang=lang)
    # A long text mentions many things by the way: it counts only where the title tells nothing.
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
    """What a profile's person needs and offers, and what else the profile says."""
    written_languages = view["languages"] or ()
    languages = _languages_by_tag(written_languages, vocabulary)
    hint = sorted(languages)
    topics_of_lists = {
        source: _read_list(view[source] or (), vocabulary, hint) for source in ("assets", "wants")
    }
    # A language that somebody speaks is an asset as well.
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
    """Whether two people wrote the same words, case and accents apart."""
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
    """The topics of a list, read line by line."""
    all_topics = Topics()
    for line in lines:
        topics = read_topics(line, vocabulary, hint=hint)
        words = {written for key, written in topics.written.items() if is_word(key)}
        # Of a long line no single word tells what the line is about.
        if len(words) > _MAX_WORDS_OF_A_LINE:
            topics.written = _concepts_only(topics.written)
        all_topics.add(topics)
    return all_topics


def _concepts_only(written: Mapping[str, str]) -> dict[str, str]:
    return {key: words for key, words in written.items() if not is_word(key)}
