"""Reasons in words, for one reader."""

from collections.abc import Callable

from meshcoop.matching.fit import Pair, Reason
from meshcoop.matching.introductions import Tie
from meshcoop.matching.times import DAYS, on_day, told

_SAYS = {
    "request": ("ask for", "asks for"),
    "wants": ("would like", "would like"),
    "offer": ("offer", "offers"),
    "assets": ("listed", "listed"),
}

Name = Callable[[bytes], str]


class Sentences:
    """`me` is the reader, `name` names everybody else."""

    def __init__(self, me: bytes | None, name: Name) -> None:
        self._me = me
        self._name = name

    def whole(self, parts: list[str]) -> str:
        """One sentence of all reasons."""
        text = "; ".join(parts)
        return text[:1].upper() + text[1:] + "."

    def of(self, reason: Reason, pair: Pair) -> str:
        """One reason in words, as a part of a sentence."""
        tell = {
            "words": self._words,
            "day": _days,
            "area": lambda said, _pair: f"both in {said['area']}",
            "language": lambda said, _pair: f"both speak {said['language']}",
            "time": self._left,
            "gave": self._gave,
            "owes": self._owes,
        }
        return tell[reason.reason](reason.told, pair)

    def of_tie(self, tie: Tie) -> str:
        """Why two people know each other, as a part of a sentence."""
        one, other = self.who(tie.one), self.who(tie.other)
        if tie.on is not None:
            first, second = (other, one) if other == "you" else (one, other)
            return f"{first} and {second} exchanged on {on_day(tie.on)}"
        verb = {"vouched": "vouched for {}", "admitted": "let {} in"}[tie.reason]
        return f"{one} {verb.format(other)}"

    def who(self, person: bytes) -> str:
        """A person; "you" for the reader."""
        return "you" if person == self._me else self._name(person)

    def _words(self, said: dict[str, str], pair: Pair) -> str:
        need, means = pair
        giver, receiver = self.who(means.person), self.who(need.person)
        if "both" in said:
            both = "you both" if "you" in {giver, receiver} else f"{giver} and {receiver} both"
            listed = "named" if need.posted or means.posted else "listed"
            return f"{both} {listed} {said['brought']}"
        wanted = f"{receiver} {self._verb(need.source, need.person)} “{said['wanted']}”"
        return f"{wanted}, {giver} {self._verb(means.source, means.person)} “{said['brought']}”"

    def _verb(self, source: str, person: bytes) -> str:
        return _SAYS[source][person != self._me]

    def _left(self, said: dict[str, str], pair: Pair) -> str:
        giver = pair.means.person
        whose = "your" if giver == self._me else f"{self._name(giver)}'s"
        return f"{told(int(said['left']))} are left of {whose} time this month"

    def _gave(self, said: dict[str, str], pair: Pair) -> str:
        giver, receiver = self.who(pair.need.person), self.who(pair.means.person)
        return f"{giver} gave {receiver} {told(int(said['minutes']))} on {on_day(said['on'])}"

    def _owes(self, said: dict[str, str], pair: Pair) -> str:
        del said
        who = self.who(pair.means.person)
        return f"{who} {'have' if who == 'you' else 'has'} received more than given so far"


def _days(said: dict[str, str], pair: Pair) -> str:
    del pair
    return "free on " + " and ".join(f"{DAYS[int(one)]}s" for one in said["days"].split(","))
