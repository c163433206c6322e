"""Stratum 4: minutes given and received (specs/13-exchange.md, R-13.14)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from protocol.fold.thread import View

COMMON_POT = bytes(
    32
)  # stands for the common pot where a person gives or receives: nobody's root key


class Credit(NamedTuple):
    """Minutes that one person gave and another received, by which record."""

    id: bytes
    kind: str
    created: int
    on: str | None
    giver: bytes
    receiver: bytes
    minutes: int

    @property
    def is_gift(self) -> bool:
        """Whether the minutes are a gift, which moves no balance."""
        return self.kind == "thanks"


class Balance(NamedTuple):
    """Minutes of one person; `given - received` is the balance, and all balances sum to zero."""

    given: int = 0
    received: int = 0
    gifts_given: int = 0
    gifts_received: int = 0

    @property
    def balance(self) -> int:
        """Minutes given less minutes received, gifts aside."""
        return self.given - self.received


def credit_of(view: View) -> Credit | None:
    """The credit that a view moves: a receipt that counts its minutes, a correction that counts the
    difference to what counted before it, thanks a gift. None for everything else.
    """
    kind = view["kind"]
    if kind == "receipt" and view["state"] == "confirmed" and not view["duplicate"]:
        return _credit(view, view["giver"], view["receiver"], view["minutes"], view["on"])
    if kind == "correction":
        return _credit(view, view["giver"], view["receiver"], view["moved"])
    if kind == "thanks":
        return _credit(view, view["person"], view["author"], view["minutes"])
    return None


def sum_balances(moves: Iterable[Credit]) -> dict[bytes, Balance]:
    """The balance of everybody who gave or received."""
    # The sums in the order of Balance: given, received, gifts given, gifts received.
    sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for move in moves:
        first = 2 if move.is_gift else 0
        sums[move.giver][first] += move.minutes
        sums[move.receiver][first + 1] += move.minutes
    return {person: Balance(*numbers) for person, numbers in sums.items()}


def minutes_for(move: Credit, person: bytes) -> int:
    """The minutes of a credit as one of its two people sees them: given, or with a minus received."""
    return move.minutes if move.giver == person else -move.minutes


def _credit(
    view: View, giver: bytes, receiver: bytes, minutes: int | None, on: str | None = None
) -> Credit | None:
    if minutes is None:
        return None
    return Credit(view["id"], view["kind"], view["created"], on, giver, receiver, minutes)
