"""Reads what people need and offer, from their posts and profiles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from meshcoop.matching.times import weekdays_of
from meshcoop.matching.topics import Topics, is_word, read_topics
from meshcoop.matching.vocabulary import SPEAKS, Vocabulary
from protocol.fold.facets import Portrait, Post
from protocol.fold.view import View
from protocol.local_clock import to_local
from protocol.spelling import split_words

_MAX_WORDS_OF_A_LINE = 2  # if a line has more words of unknown meaning, these are no topics


@dataclass(frozen=True, slots=True)
class NeedOrOffer:
    """Something that a person needs or offers. The person wrote it in a post, or in a list of their
    profile.

    `source` is the kind of the post, or the name of the list: "assets" or "wants". `title` is the
    title of the post. If there is no post, `title` is the person's name. `written` maps each topic
    to the words that the person wrote about it. If the person has named no days, `days` is None.
    """

    is_need: bool  # if not, the person offers it
    is_post: bool  # if not, it is from a list in a profile
    id: bytes
    created: int
    person: bytes
    source: str
    title: str
    written: Mapping[str, str]
    days: frozenset[int] | None = None
    starts: str | None = None
    until: str | None = None
    repeats: bool = False
    minutes: int | None = None
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """The parts of a person's profile that apply to all their needs and offers."""

    languages: Mapping[str, str]  # tag → the language as the person wrote it
    area: str | None = None
    minutes_a_month: int | None = None
    days: frozenset[int] | None = None


def read_post(view: View, post: Post, vocabulary: Vocabulary, zone: tzinfo) -> NeedOrOffer:
    """Reads the need or the offer in a post. `view` is the view that has the post."""
    topics = read_topics(post.title, vocabulary, lang=post.lang)
    for tag in post.tags:
        topics.add(read_topics(tag, vocabulary, lang=post.lang))
    body = read_topics(post.text or "", vocabulary, lang=post.lang)
    # A long text mentions many things by the way. It counts only if the title has no concept.
    if not topics.has_concepts:
        topics.written |= _concepts_only(body.written)
    starts = to_local(post.starts, zone) if post.starts else None
    weekdays = weekdays_of(starts, post.repeats)
    return NeedOrOffer(
        is_need=post.is_need,
        is_post=True,
        id=view.id,
        created=view.created,
        person=view.author,
        source=view.kind,
        title=post.title,
        written=topics.written,
        days=weekdays or frozenset(topics.days | body.days) or None,
        starts=starts,
        until=post.until,
        repeats=bool(post.repeats),
        minutes=post.minutes,
        area=post.area,
    )


def read_portrait(
    view: View, portrait: Portrait, vocabulary: Vocabulary
) -> tuple[list[NeedOrOffer], Profile]:
    """Reads what a person says of themselves. Returns the person's needs and offers, and a profile
    that applies to all of them. `view` is the view that has the portrait.
    """
    languages = _languages_by_tag(portrait.languages, vocabulary)
    hint = sorted(languages)
    assets = _read_list(portrait.assets, vocabulary, hint)
    wants = _read_list(portrait.wants, vocabulary, hint)
    # A language that a person speaks is an asset as well.
    for language in portrait.languages:
        assets.written = {**_language_topics(language, vocabulary), **assets.written}
    about = read_topics(portrait.about or "", vocabulary, hint=hint)
    days = frozenset(assets.days | about.days)
    profile = Profile(
        languages=languages,
        area=portrait.area,
        minutes_a_month=portrait.minutes_a_month,
        days=days or None,
    )
    needs_and_offers = [
        NeedOrOffer(
            is_need=topics is wants,
            is_post=False,
            id=view.id,
            created=view.created,
            person=view.author,
            source=source,
            title=portrait.name or "",
            written=topics.written,
        )
        for source, topics in (("assets", assets), ("wants", wants))
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
