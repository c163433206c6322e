"""Stratum 4: minutes given and received (specs/13-exchange.md, R-13.14)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from protocol.fold.thread import View

COMMON_POT = bytes(32)  # stands for the common pot in place of a person; it is nobody's root key


class Credit(NamedTuple):
    """Minutes that one person gave and another received. `id`: the record that moved them."""

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
    """The minutes of one person. The balance is `given - received`; all balances sum to zero."""

    given: int = 0
    received: int = 0
    gifts_given: int = 0
    gifts_received: int = 0

    @property
    def balance(self) -> int:
        """Minutes given less minutes received. Gifts do not count."""
        return self.given - self.received


def credit_of(view: View) -> Credit | None:
    """Returns the credit that a view moves, or None if it moves none.

    A confirmed receipt moves its minutes, unless it is a duplicate. A correction moves the
    difference to the minutes that counted before it. A `thanks` moves a gift.
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
    """Returns the balance of everybody who gave or received minutes."""
    # The sums in the order of Balance: given, received, gifts given, gifts received.
    sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for move in moves:
        first = 2 if move.is_gift else 0
        sums[move.giver][first] += move.minutes
        sums[move.receiver][first + 1] += move.minutes
    return {person: Balance(*numbers) for person, numbers in sums.items()}


def minutes_for(move: Credit, person: bytes) -> int:
    """Returns the minutes of a credit as one of its two people sees them.

    The giver sees a positive number, the receiver a negative one.
    """
    return move.minutes if move.giver == person else -move.minutes


def _credit(
    view: View, giver: bytes, receiver: bytes, minutes: int | None, on: str | None = None
) -> Credit | None:
    if minutes is None:
        return None
    return Credit(view["id"], view["kind"], view["created"], on, giver, receiver, minutes)
