"""Tells a reader why something is suggested, or why two people know each other.

The sentences for the codes are in `protocol/sentences.py`. If the reader is one of the people,
another code is used, because its sentence says "you".
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from meshcoop.errors import Remark
from meshcoop.matching.fit import Pair, Reason
from meshcoop.matching.introductions import Tie
from meshcoop.matching.needs_and_offers import NeedOrOffer

ShowPerson = Callable[[bytes], Mapping[str, object]]


class Explanation(StrEnum):
    """The codes of reasons. Each code stands for a part of a sentence. In the names of the codes,
    `YOU` stands for the reader.
    """

    YOU_BOTH_NAMED = "you_both_named"
    YOU_BOTH_LISTED = "you_both_listed"
    BOTH_NAMED = "both_named"
    BOTH_LISTED = "both_listed"
    YOU_ASK = "you_ask"
    ASKS = "asks"
    YOU_WOULD_LIKE = "you_would_like"
    WOULD_LIKE = "would_like"
    YOU_OFFER = "you_offer"
    OFFERS = "offers"
    YOU_LISTED = "you_listed"
    LISTED = "listed"
    FREE_ON = "free_on"
    IN_AREA = "in_area"
    SPEAK = "speak"
    YOU_HAVE_TIME = "you_have_time"
    HAS_TIME = "has_time"
    YOU_GAVE = "you_gave"
    GAVE_YOU = "gave_you"
    GAVE = "gave"
    YOU_OWE = "you_owe"
    OWES = "owes"
    YOU_EXCHANGED = "you_exchanged"
    EXCHANGED = "exchanged"
    YOU_VOUCHED = "you_vouched"
    VOUCHED_FOR_YOU = "vouched_for_you"
    VOUCHED = "vouched"
    YOU_ADMITTED = "you_admitted"
    ADMITTED_YOU = "admitted_you"
    ADMITTED = "admitted"


# By whether a side is a need, whether it is a post, and whether it is the reader's.
_SIDES = {
    (True, True, True): Explanation.YOU_ASK,
    (True, True, False): Explanation.ASKS,
    (True, False, True): Explanation.YOU_WOULD_LIKE,
    (True, False, False): Explanation.WOULD_LIKE,
    (False, True, True): Explanation.YOU_OFFER,
    (False, True, False): Explanation.OFFERS,
    (False, False, True): Explanation.YOU_LISTED,
    (False, False, False): Explanation.LISTED,
}
# By whether the reader is one of the two, and whether one of the sides is a post.
_SAME_WORDS = {
    (True, True): Explanation.YOU_BOTH_NAMED,
    (True, False): Explanation.YOU_BOTH_LISTED,
    (False, True): Explanation.BOTH_NAMED,
    (False, False): Explanation.BOTH_LISTED,
}
# For a reader who did it, a reader to whom it was done, and any other reader.
_GIFTS = (Explanation.YOU_GAVE, Explanation.GAVE_YOU, Explanation.GAVE)
_TIES = {
    "exchanged": (Explanation.YOU_EXCHANGED, Explanation.YOU_EXCHANGED, Explanation.EXCHANGED),
    "vouched": (Explanation.YOU_VOUCHED, Explanation.VOUCHED_FOR_YOU, Explanation.VOUCHED),
    "admitted": (Explanation.YOU_ADMITTED, Explanation.ADMITTED_YOU, Explanation.ADMITTED),
}


class Explainer:
    """Explains to the reader `me` why an offer fits a need, and why two people know each other.
    `show_person` returns the id and the name of a person, as the local API shows them.
    """

    def __init__(self, me: bytes | None, show_person: ShowPerson) -> None:
        self._me = me
        self._show_person = show_person

    def explain_reason(self, reason: Reason, pair: Pair) -> Iterator[Remark]:
        """Explains why the offer of a pair fits the need of the pair."""
        details = reason.details
        match reason.code:
            case "words":
                yield from self._explain_words(details, pair)
            case "day":
                days = [int(number) for number in details["days"].split(",")]
                yield Remark(Explanation.FREE_ON, {"days": days})
            case "area":
                yield Remark(Explanation.IN_AREA, {"area": details["area"]})
            case "language":
                yield Remark(Explanation.SPEAK, {"language": details["language"]})
            case "time":
                minutes = {"minutes": int(details["left"])}
                codes = (Explanation.YOU_HAVE_TIME, Explanation.HAS_TIME)
                yield self._about_person(pair.offer.person, codes, minutes)
            case "gave":
                yield self._explain_gift(details, pair)
            case "owes":
                codes = (Explanation.YOU_OWE, Explanation.OWES)
                yield self._about_person(pair.offer.person, codes, {})
            case _:
                raise AssertionError(f"the reason {reason.code!r} has words")

    def explain_tie(self, tie: Tie) -> Remark:
        """Explains why two people know each other."""
        actor = tie.actor
        other = tie.recipient
        # An exchange is mutual, so it is told as the reader's.
        if tie.when is not None and other == self._me:
            return self._between(other, actor, _TIES[tie.reason], {"on": tie.when})
        when = {} if tie.when is None else {"on": tie.when}
        return self._between(actor, other, _TIES[tie.reason], when)

    def _explain_words(self, details: Mapping[str, str], pair: Pair) -> Iterator[Remark]:
        if "both" in details:
            yield self._explain_same_words(details["brought"], pair)
            return
        yield self._explain_side(pair.need, details["wanted"])
        yield self._explain_side(pair.offer, details["brought"])

    def _explain_side(self, side: NeedOrOffer, words: str) -> Remark:
        codes = (
            _SIDES[side.is_need, side.is_post, True],
            _SIDES[side.is_need, side.is_post, False],
        )
        return self._about_person(side.person, codes, {"words": words})

    def _explain_same_words(self, words: str, pair: Pair) -> Remark:
        is_readers = self._me in {pair.need.person, pair.offer.person}
        is_posted = pair.need.is_post or pair.offer.is_post
        people = {
            "actor": self._show_person(pair.offer.person),
            "other": self._show_person(pair.need.person),
        }
        return Remark(_SAME_WORDS[is_readers, is_posted], {**people, "words": words})

    def _explain_gift(self, details: Mapping[str, str], pair: Pair) -> Remark:
        # The gift went the other way: it was given by the person who needs help now.
        gift = {"minutes": int(details["minutes"]), "on": details["on"]}
        return self._between(pair.need.person, pair.offer.person, _GIFTS, gift)

    def _about_person(
        self,
        person: bytes,
        codes: tuple[Explanation, Explanation],
        arguments: Mapping[str, object],
    ) -> Remark:
        """Says something about a person. Uses the first code if the reader is this person, and
        otherwise the second.
        """
        for_reader, for_others = codes
        code = for_reader if person == self._me else for_others
        return Remark(code, {"actor": self._show_person(person), **arguments})

    def _between(
        self,
        actor: bytes,
        other: bytes,
        codes: tuple[Explanation, Explanation, Explanation],
        arguments: Mapping[str, object],
    ) -> Remark:
        """Says what the person `actor` did for the person `other`. `codes` has three codes. The
        first is used if the reader is the actor, the second if the reader is the other person, and
        the third for all other readers.
        """
        by_reader, for_reader, for_others = codes
        code = {actor: by_reader, other: for_reader}.get(self._me or b"", for_others)
        people = {"actor": self._show_person(actor), "other": self._show_person(other)}
        return Remark(code, {**people, **arguments})
