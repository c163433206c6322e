"""The two sides of a fit: what somebody needs, and what somebody brings."""

from collections.abc import Mapping
from dataclasses import dataclass

from meshcoop.matching.stemming import words
from meshcoop.matching.times import days_of
from meshcoop.matching.topics import Gist, is_word, read
from meshcoop.matching.vocabulary import SPEAKS, Vocabulary
from protocol.fold.thread import View

_ENOUGH = 2  # words left over that tell what a line of a list is about


@dataclass(frozen=True, slots=True)
class Side:
    """What one person needs or brings. `about`: keys of a gist and the words that were written;
    `title`: what the post is called, of a profile the person's name; `days` None: not said.
    """

    row: int
    id: bytes
    created: int
    person: bytes
    source: str  # request, wants: a need; offer, assets: means
    title: str
    about: Mapping[str, str]
    days: frozenset[int] | None = None
    starts: str | None = None
    until: str | None = None
    repeats: bool = False
    minutes: int | None = None
    area: str | None = None

    @property
    def need(self) -> bool:
        """Whether it is a need, rather than what somebody brings."""
        return self.source in {"request", "wants"}

    @property
    def posted(self) -> bool:
        """Whether it is a post, rather than a line of a profile."""
        return self.source in {"request", "offer"}


@dataclass(frozen=True, slots=True)
class Who:
    """What a profile says that bears on everything its person does."""

    languages: Mapping[str, str]  # tag → as written
    area: str | None = None
    month: int | None = None  # minutes
    days: frozenset[int] | None = None


def of_post(n: int, view: View, vocabulary: Vocabulary) -> Side | None:
    """The side of an open request or offer; None of one that is over, or whose words are hidden."""
    if view["state"] != "open" or not view["title"]:
        return None
    lang = view["lang"]
    gist = read(view["title"], vocabulary, lang=lang)
    for tag in view["tags"] or ():
        gist.add(read(tag, vocabulary, lang=lang))
    body = read(view["text"] or "", vocabulary, lang=lang)
    if not gist.concepts:
        gist.about |= {key: said for key, said in body.about.items() if not is_word(key)}
    days = days_of(view["starts"], view["repeats"]) or frozenset(gist.days | body.days) or None
    return Side(
        row=n,
        id=view["id"],
        created=view["created"],
        person=view["author"],
        source=view["kind"],
        title=view["title"],
        about=gist.about,
        days=days,
        starts=view["starts"],
        until=view["until"],
        repeats=bool(view["repeats"]),
        minutes=view["minutes"],
        area=view["area"],
    )


def of_profile(n: int, view: View, vocabulary: Vocabulary) -> tuple[list[Side], Who]:
    """What somebody brings and would like, and what else there is to know."""
    languages = {tag: one for one in view["languages"] or () if (tag := vocabulary.language(one))}
    hint = sorted(languages)
    listed = {name: view[name] or [] for name in ("assets", "wants")}
    gists = {name: _items(items, vocabulary, hint) for name, items in listed.items()}
    for one in view["languages"] or ():
        tag = vocabulary.language(one)
        said = {SPEAKS + tag: one} if tag else read(one, vocabulary).about
        gists["assets"].about = {**said, **gists["assets"].about}
    days = gists["assets"].days | read(view["about"] or "", vocabulary, hint=hint).days
    who = Who(languages, view["area"], view["minutes_a_month"], frozenset(days) or None)
    title = view["name"] or ""
    sides = [
        Side(n, view["id"], view["created"], view["author"], name, title, gist.about)
        for name, gist in gists.items()
        if gist.about
    ]
    return sides, who


def same(one: str, other: str) -> bool:
    """Whether two people wrote the same, case and accents apart."""
    return [each.plain for each in words(one)] == [each.plain for each in words(other)]


def _items(items: list[str], vocabulary: Vocabulary, hint: list[str]) -> Gist:
    """The gist of a list. Of a long line no word that is left over tells what it is about."""
    whole = Gist()
    for one in items:
        gist = read(one, vocabulary, hint=hint)
        left = {key: said for key, said in gist.about.items() if is_word(key)}
        if len(set(left.values())) > _ENOUGH:
            gist.about = {key: said for key, said in gist.about.items() if key not in left}
        whole.add(gist)
    return whole
