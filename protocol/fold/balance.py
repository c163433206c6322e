"""Balances: how many minutes each person gave and received (specs/13-exchange.md, R-13.14).

Balances are stratum 4, the last step of folding.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from protocol.fold.facets import Credit


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


def sum_balances(moves: Iterable[Credit]) -> dict[bytes, Balance]:
    """Sums up the minutes of all credits. Returns a balance for each person in these credits."""
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
