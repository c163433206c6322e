"""Suggestions: who could help with a request, who may want an offer, how somebody can give back.

Made at this home when somebody looks, from what it holds; nothing is posted (specs/19-matching.md).
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from meshcoop.matching.fit import Fitting, Pair, Reason
from meshcoop.matching.index import Index
from meshcoop.matching.needs_and_offers import Side

HELP, WANT, BACK = "you could help", "you may want", "ways to give back"

_GAVE, _OWES = 3, 1


class Suggestion(NamedTuple):
    """`pair` suggested to the person `to`, about the other's side."""

    suggests: str
    to: bytes
    pair: Pair
    reasons: list[Reason]

    @property
    def subject(self) -> Side:
        """What it is about: the other person's post, or that person."""
        return self.pair.need if self.pair.means.person == self.to else self.pair.means

    @property
    def key(self) -> bytes:
        """Its own id: the same whenever the same is suggested to the same person."""
        subject, own = self.subject, next(one for one in self.pair if one.person == self.to)
        parts = (self.to, subject.id, subject.source.encode(), own.id)
        return hashlib.sha256(b"\0".join((b"meshcoop suggestion", *parts))).digest()

    @property
    def place(self) -> tuple[int, bytes]:
        """R-19.6: how well it fits; of equal ones nobody comes first everywhere."""
        return -sum(one.points for one in self.reasons), self.key


class Suggestions:
    """What can be suggested among `people` (members whom this home hears) as of `now`."""

    def __init__(self, index: Index, people: Collection[bytes], now: str) -> None:
        self._index = index
        self._people = frozenset(people)
        self._fitting = Fitting(index, now)
        self._answered = index.answered()

    def to(self, person: bytes) -> list[Suggestion]:
        """What to suggest to a person: of each post and each person the best."""
        return _best(self._for(person, self._index.of(person)))

    def about_post(self, side: Side) -> list[Suggestion]:
        """To whom a post is to be suggested."""
        if side.person not in self._people:
            return []
        pairs = (self._pair(side, other) for other in self._index.matching(side))
        return _best(
            found
            for pair in pairs
            if (found := self._judged(pair, pair.means.person if side.need else pair.need.person))
        )

    def about_person(self, person: bytes, me: bytes) -> list[Suggestion]:
        """What there is between me and a person, and how they could give back to anybody."""
        if person == me:
            return self.to(me)
        mine = [one for one in self.to(me) if one.subject.person == person]
        brought = [one for one in self._index.of(person) if not one.need]
        back = _best(self._for(person, brought))
        return [*mine, *(one._replace(suggests=BACK) for one in back)]

    def _for(self, person: bytes, sides: Iterable[Side]) -> Iterator[Suggestion]:
        for side in sides:
            for other in self._index.matching(side):
                found = self._judged(self._pair(side, other), person)
                if found:
                    yield found

    def _pair(self, one: Side, other: Side) -> Pair:
        return Pair(one, other) if one.need else Pair(other, one)

    def _judged(self, pair: Pair, to: bytes) -> Suggestion | None:
        need, means = pair
        if need.person == means.person or not self._people.issuperset((need.person, means.person)):
            return None
        other = need if means.person == to else means
        if other.posted and (other.id, to) in self._answered:
            return None
        reasons = self._fitting.reasons(pair)
        if not reasons:
            return None
        if means.person != to:
            return Suggestion(WANT, to, pair, reasons)
        return self._giving(pair, to, reasons)

    def _giving(self, pair: Pair, to: bytes, reasons: list[Reason]) -> Suggestion:
        """Help, or a way to give back where something was received before."""
        deals = self._index.deals
        gift = deals.last_gift(pair.need.person, to)
        if gift is not None:
            told = {"minutes": str(gift.minutes), "on": gift.on}
            return Suggestion(BACK, to, pair, [*reasons, Reason("gave", _GAVE, told)])
        if not pair.need.posted and deals.owes(to):
            return Suggestion(BACK, to, pair, [*reasons, Reason("owes", _OWES, {})])
        return Suggestion(HELP, to, pair, reasons)


def _best(found: Iterable[Suggestion]) -> list[Suggestion]:
    """Of each thing and person to whom it is suggested the best; in order."""
    best: dict[tuple[str, bytes, bytes, str], Suggestion] = {}
    for one in found:
        side = one.subject
        key = (one.suggests, one.to, side.id, side.source)
        if key not in best or one.place < best[key].place:
            best[key] = one
    return sorted(best.values(), key=lambda one: one.place)
