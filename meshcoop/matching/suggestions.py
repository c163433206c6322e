"""Makes suggestions: who could help with a request, who may want an offer, and how a person can
give back.

A home makes suggestions from its own records when a person looks at them. The home posts nothing
about them (specs/19-matching.md).
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from meshcoop.matching.fit import FitJudge, Pair, Reason
from meshcoop.matching.index import MatchingIndex
from meshcoop.matching.needs_and_offers import NeedOrOffer
from protocol.local_clock import LocalClock

_MAX_PAIRS = 400  # pairs of a need and an offer that one list looks at

_GAVE_POINTS = 3
_OWES_POINTS = 1


class Purpose(StrEnum):
    """The codes of what a suggestion proposes to its recipient."""

    HELP = "help"
    WANT = "want"
    BACK = "back"  # a way to give back


class Suggestion(NamedTuple):
    """A need and an offer that fit each other. The suggestion is made to the `recipient`. Either
    the need or the offer is the recipient's own.
    """

    suggests: Purpose
    recipient: bytes
    pair: Pair
    reasons: list[Reason]

    @property
    def subject(self) -> NeedOrOffer:
        """The need or the offer of the other person. This is what the recipient gets suggested."""
        is_giver = self.pair.offer.person == self.recipient
        return self.pair.need if is_giver else self.pair.offer

    @property
    def key(self) -> bytes:
        """The id of the suggestion. The same recipient, need and offer always give the same id."""
        subject = self.subject
        own = self.pair.need if subject is self.pair.offer else self.pair.offer
        parts = (self.recipient, subject.id, subject.source.encode(), own.id)
        return hashlib.sha256(b"\0".join((b"meshcoop suggestion", *parts))).digest()

    @property
    def rank(self) -> tuple[int, bytes]:
        """The key by which suggestions are sorted, with the best fit first. If two suggestions fit
        equally well, their order differs from person to person (R-19.6).
        """
        points = sum(reason.points for reason in self.reasons)
        return -points, self.key


class Suggestions:
    """Makes suggestions among `people`. `clock` shows the time.

    `people` are the members who are not muted at this home. `left` are the people who have left.
    Promises to them or by them no longer take up time.
    """

    def __init__(
        self,
        index: MatchingIndex,
        people: Collection[bytes],
        clock: LocalClock,
        left: Collection[bytes] = (),
    ) -> None:
        self._index = index
        self._people = frozenset(people)
        self._fit_judge = FitJudge(index, clock, frozenset(left))
        self._answered = index.answered_posts()

    def for_person(self, person: bytes) -> list[Suggestion]:
        """Returns the suggestions for a person, the best first. If several suggestions have the
        same subject, returns only the best of these.
        """
        return _best_by_subject(self._suggest_all(person, self._index.of_person(person)))

    def about_post(self, post: NeedOrOffer) -> list[Suggestion]:
        """Suggests a post to each person who has a need or an offer that fits the post. Returns
        these suggestions, the best fit first.
        """
        if post.person not in self._people:
            return []
        suggestions = []
        for counterpart in islice(self._index.counterparts(post), _MAX_PAIRS):
            suggestion = self._suggest(_pair(post, counterpart), counterpart.person)
            if suggestion is not None:
                suggestions.append(suggestion)
        return _best_by_subject(suggestions)

    def about_person(self, person: bytes, me: bytes) -> list[Suggestion]:
        """Returns the suggestions that connect `me` with a person. After them come suggestions of
        what this person could give back to others.
        """
        if person == me:
            return self.for_person(me)
        between = [
            suggestion for suggestion in self.for_person(me) if suggestion.subject.person == person
        ]
        offers = [side for side in self._index.of_person(person) if not side.is_need]
        ways_back = _best_by_subject(self._suggest_all(person, offers))
        # The reader `me` is not the person who gives, so HELP would be wrong here.
        return [
            *between,
            *(Suggestion(Purpose.BACK, way.recipient, way.pair, way.reasons) for way in ways_back),
        ]

    def _suggest_all(self, person: bytes, sides: Iterable[NeedOrOffer]) -> Iterator[Suggestion]:
        """Yields the suggestions for a person from their own needs and offers.

        Looks at a limited number of pairs, and at equally many for each of these needs and offers
        (R-19.4e).
        """
        newest_first = sorted(sides, key=lambda side: -side.created)[:_MAX_PAIRS]
        share = _MAX_PAIRS // max(len(newest_first), 1)
        for side in newest_first:
            for counterpart in islice(self._index.counterparts(side), share):
                suggestion = self._suggest(_pair(side, counterpart), person)
                if suggestion is not None:
                    yield suggestion

    def _suggest(self, pair: Pair, recipient: bytes) -> Suggestion | None:
        need, offer = pair
        if need.person == offer.person:
            return None
        if not self._people.issuperset((need.person, offer.person)):
            return None
        is_giver = offer.person == recipient
        subject = need if is_giver else offer
        if subject.is_post and (subject.id, recipient) in self._answered:
            return None
        reasons = self._fit_judge.find_reasons(pair)
        if not reasons:
            return None
        if is_giver:
            return self._suggest_giving(pair, recipient, reasons)
        return Suggestion(Purpose.WANT, recipient, pair, reasons)

    def _suggest_giving(self, pair: Pair, recipient: bytes, reasons: list[Reason]) -> Suggestion:
        """Suggests that the recipient helps the other person, who has the need.

        In two cases, suggests giving back instead. In the first case, the other person gave time to
        the recipient before. In the second case, the need is no posted request, and the recipient
        has received more than they gave.
        """
        exchanges = self._index.exchanges
        gift = exchanges.last_gift(pair.need.person, recipient)
        if gift is not None:
            gave = Reason("gave", _GAVE_POINTS, {"minutes": str(gift.minutes), "on": gift.when})
            return Suggestion(Purpose.BACK, recipient, pair, [*reasons, gave])
        if not pair.need.is_post and exchanges.has_received_more(recipient):
            owes = Reason("owes", _OWES_POINTS, {})
            return Suggestion(Purpose.BACK, recipient, pair, [*reasons, owes])
        return Suggestion(Purpose.HELP, recipient, pair, reasons)


def _pair(side: NeedOrOffer, counterpart: NeedOrOffer) -> Pair:
    return Pair(side, counterpart) if side.is_need else Pair(counterpart, side)


def _best_by_subject(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Keeps only the best suggestion for each subject and recipient. The best of all comes
    first.
    """
    best: dict[tuple[str, bytes, bytes, str], Suggestion] = {}
    for suggestion in suggestions:
        subject = suggestion.subject
        key = (suggestion.suggests, suggestion.recipient, subject.id, subject.source)
        if key not in best or suggestion.rank < best[key].rank:
            best[key] = suggestion
    return sorted(best.values(), key=lambda suggestion: suggestion.rank)
