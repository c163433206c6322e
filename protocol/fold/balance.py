"""Balances: how many minutes each person gave and received (specs/13-exchange.md, R-13.14).

This is stratum 4, the last step of folding.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from protocol.fold.thread import View

COMMON_POT = bytes(32)  # stands for the common pot in place of a person's root key


class Credit(NamedTuple):
    """Minutes that one person gave and another received. `id` is the record that says so."""

    id: bytes
    kind: str
    created: int
    on: str | None
    giver: bytes
    receiver: bytes
    minutes: int

    @property
    def is_gift(self) -> bool:
        """True if the minutes are a gift. A gift changes no balance."""
        return self.kind == "thanks"


class Balance(NamedTuple):
    """The minutes that one person gave and received. The balances of all people sum to zero."""

    given: int = 0
    received: int = 0
    gifts_given: int = 0
    gifts_received: int = 0

    @property
    def balance(self) -> int:
        """The minutes given minus the minutes received. Gifts do not count."""
        return self.given - self.received


def credit_of(view: View) -> Credit | None:
    """Returns the minutes that a view moves from one person to another, or None.

    A confirmed receipt moves its minutes if it is no duplicate. A confirmed correction moves the
    difference between its minutes and the minutes that counted before. A `thanks` moves a gift.
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
    """Sums up the credits. Returns the balance of each person who gave or received minutes."""
    # The sums in the order of Balance: given, received, gifts given, gifts received.
    sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for move in moves:
        first = 2 if move.is_gift else 0
        sums[move.giver][first] += move.minutes
        sums[move.receiver][first + 1] += move.minutes
    return {person: Balance(*numbers) for person, numbers in sums.items()}


def minutes_for(move: Credit, person: bytes) -> int:
    """Returns the minutes of a credit with the sign that `person` sees.

    The number is positive for the giver and negative for the receiver.
    """
    return move.minutes if move.giver == person else -move.minutes


def _credit(
    view: View, giver: bytes, receiver: bytes, minutes: int | None, on: str | None = None
) -> Credit | None:
    if minutes is None:
        return None
    return Credit(view["id"], view["kind"], view["created"], on, giver, receiver, minutes)
