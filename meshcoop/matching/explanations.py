"""Writes sentences for one reader. They say why something is suggested, or why two people know each
other.
"""

from collections.abc import Callable

from meshcoop.matching.fit import Pair, Reason
from meshcoop.matching.introductions import Tie
from meshcoop.matching.needs_and_offers import NeedOrOffer
from meshcoop.matching.times import DAYS, format_day, format_minutes

# Each pair is the verb after "you" and the verb after a name.
_VERBS_OF_POSTS = {True: ("ask for", "asks for"), False: ("offer", "offers")}  # by is_need
_VERBS_OF_LISTS = {True: ("would like", "would like"), False: ("listed", "listed")}
_TIE_VERBS = {"vouched": "vouched for {}", "admitted": "let {} in"}

Name = Callable[[bytes], str]


class Explainer:
    """Explains reasons to the reader `me`. The sentences call the reader "you". `name` returns the
    name of any other person.
    """

    def __init__(self, me: bytes | None, name: Name) -> None:
        self._me = me
        self._name = name

    def join_reasons(self, parts: list[str]) -> str:
        """Joins several explanations into one sentence."""
        text = "; ".join(parts)
        return text[:1].upper() + text[1:] + "."

    def explain_reason(self, reason: Reason, pair: Pair) -> str:
        """Explains why the offer of a pair fits its need. The result is a part of a sentence."""
        details = reason.details
        match reason.code:
            case "words":
                text = self._explain_words(details, pair)
            case "day":
                text = _explain_days(details["days"])
            case "area":
                text = f"both in {details['area']}"
            case "language":
                text = f"both speak {details['language']}"
            case "time":
                text = self._explain_minutes_left(int(details["left"]), pair.offer.person)
            case "gave":
                text = self._explain_gift(details, pair)
            case "owes":
                text = self._explain_debt(pair.offer.person)
            case _:
                raise AssertionError(f"the reason {reason.code!r} has words")
        return text

    def explain_tie(self, tie: Tie) -> str:
        """Explains why two people know each other. The result is a part of a sentence."""
        actor = self._name_person(tie.actor)
        other = self._name_person(tie.recipient)
        if tie.when is None:
            return f"{actor} {_TIE_VERBS[tie.reason].format(other)}"
        # An exchange is mutual, so the reader always comes first.
        first, second = (other, actor) if other == "you" else (actor, other)
        return f"{first} and {second} exchanged on {format_day(tie.when)}"

    def _name_person(self, person: bytes) -> str:
        return "you" if person == self._me else self._name(person)

    def _explain_words(self, details: dict[str, str], pair: Pair) -> str:
        if "both" in details:
            return self._explain_same_words(details["brought"], pair)
        wanted = f"{self._subject_and_verb(pair.need)} “{details['wanted']}”"
        brought = f"{self._subject_and_verb(pair.offer)} “{details['brought']}”"
        return f"{wanted}, {brought}"

    def _explain_same_words(self, words: str, pair: Pair) -> str:
        giver = self._name_person(pair.offer.person)
        receiver = self._name_person(pair.need.person)
        both = "you both" if "you" in {giver, receiver} else f"{giver} and {receiver} both"
        verb = "named" if pair.need.is_post or pair.offer.is_post else "listed"
        return f"{both} {verb} {words}"

    def _subject_and_verb(self, side: NeedOrOffer) -> str:
        verbs = _VERBS_OF_POSTS if side.is_post else _VERBS_OF_LISTS
        for_reader, for_others = verbs[side.is_need]
        verb = for_reader if side.person == self._me else for_others
        return f"{self._name_person(side.person)} {verb}"

    def _explain_minutes_left(self, minutes: int, giver: bytes) -> str:
        whose = "your" if giver == self._me else f"{self._name(giver)}'s"
        return f"{format_minutes(minutes)} are left of {whose} time this month"

    def _explain_gift(self, details: dict[str, str], pair: Pair) -> str:
        # The gift went the other way: it was given by the person who needs help now.
        giver = self._name_person(pair.need.person)
        receiver = self._name_person(pair.offer.person)
        minutes = format_minutes(int(details["minutes"]))
        return f"{giver} gave {receiver} {minutes} on {format_day(details['on'])}"

    def _explain_debt(self, person: bytes) -> str:
        name = self._name_person(person)
        verb = "have" if name == "you" else "has"
        return f"{name} {verb} received more than given so far"


def _explain_days(numbers: str) -> str:
    days = [f"{DAYS[int(number)]}s" for number in numbers.split(",")]
    return "free on " + " and ".join(days)
